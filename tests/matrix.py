"""Who may what, address by address: the rules that `tests/test_matrix.py` holds every route to.

A new route is a new line in `API`, a new page of the back office one in `matrix_of_office.py`. In a route
and in a body a kind of object, like `{user}`, stands for one that is one's own, somebody else's or nobody's;
`{new}` for a fresh id. A transfer is one's own when both its accounts are, a subscription when one made it;
`{spare}` is an account that is empty and frozen. `python -m tests.matrix` prints the rules as a table.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ledger_project.groups import GROUPS
from tests.matrix_of_office import OFFICE_ROUTES
from tests.names import NOBODY
from tests.routes import KINDS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
WITHOUT_VALID_TOKEN = ("no token", "bad token", "expired token", "disabled user")
HOLDER = "holder"
ROLES = (*WITHOUT_VALID_TOKEN, *GROUPS, HOLDER)
OFFICE_ROLES = ("no token", "api-admin", HOLDER)  # the back office reads no tokens
RIGHTS = {**GROUPS, HOLDER: set[str]()}
# Tokens of one permission each, by its name; their service has all of them.
SERVICE = "service in all groups"
SINGLE = tuple(sorted(set().union(*GROUPS.values())))
RIGHTS |= {permission: {permission} for permission in SINGLE}
OWN, FOREIGN, MISSING = "own", "foreign", "missing"
AN_OBJECT = re.compile(r"\{(" + "|".join(KINDS) + r")\}")


@dataclass(frozen=True)
class Rule:
    """What one method of a route asks of its caller.

    `permission` lets in, None everybody with a valid token. `sees` is needed to find what is not one's own;
    None: nothing is found, or what is named in the body is not shown, and who may do it may do it to all.
    What has `bodies` changes something when it is done; what has none changes nothing.
    """

    status: int = 200
    permission: str | None = None
    sees: str | None = None
    public: bool = False
    office: bool = False
    bodies: tuple[dict[str, object], ...] = ()
    query: str = ""  # without which nothing is answered


def read(sees: str, query: str = "") -> Rule:
    return Rule(sees=sees, query=query)


def write(permission: str, status: int, *bodies: dict[str, object], sees: str | None = None) -> Rule:
    return Rule(status=status, permission=permission, sees=sees, bodies=bodies)


PUBLIC = {"GET": Rule(public=True)}
OFFICE = {method: Rule(status=302, office=True) for method in METHODS}

USER, ACCOUNT, TRANSACTION = "accounts.view_user", "accounts.view_account", "transactions.view_transaction"
HOLD, PLACE, POST = "accounts.view_hold", "accounts.add_hold", "transactions.add_transaction"
LIMIT, CLAIM, WATCH = "accounts.limit_account", "accounts.view_claim", "accounts.manage_thresholds"
EVENT, SUBSCRIPTION = "events.view_event", "events.view_subscription"
SUBSCRIBE, TELL = "events.add_subscription", "events.change_subscription"
DEPOSIT = {"id": "{new}", "type": "DEPOSIT", "amount": "1"}
NAMED = {"account": "{account}"}, {"user": "{user}"}
LIST, ORDER = {"id": "{new}", "atomic": True}, {**DEPOSIT, "command": "transaction"}
URL = NOBODY + "{new}"
WHY = {"reason": "x"}
API = {
    "me": {"GET": Rule()},
    "users": {
        "GET": read(USER),
        "POST": write("accounts.add_user", 201, {"id": "{new}", "name": "x"}),
    },
    "users/{user}": {
        "GET": read(USER),
        "PATCH": write("accounts.change_user", 200, {"name": "x"}, sees=USER),
    },
    "users/{user}/balance": {"GET": read(ACCOUNT)},
    "accounts": {
        "GET": read(ACCOUNT),
        "POST": write("accounts.add_account", 201, {"user": "{user}", "currency": "EUR"}),
    },
    "accounts/{account}": {
        "GET": read(ACCOUNT),
        "PATCH": write("accounts.change_account", 200, {"metadata": {"k": "v"}}, sees=ACCOUNT),
    },
    "accounts/{account}/balance": {"GET": read(ACCOUNT)},
    "accounts/{account}/statement": {"GET": read(ACCOUNT, "?from=2020-01-01&to=2020-01-01")},
    "accounts/{account}/limits": {"POST": write(LIMIT, 200, {"withdraw_max": "5"}, sees=ACCOUNT)},
    "accounts/{account}/freeze": {"POST": write("accounts.freeze_account", 200, WHY, sees=ACCOUNT)},
    "accounts/{spare}/unfreeze": {"POST": write("accounts.freeze_account", 200, WHY, sees=ACCOUNT)},
    "accounts/{spare}/close": {"POST": write("accounts.close_account", 200, WHY, sees=ACCOUNT)},
    "accounts/{account}/claims": {
        "POST": write("accounts.claim_account", 201, {"id": "{new}", "amount": "1", **WHY}),
    },
    "accounts/{account}/thresholds": {
        "GET": read(ACCOUNT),
        "POST": write("accounts.manage_thresholds", 201, {"amount": "-7.00", "of": "balance"}, sees=ACCOUNT),
    },
    "thresholds/{threshold}": {"DELETE": write("accounts.manage_thresholds", 204, {}, sees=ACCOUNT)},
    "transactions": {
        "GET": read(TRANSACTION),
        "POST": write(POST, 201, {**DEPOSIT, "account": "{account}"}, {**DEPOSIT, "user": "{user}"}),
    },
    "transactions/{transaction}": {"GET": read(TRANSACTION)},
    "transactions/{transaction}/reverse": {
        "POST": write(POST, 201, {"id": "{new}", **WHY}, sees=TRANSACTION)
    },
    "batches": {
        "POST": write(POST, 200, *({**LIST, "commands": [{**ORDER, **named}]} for named in NAMED)),
    },
    "batches/{batch}": {"GET": read(TRANSACTION)},
    "batches/{batch}/reverse": {"POST": write(POST, 200, {"id": "{new}", **WHY}, sees=TRANSACTION)},
    "transfers": {
        "POST": write(
            POST, 201, {"id": "{new}", "source": "{account}", "destination": "{spare}", "amount": "1"}
        ),
    },
    "transfers/{transfer}": {"GET": read(TRANSACTION)},
    "holds": {
        "GET": read(HOLD),
        "POST": write(PLACE, 201, {"id": "{new}", "account": "{account}", "amount": "1"}),
    },
    "holds/{hold}": {"GET": read(HOLD), "PATCH": write(PLACE, 200, {"amount": "2"}, sees=HOLD)},
    "holds/{hold}/capture": {"POST": write(POST, 201, {"id": "{new}"}, sees=HOLD)},
    "holds/{hold}/release": {"POST": write("accounts.change_hold", 200, {}, sees=HOLD)},
    "claims": {"GET": read(CLAIM)},
    "claims/{claim}": {"GET": read(CLAIM)},
    "claims/{claim}/waive": {"POST": write("accounts.waive_claim", 200, WHY, sees=CLAIM)},
    "events": {"GET": read(EVENT)},
    "subscriptions": {
        "GET": read(SUBSCRIPTION),
        "POST": write(SUBSCRIBE, 201, {"kind": "webhook", "url": URL}),
    },
    "subscriptions/{subscription}": {
        "GET": read(SUBSCRIPTION),
        "PATCH": write(TELL, 200, {"types": ["user.created"]}, {"url": URL}, sees=SUBSCRIPTION),
        "DELETE": write("events.delete_subscription", 204, {}, sees=SUBSCRIPTION),
    },
    "subscriptions/{subscription}/pause": {"POST": write(TELL, 200, {}, sees=SUBSCRIPTION)},
    "subscriptions/{subscription}/resume": {"POST": write(TELL, 200, {}, sees=SUBSCRIPTION)},
    "subscriptions/{subscription}/replay": {"POST": write(TELL, 200, {}, sees=SUBSCRIPTION)},
    "subscriptions/{subscription}/rotate-secret": {"POST": write(TELL, 200, {}, sees=SUBSCRIPTION)},
    "subscriptions/{subscription}/test": {"POST": write(TELL, 200, {}, sees=SUBSCRIPTION)},
    "subscriptions/{subscription}/try-now": {"POST": write(TELL, 200, {}, sees=SUBSCRIPTION)},
    "subscriptions/{subscription}/attempts": {"GET": read(SUBSCRIPTION)},
}
# The filters of a list, and of the feed, that name an object: foreign and missing ones find the same nothing.
LISTS = {
    "users": (),
    "accounts": ("user={user}",),
    "transactions": (
        *("account={account}", "user={user}", "account={account}&user={user}"),
        *("transfer={transfer}", "transfer={transfer}&account={account}", "batch={batch}"),
    ),
    "holds": ("account={account}", "user={user}", "account={account}&user={user}"),
    "claims": ("account={debts}", "user={user}", "account={debts}&user={user}"),
    "subscriptions": (),
}
OF_FEED = (
    "account={account}",
    "account={account}&after_sequence=0",
    "account={account}&types=account.opened",
)

OTHERS = {
    "api/schema": PUBLIC,
    "api/docs": PUBLIC,
    "livez": PUBLIC,
    "readyz": PUBLIC,
    "metrics": PUBLIC,  # unless METRICS_PUBLIC is off
    # Django's own login form, which takes PUT for POST.
    "admin/login/": {method: Rule(public=True) for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS")},
}
ROUTES: dict[str, dict[str, Rule]] = {
    **{f"api/v1/{route}": rules for route, rules in API.items()},
    **OTHERS,
    **{f"admin/{page}": OFFICE for page in OFFICE_ROUTES},
}


@dataclass(frozen=True)
class Cell:
    """One question to one address: which method, who asks, whose object it names (None: no object)."""

    route: str
    method: str
    role: str
    whose: str | None
    body: str = ""

    @property
    def rule(self) -> Rule | None:
        return find_rule(self.route, self.method)

    @property
    def status(self) -> int:
        """The answer that the rules want."""
        rule = self.rule
        if rule and rule.office:
            return rule.status
        public = any(each.public for each in ROUTES[self.route].values())
        if not public and self.role in WITHOUT_VALID_TOKEN:
            return 401
        if rule is None:
            return 405
        if rule.public:
            return rule.status
        permissions = RIGHTS[self.role]
        if rule.permission is not None and rule.permission not in permissions:
            return 403
        is_hidden = rule.sees is not None and rule.sees not in permissions
        if self.whose == MISSING or (self.whose == FOREIGN and is_hidden):
            return 404
        return rule.status


def find_rule(route: str, method: str) -> Rule | None:
    """The rule of the method; HEAD is GET without the body. None: the route does not serve it."""
    rules = ROUTES[route]
    return rules.get(method) or (rules.get("GET") if method == "HEAD" else None)


def list_bodies(route: str, method: str) -> list[str]:
    """What to send: what the method takes, or for one that is not served what the route's others take."""
    rule = find_rule(route, method)
    rules = [rule] if rule else ROUTES[route].values()
    return [json.dumps(body) for each in rules for body in each.bodies] or [""]


def list_cells(route: str) -> Iterator[Cell]:
    roles = OFFICE_ROLES if ROUTES[route] is OFFICE else ROLES
    for method in METHODS:
        for body in list_bodies(route, method):
            whose = (OWN, FOREIGN, MISSING) if AN_OBJECT.search(route + body) else (None,)
            yield from (Cell(route, method, role, one, body) for role in roles for one in whose)


def list_single_cells(route: str) -> Iterator[Cell]:
    """What is served, asked with a token of each permission alone."""
    for method in METHODS:
        if find_rule(route, method):
            for body in list_bodies(route, method):
                whose = (OWN, FOREIGN) if AN_OBJECT.search(route + body) else (None,)
                yield from (Cell(route, method, each, one, body) for each in SINGLE for one in whose)


def print_table() -> None:
    """The rules in Markdown. A group's column is for what is somebody else's; a holder has all three."""
    columns = [
        ("no valid token", WITHOUT_VALID_TOKEN[0], OWN),
        *((group, group, FOREIGN) for group in GROUPS),
    ]
    columns += [(f"{HOLDER}: {whose}", HOLDER, whose) for whose in (OWN, FOREIGN, MISSING)]
    lines = ["| route | method | " + " | ".join(name for name, _, _ in columns) + " |"]
    lines.append("|---" * (len(columns) + 2) + "|")
    for route in (*(f"api/v1/{route}" for route in API), *OTHERS):
        for method in ROUTES[route]:
            [body, *_] = list_bodies(route, method)
            named = AN_OBJECT.search(route + body)
            cells = [Cell(route, method, role, whose if named else None) for _, role, whose in columns]
            lines.append(
                f"| `/{route}` | {method} | " + " | ".join(str(cell.status) for cell in cells) + " |"
            )
    asked = sum(1 for route in ROUTES for _ in list_cells(route))
    lines += [
        "",
        "HEAD is as GET; every other method is 405 (401 without a valid token).",
        "Every page under `/admin/` but the login sends who is not staff there.",
        f"{len(ROUTES)} routes, {asked} cells.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    print_table()

"""The catalogue of bad inputs (`bad_inputs.json`), put into the words of this API.

`python -m tests.bad_inputs` prints what becomes of its cases; tests/rest/test_bad_inputs.py sends them.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from tests.bad_inputs_differences import DIFFERENCES
from tests.raw_requests import Request

CATALOGUE = json.loads(Path(__file__).with_suffix(".json").read_text())
NAMES = CATALOGUE["meta"]["field_map"]
DEPOSIT = CATALOGUE["meta"]["base_body"]
WITHOUT_ID = {name: value for name, value in DEPOSIT.items() if name != "id"}
TOO_MUCH = {**DEPOSIT, "kind": "WITHDRAW", "amount": "100.00"}
# What the catalogue says in words only.
SAID: dict[str, dict[str, Any]] = {
    "IDE-032": {"body": {"id": "{{new_uuid}}"}},
    "BUS-011": {"body": {"source": "{{account_id}}", "destination": "{{account_id}}"}},
    "BUS-012": {"body": {}},
    "BUS-032": {"body": {}, "path_params": {"transaction_id": "{{new_uuid}}"}},
    "BUS-035": {"body": {"transactions": [{}] * 10_001}},
    "BUS-036": {"body": {"transactions": [{**DEPOSIT, "id": "{{U}}"}] * 2}},
    "BUS-037": {"body": {"transactions": [*[DEPOSIT] * 6, TOO_MUCH, *[DEPOSIT] * 3]}},
    "BUS-038": {"body": {"expected_version": 7}},
    "PAT-015": {"path_params": {"account_id": "a" * 10_000}},
    "PAT-019": {"params": {"account_id": "{{account_id}}"}},
    "PAT-031": {"query": "from=2026-01-01&to=2026-01-31"},
    "TIM-045": {"query": "at=2026-01-01T00:00:00+02:00"},
    "AUT-011": {"bearer": None},  # the token is in the query
    "AUT-019": {"bearer": None},  # a session's cookie instead
}
CASES = {case["id"]: {**case, **SAID.get(case["id"], {})} for case in CATALOGUE["cases"]}

Case = Mapping[str, Any]
Fill = Callable[[str], str]


class Endpoint(NamedTuple):
    """An endpoint of the catalogue: its address here, and the body that its cases change."""

    path: str
    body: dict[str, Any] | None = None
    names: Mapping[str, str] = NAMES  # of fields: the catalogue's, and ours
    caller: str = "token"


TRANSACTIONS = "/api/v1/transactions"
ACCOUNT = "/api/v1/accounts/{{account_id}}"
SUBSCRIPTION = "/api/v1/subscriptions/{{webhook_id}}"
MONEY = {"id": "{{new_uuid}}", "amount": "10.00"}
TRANSFER = {**MONEY, "source": "{{account_id}}", "destination": "{{account_id_2}}"}

HERE = {
    "any": Endpoint(TRANSACTIONS),
    "post_transaction": Endpoint(TRANSACTIONS, DEPOSIT),
    "post_deposit": Endpoint(TRANSACTIONS, DEPOSIT),
    "post_withdraw": Endpoint(TRANSACTIONS, {**DEPOSIT, "kind": "WITHDRAW"}),
    "post_without_natural_id": Endpoint(TRANSACTIONS, WITHOUT_ID),
    "list_transactions": Endpoint(TRANSACTIONS),
    "list_transactions_offset": Endpoint(TRANSACTIONS),
    "get_transaction": Endpoint(TRANSACTIONS + "/{{transaction_id}}"),
    "transaction_detail": Endpoint(TRANSACTIONS + "/{{transaction_id}}"),
    "get_account": Endpoint(ACCOUNT),
    "account_detail": Endpoint(ACCOUNT),
    "get_balance": Endpoint(ACCOUNT + "/balance"),
    "get_balance_at": Endpoint(ACCOUNT + "/balance"),
    "get_export": Endpoint(ACCOUNT + "/statement"),
    "post_transfer": Endpoint("/api/v1/transfers", TRANSFER),
    "post_hold": Endpoint("/api/v1/holds", {**MONEY, "account": "{{account_id}}"}),
    "get_hold": Endpoint("/api/v1/holds/{{hold_id}}"),
    "capture_hold": Endpoint("/api/v1/holds/{{hold_id}}/capture", {"id": "{{new_uuid}}"}),
    "post_reversal": Endpoint(
        TRANSACTIONS + "/{{transaction_id}}/reverse", {"id": "{{new_uuid}}", "reason": "test"}
    ),
    "post_bulk": Endpoint(TRANSACTIONS + "/batch", {"atomic": True, "transactions": [DEPOSIT]}),
    "create_user": Endpoint("/api/v1/users", {"id": "{{new_uuid}}"}),
    "update_user": Endpoint("/api/v1/users/{{user_id}}", {"username": "somebody else"}),
    "list_events": Endpoint("/api/v1/events"),
    "create_webhook": Endpoint("/api/v1/subscriptions", {"kind": "webhook"}, {"events": "types"}, "admin"),
    "get_webhook": Endpoint(SUBSCRIPTION),
    "delete_webhook": Endpoint(SUBSCRIPTION),
    "webhook_delivery": Endpoint(f"{SUBSCRIPTION}/test", caller="admin"),
}
# Of the back office, whose pages are no API: tests/office/test_nothing_can_be_edited.py knows who runs them.
OFFICE = {"admin", "admin_api", "post_adjustment"}
# What this ledger does without, by design.
NEVER = {
    "login": "tokens only: the API knows no passwords",
    "password_reset": "tokens only: the API knows no passwords",
    "get_transaction_nested": "a transaction has one address, its own",
}
# The server itself, its header lines and its workers take part in these.
AT_A_SERVER = {
    *("IDE-029", "IDE-031", "IDE-044", "IDE-051", "JSO-045", "JSO-046", "TIM-055", "LIS-018"),
    *("PAT-006", "PAT-014", "PAT-015", "AUT-005", "AUT-006", "AUT-016", "AUT-018", "AUT-021"),
    "BUS-023",
}
# Judged by what is noted of a delivery: what a client is answered says nothing.
BY_DELIVERY = {id for id, case in CASES.items() if case["endpoint"] == "webhook_delivery"}
RUN = {id: case for id, case in CASES.items() if case["endpoint"] in HERE}


class Expected(NamedTuple):
    """The answers that will do: one of the statuses, with one of the codes (None: any, or a success)."""

    statuses: tuple[int | str, ...]
    codes: tuple[str, ...] | None

    def allows(self, status: int, code: str | None) -> bool:
        known = self.codes is None or code in self.codes
        return status in self.statuses and (status < 400 or known)


def read_expected(wanted: Case) -> Expected:
    """What the catalogue itself wants of a case or a step."""
    codes = wanted["expect_code"] and (wanted["expect_code"], *wanted.get("also_allowed", ()))
    return Expected(tuple(wanted["expect_status"]), codes)


def find_expected(case: Case) -> Expected:
    """What the case must be answered here: what the catalogue wants, or what differs."""
    difference = DIFFERENCES.get(case["id"])
    if difference is None:
        return read_expected(case)
    return Expected((difference.status,), difference.code and (difference.code,))


def find_expected_of_steps(case: Case) -> Iterator[tuple[Case, Expected]]:
    """A difference counts for the last step, and for every step that wants the same refusal as the case."""
    steps = case["steps"]
    for step in steps:
        if "expect_status" not in step:
            yield step, Expected((), None)
            continue
        same = step["expect_code"] is not None and step["expect_code"] == case["expect_code"]
        yield step, find_expected(case) if same or step is steps[-1] else read_expected(step)


def make_request(case: Case, fill: Fill, *, over: Case | None = None, caller: str = "") -> Request:
    """The case as a request. `over` is what a step changes in the body, `caller` who sends it."""
    endpoint = HERE[case["endpoint"]]
    headers = {"Host": "localhost"}
    if case.get("bearer", True):
        headers["Authorization"] = f"Bearer {{{{{caller or endpoint.caller}}}}}"
    body = b""
    if endpoint.body is not None:
        headers["Content-Type"] = "application/json"
        body = _translate(_make_body(case, endpoint.body, over), endpoint.names, fill)
    given = case.get("headers", {})
    given = list(given.items()) if isinstance(given, dict) else given
    named = {name.lower() for name, _ in given}
    pairs = [*((name, value) for name, value in headers.items() if name.lower() not in named), *given]
    filled = [(name, fill(value)) for name, value in pairs]
    return Request(case["method"], _make_target(case, endpoint.path, fill), filled, body)


def _make_body(case: Case, base: Mapping[str, Any], over: Case | None) -> bytes:
    if "body_b64" in case:
        return base64.b64decode(case["body_b64"])
    if "body_raw" in case:
        return str(case["body_raw"]).encode()
    if "body_gen" in case:
        return _generate(case["body_gen"]).encode()
    changes = {**case.get("body", {}), **(over or {})}
    changes.pop("...", None)
    for name in {"email", "password"} - {case.get("field")}:  # a user here has neither
        changes.pop(name, None)
    return json.dumps({**base, **changes}).encode()


def _generate(recipe: Case) -> str:
    times = range(recipe["count"])
    if "repeat_numbered" in recipe:
        repeated = "".join(recipe["repeat_numbered"] % number for number in times)
    else:
        repeated = recipe["repeat"] * recipe["count"]
    text: str = recipe.get("prefix", "") + repeated + recipe.get("suffix", "")
    if "template" in recipe:
        return str(recipe["template"].replace(recipe["placeholder"], text))
    return text


def _translate(body: bytes, names: Mapping[str, str], fill: Fill) -> bytes:
    """The body with the names of this API and without placeholders; its other bytes stay as they are."""
    text = body.decode("latin-1")
    text = re.sub(r'"(\w+)"(?=\s*:)', lambda match: f'"{names.get(match[1], match[1])}"', text)
    return fill(text).encode("latin-1")


def _make_target(case: Case, path: str, fill: Fill) -> str:
    for name, value in case.get("path_params", {}).items():
        path = path.replace(f"{{{{{name}}}}}", _escape(fill(value), quote))
    if "query" in case:
        return f"{fill(path)}?{case['query']}"
    params = case.get("params", {})
    pairs = params.items() if isinstance(params, dict) else params
    query = "&".join(f"{NAMES.get(name, name)}={_escape(fill(value), quote_plus)}" for name, value in pairs)
    return fill(path) + (f"?{query}" if query else "")


def _escape(value: str, escape: Callable[..., Any]) -> str:
    return value if re.fullmatch(r"(%[0-9a-fA-F]{2})+", value) else str(escape(value, safe=""))


def summarize() -> str:
    """How many cases are run here, answered as the catalogue wants, answered otherwise, or of the office."""
    lines = [f"{'group':<24}{'run':>6}{'as wanted':>11}{'differ':>8}{'office':>7}{'never':>7}"]
    groups = [*dict.fromkeys(case["group"] for case in CASES.values())]
    for group in [*groups, "all"]:
        cases = [case for case in CASES.values() if group in (case["group"], "all")]
        run = [case for case in cases if case["id"] in RUN]
        differ = sum(case["id"] in DIFFERENCES for case in run)
        office, never = (sum(case["endpoint"] in names for case in cases) for names in (OFFICE, NEVER))
        lines.append(f"{group:<24}{len(run):>6}{len(run) - differ:>11}{differ:>8}{office:>7}{never:>7}")
    lines += ["", "never: " + "; ".join(f"{name}, {reason}" for name, reason in NEVER.items())]
    lines += ["", "differences:"]
    reasons = Counter(difference.reason for difference in DIFFERENCES.values())
    return "\n".join([*lines, *(f"{count:>4}  {reason}" for reason, count in reasons.most_common())])


if __name__ == "__main__":
    print(summarize())  # noqa: T201

"""Who may do what with which table: decided here for every table, and made so by `database_roles`.

    owner        owns tables and functions, and is what migrations run as; nobody logs in as it
    app          the service and its relay: adds to the ledger, and changes only what the code changes
    maintenance  operators' commands: the audit, letting old events go, a new epoch of the feed
    auditor      people who look: every table of the ledger, but no password, token or session

A model without its line here stops `database_roles` and a test. So that a new column is nobody's before
somebody has decided, columns are listed by what is allowed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

Columns = tuple[str, ...]  # none: the whole table
Privileges = Mapping[str, Columns]

READ: Privileges = {"SELECT": ()}
ADD: Privileges = {"INSERT": ()}
CHANGE: Privileges = {"UPDATE": ()}
REMOVE: Privileges = {"DELETE": ()}


@dataclass(frozen=True, slots=True)
class Rights:
    """What the three roles may do with one table."""

    app: Privileges
    maintenance: Privileges
    auditor: Privileges


def only(privilege: str, columns: str) -> Privileges:
    """The privilege on these columns, their names with spaces between them."""
    return {privilege: tuple(columns.split())}


USER_SHOWN = (
    "id username name external_id metadata email is_active is_staff is_superuser last_login created_at"
    " created_as event_sequence last_recorded_at erased_at must_change_password time_zone is_holder"
)
TOKENS_SHOWN = (
    "token_key user_id created expiry permissions account_names types amount_max last_used_at revoked_at"
)
SHOWN = Rights(READ, READ, READ)

RIGHTS: dict[str, Rights] = {
    # The ledger is added to.
    "transactions.transaction": Rights({**READ, **ADD}, READ, READ),
    "transactions.batch": Rights({**READ, **ADD}, READ, READ),
    "accounts.account": Rights(
        {
            **READ,
            **ADD,
            **only(
                "UPDATE",
                "balance held seq version event_sequence last_recorded_at last_effective_at chain_head"
                " withdrawn withdrawn_on status status_reason credit_limit credit_limit_max withdraw_max"
                " withdraw_day_max metadata owed nearest",
            ),
        },
        READ,
        READ,
    ),
    "accounts.hold": Rights(
        {**READ, **ADD, **only("UPDATE", "amount expires_at captured status closed_at event_sequence")},
        READ,
        READ,
    ),
    "accounts.claim": Rights(
        {
            **READ,
            **ADD,
            **only("UPDATE", "collected collections status waived_reason closed_at event_sequence"),
        },
        READ,
        READ,
    ),
    "accounts.threshold": Rights(
        {**READ, **ADD, **REMOVE, **only("UPDATE", "below since event_sequence")}, READ, READ
    ),
    "events.event": Rights({**READ, **ADD}, {**READ, **REMOVE}, READ),
    "events.text": Rights({**READ, **ADD, **only("UPDATE", "content")}, READ, READ),
    "events.pendingevent": Rights({**READ, **ADD, **REMOVE}, READ, READ),
    "events.placement": Rights({**READ, **ADD}, {**READ, **REMOVE}, READ),
    "events.feedstate": Rights(
        {**READ, **only("UPDATE", "last_position relay_seen_at")},
        {**READ, **only("UPDATE", "pruned_through epoch system_identifier timeline_id database_id table_id")},
        READ,
    ),
    "events.subscription": Rights(
        {
            **READ,
            **ADD,
            **REMOVE,
            **only(
                "UPDATE",
                "url types status position attempts next_attempt_at lease leased_until sent failed unroutable"
                " last_sent_at last_error last_error_at failing_since secret_generation secret_rotated_at",
            ),
        },
        {**READ, **only("UPDATE", "epoch lease leased_until")},
        READ,
    ),
    "events.attempt": Rights({**READ, **ADD, **REMOVE}, READ, READ),
    # What people saw and did, and what staff put right; what the dashboard shows.
    "events.recordentry": Rights({**READ, **ADD}, {**READ, **ADD}, READ),
    "events.recordhead": Rights(
        {**READ, **ADD, **only("UPDATE", "number recorded_at chain_hash")},
        {**READ, **ADD, **only("UPDATE", "number recorded_at chain_hash")},
        READ,
    ),
    "transactions.correction": Rights(
        {**READ, **ADD, **only("UPDATE", "status checker_id decided_at decision_reason")}, READ, READ
    ),
    "accounts.erasure": Rights(
        {
            **READ,
            **ADD,
            **only("UPDATE", "reason status checker_id decided_at external_id_hash hash_until"),
        },
        READ,
        READ,
    ),
    "accounts.note": Rights({**READ, **ADD, **only("UPDATE", "done_by_id done_at")}, READ, READ),
    "transactions.hourlytotal": Rights({**READ, **ADD, **CHANGE}, READ, READ),
    "transactions.figures": Rights({**READ, **ADD, **CHANGE}, READ, READ),
    # What is searched: made of the ledger, and made anew of it.
    "transactions.searchedperson": Rights({**READ, **ADD, **CHANGE, **REMOVE}, READ, READ),
    "transactions.searchedreference": Rights({**READ, **ADD, **CHANGE, **REMOVE}, READ, READ),
    "transactions.searchedterm": Rights({**READ, **ADD, **REMOVE}, READ, READ),
    "transactions.searchedamount": Rights({**READ, **ADD}, READ, READ),
    "transactions.searchstate": Rights({**READ, **ADD, **CHANGE}, READ, READ),
    # The service audits single accounts: what it notes is of a part of the ledger, whoever has taken it over.
    "transactions.auditrun": Rights(
        {**READ, **only("INSERT", "id started_at seen_through account_id accounts rows findings found")},
        {**READ, **ADD},
        READ,
    ),
    # Users stay. Django writes all columns when somebody changes their password.
    "accounts.user": Rights(
        {
            **READ,
            **ADD,
            **only("UPDATE", f"{USER_SHOWN.removeprefix('id ').removesuffix(' is_holder')} password"),
        },
        only("SELECT", USER_SHOWN),
        only("SELECT", USER_SHOWN),
    ),
    "accounts.user_groups": Rights({**READ, **ADD, **REMOVE}, READ, READ),
    "accounts.user_user_permissions": SHOWN,
    "auth.group": SHOWN,
    "auth.group_permissions": SHOWN,
    "auth.permission": SHOWN,
    "contenttypes.contenttype": SHOWN,
    "migrations.migration": SHOWN,
    "admin.logentry": Rights({**READ, **ADD}, READ, READ),
    # Tokens stay, revoked or not. Whoever had one could pass for somebody else.
    "accounts.token": Rights(
        {**READ, **ADD, **only("UPDATE", "last_used_at revoked_at")},
        only("SELECT", TOKENS_SHOWN),
        only("SELECT", TOKENS_SHOWN),
    ),
    "sessions.session": Rights({**READ, **ADD, **CHANGE, **REMOVE}, {}, {}),
    "accounts.secondfactor": Rights(
        {
            **READ,
            **ADD,
            **REMOVE,
            **only(
                "UPDATE",
                "secret drift last_t last_used_at throttling_failure_timestamp throttling_failure_count",
            ),
        },
        {},
        only("SELECT", "user_id confirmed created_at last_used_at"),
    ),
    # Who logged in, or tried to.
    "axes.accessattempt": Rights({**READ, **ADD, **CHANGE, **REMOVE}, {}, READ),
    "axes.accessattemptexpiration": Rights({**READ, **ADD, **CHANGE, **REMOVE}, {}, READ),
    "axes.accessfailurelog": Rights({**READ, **ADD, **REMOVE}, {}, READ),
    "axes.accesslog": Rights({**READ, **ADD, **only("UPDATE", "logout_time")}, {}, READ),
}

_ALWAYS = {"search_path": "public, pg_temp", "default_transaction_isolation": "read committed"}
_LONG = {
    **_ALWAYS,
    "lock_timeout": "2s",
    "statement_timeout": "30min",
    "idle_in_transaction_session_timeout": "30min",  # an audit's first session waits for its others
}
# Each is smaller than what waits for it: a lock, a statement, a transaction, the client (30 s). The longest
# statements of the service (a late withdrawal on an account of millions, a search of the back office) need
# seconds; statements of accounts are read in pages, so that none of theirs is long.
SETTINGS: dict[str, dict[str, str]] = {
    "app": {
        **_ALWAYS,
        "lock_timeout": "1s",
        "statement_timeout": "5s",
        "idle_in_transaction_session_timeout": "5s",
        "transaction_timeout": "10s",
        "synchronous_commit": "on",  # acknowledged is on the disk, whatever the server's default is
        # A plan is kept as long as its session: one that was made while a table was small, and scanning or
        # sorting it was cheap, must be right when it is large. `jit` would find unavoidable scans too dear.
        "enable_seqscan": "off",
        "random_page_cost": "1.1",
        "jit": "off",
    },
    "maintenance": _LONG,
    "auditor": {**_LONG, "default_transaction_read_only": "on"},
}
SINCE = {"transaction_timeout": 170000}  # settings that older servers do not know
# Who may make temporary tables: the audit makes the tables once more, and compares the real ones with them.
TEMPORARY = {"app": False, "maintenance": True, "auditor": False}
LOGIN = {"owner": False, "app": True, "maintenance": True, "auditor": True}


class Undecided(LookupError):
    """A model has no line in `RIGHTS`."""


def find_models() -> dict[str, type[Model]]:
    """All models that have a table of their own, by their labels, Django's list of migrations among them."""
    models: list[type[Model]] = [*apps.get_models(include_auto_created=True), MigrationRecorder.Migration]
    return {
        model._meta.label_lower: model for model in models if model._meta.managed and not model._meta.proxy
    }


def find_grants() -> Iterator[tuple[str, str, str, Columns]]:
    """Every right that there should be: the kind of role, the table, the privilege, and on which columns.

    Raises `Undecided`.
    """
    for label, model in sorted(find_models().items()):
        if label not in RIGHTS:
            raise Undecided(f"Nobody has decided who may do what with {label}: give it a line in RIGHTS.")
        for kind in SETTINGS:
            for privilege, columns in getattr(RIGHTS[label], kind).items():
                yield kind, model._meta.db_table, privilege, columns

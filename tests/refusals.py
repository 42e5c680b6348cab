"""What holds of every answer to a bad request, whatever was bad about it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.errors import DECLINES_OF_CLAIMS
from rest.codes import STATUS
from tests.database import execute
from tests.raw_requests import Answer
from transactions.errors import DECLINES

TABLES = (
    *("accounts_user", "accounts_account", "accounts_hold", "accounts_claim", "accounts_threshold"),
    *("transactions_transaction", "transactions_batch", "events_event", "events_subscription"),
)
ROWS = " UNION ALL ".join(f"SELECT '{table}', t::text FROM {table} t" for table in TABLES)
# Whoever reads the feed, and the relay, give events their places: what waits for one or has one is the same.
PLACED = "SELECT stream, sequence FROM events_placement"
FED = f"SELECT stream, sequence FROM events_pending UNION ALL {PLACED}"
ROWS += f" UNION ALL SELECT 'fed', t::text FROM ({FED}) t"
BALANCES = (
    "SELECT id::text, balance::text, held::text, owed::text, version::text, status FROM accounts_account"
)
# How many rows are new or changed by what is created: a transaction, a capture, a transfer, its reversal, a
# capture into an account, a hold, an account, a user; a subscription.
CREATED = (
    *("transactions_transaction", "accounts_account", "accounts_hold", "accounts_user"),
    "events_subscription",
)
CREATED_AT_ONCE = {
    *((1, 1, 0, 0, 0), (1, 1, 1, 0, 0), (2, 2, 0, 0, 0), (0, 1, 1, 0, 0), (0, 1, 0, 0, 0), (0, 1, 0, 1, 0)),
    *((2, 2, 1, 0, 0), (0, 0, 0, 0, 1)),
}
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
INNARDS = re.compile(
    r"Traceback|File \"|line \d+, in|\.py\b|psycopg|django|rest_framework|\bSELECT\b|\bINSERT\b"
    r"|\bUPDATE \w+ SET|\w(Error|Exception|Field|Serializer|ViewSet)\b| object at 0x|/usr/|/site-packages/",
)

# The extensions of all problems.
COUNTS = {"expected_version", "version", "expected_sequence", "sequence", "open"}
AMOUNTS = {"available", "required", "limit", "withdrawn", "balance", "held", "used", "left", "owed"}
AMOUNTS |= {"captured", "amount"}
AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
LISTS = {"differs", "allowed"}
TEXTS = {
    *(
        "id",
        "account",
        "transfer",
        "instant",
        "earliest",
        "rule",
        "reversed_by",
        "hold_status",
        "claim_status",
        "culprit",
        "permission",
        "bound",
        "subscription",
    ),
    "allowed",  # an amount
}
DECIDED = ("transactions_transaction", "accounts_hold", "accounts_claim")

Read = Callable[[str], Iterable[tuple[Any, ...]]]


class Stock(NamedTuple):
    """All that a request could change."""

    rows: frozenset[tuple[Any, ...]]
    balances: frozenset[tuple[Any, ...]]


def take_stock(read: Read = execute) -> Stock:
    return Stock(frozenset(read(ROWS)), frozenset(read(BALANCES)))


def require_problem(answer: Answer) -> None:
    """A failure is a problem that says what is wrong, and nothing of how the ledger is made."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    problem = answer.json()
    assert problem.keys() >= MEMBERS, answer
    assert STATUS[problem["code"]] == problem["status"] == answer.status, answer
    assert problem["type"] == f"/errors/{problem['code']}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert all((problem["title"], problem["detail"])), answer
    for error in problem.get("errors", []):
        assert set(error) == {"pointer", "code", "detail"}, answer
        assert error["code"] in STATUS
    assert not INNARDS.search(answer.text), answer
    for told in (problem, *(result["problem"] for result in problem.get("results", ()))):
        for name in told.keys() - MEMBERS - {"errors", "results"}:
            require_kind(name, told[name])


def require_kind(name: str, value: Any) -> None:
    """Of an extension of a problem: amounts are texts, versions and whatever counts are numbers."""
    if name in COUNTS:
        assert type(value) is int, (name, value)
    elif name in AMOUNTS:
        assert type(value) is str, (name, value)
        assert AMOUNT.fullmatch(value), (name, value)
    elif name in LISTS and type(value) is list:
        assert all(type(each) is str for each in value), (name, value)
    else:
        assert name in TEXTS, f"Nobody has said what kind of value {name} is: {value!r}"
        assert type(value) is str, (name, value)


def require_books(before: Stock, after: Stock, method: str, answer: Answer) -> None:
    """A refusal, a read, a replay and a dry run change nothing; a decline is more rows; what is created, is
    there.

    And nothing is a fault of the ledger's own.
    """
    assert answer.status < 500, answer
    added = Counter(table for table, _ in after.rows - before.rows)
    replayed = "idempotency-replayed" in answer.headers or '"dry_run":true' in answer.text
    changes = method in ("POST", "PATCH", "DELETE") and answer.status < 400 and not replayed
    if answer.code in DECLINES_OF_HOLDS and method == "PATCH" and "id" in answer.json():
        assert added == {"accounts_account": 1, "events_event": 1, "fed": 1}, added  # told, and nothing else
    elif (
        answer.code in {*DECLINES, *DECLINES_OF_HOLDS, *DECLINES_OF_CLAIMS}
        and not replayed
        and {"id", "results"} & answer.json().keys()
    ):
        require_declined(before, after, answer.json(), added)
    elif answer.status == 201 and changes and added["accounts_claim"]:
        assert 1 <= added["accounts_account"] <= 2 + added["accounts_claim"], added  # and what was collected
        assert added["transactions_transaction"] <= 2 + 2 * added["accounts_claim"], added
    elif answer.status == 201 and changes:
        assert tuple(added[table] for table in CREATED) in CREATED_AT_ONCE, added
    elif not changes:
        assert after == before, added


def require_declined(before: Stock, after: Stock, problem: dict[str, Any], added: Counter[Any]) -> None:
    """No balance has changed; there are declined holds and transactions that their accounts know, and if
    they came as a list, that list.
    """
    assert after.balances == before.balances
    declined = [(table, text) for table, text in after.rows - before.rows if table in DECIDED]
    assert all("DECLINED" in text for _, text in declined)
    problems = [result["problem"] for result in problem.get("results", ())] or [problem]
    told = [each for each in problems if "id" in each]  # all but of holds that are not released
    for each in told:
        assert len([text for _, text in declined if text.startswith(f"({each['id']},")]) == 1
    legs = [text for _, text in declined if "transfer_declined" in text]  # of a capture into accounts several
    both = len(told) + len([each for each in told if "transfer" in each])
    assert len(declined) in (both, len(told) + len(legs))
    changed = Counter(table for table, _ in before.rows - after.rows)
    assert changed == {"accounts_account": added["accounts_account"]}
    lists = {"transactions_batch": 1} if "results" in problem else {}
    events = dict.fromkeys(("events_event", "fed"), len(declined))
    assert added == Counter(table for table, _ in declined) | changed | Counter(events | lists)

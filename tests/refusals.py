"""What holds of every answer to a bad request, whatever was bad about it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.db import connection

from api.errors import STATUS
from tests.raw_requests import Answer
from transactions.errors import DECLINES

TABLES = ("accounts_user", "accounts_account", "transactions_transaction", "events_event", "events_pending")
ROWS = " UNION ALL ".join(f"SELECT '{table}', t::text FROM {table} t" for table in TABLES)
BALANCES = "SELECT id::text, balance::text, held::text, version::text, status FROM accounts_account"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
INNARDS = re.compile(
    r"Traceback|File \"|line \d+, in|\.py\b|psycopg|django|rest_framework|\bSELECT\b|\bINSERT\b"
    r"|\bUPDATE \w+ SET|\w(Error|Exception|Field|Serializer|ViewSet)\b| object at 0x|/usr/|/site-packages/",
)

Read = Callable[[str], Iterable[tuple[Any, ...]]]


class Stock(NamedTuple):
    """All that a request could change."""

    rows: frozenset[tuple[Any, ...]]
    balances: frozenset[tuple[Any, ...]]


def read_database(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def take_stock(read: Read = read_database) -> Stock:
    return Stock(frozenset(read(ROWS)), frozenset(read(BALANCES)))


def require_problem(answer: Answer) -> None:
    """A failure is a problem that says what is wrong, and nothing of how the ledger is made."""
    assert answer.status < 500, answer
    assert answer.headers["content-type"] == "application/problem+json", answer
    problem = answer.json()
    assert problem.keys() >= MEMBERS, answer
    assert STATUS[problem["code"]] == problem["status"] == answer.status, answer
    assert problem["type"] == f"urn:ledger:problem:{problem['code']}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    for error in problem.get("errors", []):
        assert set(error) == {"pointer", "code", "detail"}, answer
        assert error["code"] in STATUS
    assert not INNARDS.search(answer.text), answer


def require_books(before: Stock, after: Stock, method: str, answer: Answer) -> None:
    """A refusal, a read and a replay change nothing; a decline is one more row; what is created, is there."""
    added = Counter(table for table, _ in after.rows - before.rows)
    replayed = "idempotency-replayed" in answer.headers
    if answer.code in DECLINES and not replayed:
        assert after.balances == before.balances
        assert added == Counter(TABLES) - Counter(["accounts_user"])  # the account counts its events
        assert Counter(table for table, _ in before.rows - after.rows) == Counter(["accounts_account"])
        [row] = [text for table, text in after.rows - before.rows if table == "transactions_transaction"]
        assert "DECLINED" in row
        assert answer.json()["id"] in row
    elif answer.status == 201 and not replayed:
        created = added["transactions_transaction"], added["accounts_user"], added["accounts_account"]
        assert created in [(1, 0, 1), (0, 1, 1), (0, 0, 1)], added
    elif answer.status >= 400 or replayed or method != "PATCH":
        assert after == before, added

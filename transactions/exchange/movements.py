"""Everything that was posted, as `import_transactions` reads it: all of it, or what is new since a position.

A ledger that reads it has the same balances at every moment: each row has its id, its amount, when it took
effect, and its user's id. Transfers are two rows, and so is what was collected; what was declined moved
nothing and is left out. They stand in the order of each account, in which later rows were covered by earlier
ones.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.transaction import atomic

from accounts.currencies import format_amount
from events import feed
from events.models import Cursor
from ledger.values import format_time
from transactions.exchange.exports import ROWS_AT_ONCE, Echo
from transactions.reading import queries

COLUMNS = (
    "user",
    "external_id",
    "name",
    "currency",
    "account_name",
    "id",
    "type",
    "amount",
    "effective_at",
    "reference",
    "metadata",
)
POSTED = """
SELECT user_id::text, coalesce(external_id, ''), owner.name, currency, account.name, row.id::text, type,
    amount, effective_at, reference, row.metadata
FROM transactions_transaction AS row
JOIN accounts_account AS account ON account.id = row.account_id
JOIN accounts_user AS owner ON owner.id = account.user_id
WHERE row.status = 'POSTED'
"""
ALL = f"{POSTED} ORDER BY row.account_id, row.seq"
OF_IDS = f"{POSTED} AND row.id = ANY(%s::uuid[]) ORDER BY row.account_id, row.seq"
TYPES = ("transaction.posted",)
Movement = dict[str, Any]  # by COLUMNS; all but the metadata are texts


def read_end() -> Cursor:
    """The position of the feed after all that has one. What is read later has at least everything before it.

    Raises `FeedStopped`.
    """
    while feed.place_pending():
        pass
    return feed.read_state().end


def read_all() -> Iterator[Movement]:
    """Every posted transaction of one moment, an account after the other."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute(queries.SNAPSHOT)
        with connection.chunked_cursor() as rows:
            rows.execute(ALL)
            while some := rows.fetchmany(ROWS_AT_ONCE):
                yield from map(_describe, some)


def read_new(after: Cursor) -> Iterator[tuple[list[Movement], Cursor]]:
    """What was posted after the position, some at a time, and the position after it.

    Raises `FeedStopped`, `FeedEpochChanged`, `CursorAheadOfFeed`, `EventsPruned`.
    """
    has_more = True
    while has_more:
        page = feed.read(after, types=TYPES)
        after, has_more = page.cursor, page.has_more
        with connection.cursor() as rows:
            rows.execute(OF_IDS, [[event["data"]["id"] for event in page.events]])
            yield list(map(_describe, rows.fetchall())), after


def _describe(values: Iterable[Any]) -> Movement:
    movement = dict(zip(COLUMNS, values, strict=True))
    movement["amount"] = format_amount(movement["amount"], movement["currency"])
    movement["effective_at"] = format_time(movement["effective_at"])
    movement["metadata"] = json.loads(movement["metadata"])
    return movement


def write_csv(movements: Iterable[Movement]) -> Iterator[str]:
    """With a header. Cells are as they are: what a spreadsheet would compute is not escaped."""
    writer: Any = csv.DictWriter(Echo(), COLUMNS)  # it hands back what the file does
    yield writer.writeheader()
    for each in movements:
        metadata = _write_object(each["metadata"]) if each["metadata"] else ""
        yield writer.writerow({**each, "metadata": metadata})


def write_jsonl(movements: Iterable[Movement]) -> Iterator[str]:
    """One object a line; what is empty is left out."""
    for each in movements:
        yield _write_object({name: value for name, value in each.items() if value}) + "\n"


def _write_object(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


WRITERS = {"csv": write_csv, "jsonl": write_jsonl}

"""Where the rows of an import wait until they are in order: a file of SQLite's, so that memory stays small.

The file has no name and is gone with its process, however that ends.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Kind
from ledger.values import EPOCH, MICROSECOND, LastMoment, slice_up
from transactions.exchange.rows import Named, Place, Problem, Row, Staged
from transactions.models import TABLE

PAGE_SIZE = 500
LEAST = -(2**62)  # less than any number of a line


def _count_time(time: datetime) -> int:
    return (time - EPOCH) // MICROSECOND


def _find_time(count: int) -> datetime:
    return EPOCH + count * MICROSECOND


Conversion = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # to what SQLite keeps, and back

CONVERSIONS: dict[Kind, Conversion] = {
    Kind.ID: (str, UUID),
    Kind.TEXT: (str, str),
    Kind.AMOUNT: (str, Decimal),
    Kind.TIME: (_count_time, _find_time),
    Kind.OBJECT: (json.dumps, json.loads),
}
# The columns that a line may have beside its account and its identity.
SENT: dict[str, Conversion] = {
    column.sent_as: (str, column.choices) if column.choices else CONVERSIONS[column.kind]
    for column in TABLE.sent
}
COLUMNS = ", ".join(SENT)
TABLES = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
CREATE TABLE place (
    number INTEGER PRIMARY KEY, kind TEXT, who TEXT, currency TEXT, name TEXT, external_id TEXT, called TEXT,
    account TEXT, account_currency TEXT, missing INTEGER, UNIQUE (kind, who, currency, name, external_id)
);
CREATE TABLE waiting (
    -- `day`: when the day begins that `effective_at` is the last moment of.
    line INTEGER PRIMARY KEY, place INTEGER, id TEXT, day INTEGER, balance TEXT, {COLUMNS},
    decided INTEGER DEFAULT 0
);
"""
ADD_ROW = f"""
INSERT INTO waiting (place, line, id, day, balance, {COLUMNS})
SELECT number, ?, ?, ?, ?{", ?" * len(SENT)} FROM place
WHERE (kind, who, currency, name, external_id) = (?, ?, ?, ?, ?)
"""  # noqa: S608, of names, never of values
ROWS = f"""
SELECT line, kind, who, place.currency, name, external_id, id, account, account_currency, day, balance,
    decided, {COLUMNS}
FROM waiting JOIN place ON place.number = waiting.place
"""  # noqa: S608
ADD_PLACE = """
INSERT INTO place (kind, who, currency, name, external_id, called) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, who, currency, name, external_id) DO UPDATE SET called = excluded.called WHERE called = ''
"""
# An account's rows by their moments, of each how many it has; those of a moment as they stand in the file, or
# the other way round, or deposits first if there are more of them than are decided at once.
IN_ORDER = f"""
SELECT * FROM (
    SELECT CASE WHEN effective_at IS NULL THEN 1 ELSE count(*) OVER (PARTITION BY account, effective_at) END
        AS together, waiting.*
    FROM ({ROWS} WHERE NOT decided) AS waiting
) ORDER BY account, effective_at IS NULL, effective_at, together > ? AND type = 'WITHDRAW', line * ?
"""  # noqa: S608
OF_BALANCES = f"""
{ROWS} WHERE account IN (
    SELECT account FROM waiting JOIN place ON place.number = waiting.place WHERE balance IS NOT NULL OR ?
) ORDER BY account, effective_at IS NULL, effective_at, line * ?
"""  # noqa: S608
TWICE = """
FROM waiting JOIN (SELECT id, min(line) AS first FROM waiting GROUP BY id HAVING count(*) > 1) AS repeated
    ON repeated.id = waiting.id AND waiting.line > first
"""


class Staging(sqlite3.Connection):
    """A database to be filled with `add`, then looked through in any way but while it is being changed.

    `newest_first`: what stands earlier in the file comes later in an account.
    """

    def __init__(self, *, newest_first: bool = False) -> None:
        super().__init__("")
        self.executescript(TABLES)
        self.direction = -1 if newest_first else 1

    def add(self, row: Row) -> None:
        self.execute(ADD_PLACE, [*row.named, row.called])
        sent = [write(row.sent[name]) if name in row.sent else None for name, (write, _) in SENT.items()]
        moment = row.sent.get("effective_at")
        begins_at = moment.begins_at if isinstance(moment, LastMoment) else None
        day = _count_time(begins_at) if begins_at else None
        balance = None if row.balance is None else str(row.balance)
        self.execute(ADD_ROW, [row.line, str(row.id), day, balance, *sent, *row.named])

    def index(self) -> None:
        """Make reading by place fast. To be called once, when all rows are there."""
        self.execute("CREATE INDEX waiting_by_place ON waiting (place)")

    def count(self) -> int:
        return int(self._read_one("SELECT count(*) FROM waiting WHERE NOT decided"))

    def count_missing(self) -> int:
        return int(self._read_one("SELECT count(*) FROM place WHERE missing"))

    def take_out_repeated(self) -> Iterator[Problem]:
        """Take out the rows whose id stands in an earlier line too, and say so of each."""
        for line, first in self.execute(f"SELECT line, first {TWICE}"):
            yield Problem(line, "id", "duplicate_id", f"The row of line {first} has this id or key already.")
        self.execute(f"DELETE FROM waiting WHERE line IN (SELECT line {TWICE})")  # noqa: S608

    def read_named(self, which: str = "true") -> Iterator[list[Place]]:
        """All that is named in the file, once; in pages, between which it may change.

        `which` "missing": only what has yet to be made.
        """
        columns = "number, account_currency, called, kind, who, currency, name, external_id"
        query = f"SELECT {columns} FROM place WHERE {which}"  # noqa: S608
        for page in self._read_pages(query, "number"):
            yield [
                Place(number, currency, Named(*named), called) for number, currency, called, *named in page
            ]

    def find_name(self, named: Named) -> str:
        """What the user of these lines is called, by these lines or others; empty: nobody says it."""
        called = "SELECT coalesce(max(called), '') FROM place WHERE kind = ? AND who = ?"
        return str(self._read_one(called, named.kind, named.who))

    def set_account(self, number: int, account_id: UUID, currency: str, *, missing: bool = False) -> None:
        self.execute(
            "UPDATE place SET account = ?, account_currency = ?, missing = ? WHERE number = ?",
            [str(account_id), currency, missing, number],
        )

    def names_a_currency(self, named: Named) -> bool:
        """Whether other lines name a currency where this one names none."""
        return bool(
            self._read_one(
                "SELECT count(*) FROM place WHERE kind = ? AND who = ? AND name = ? AND currency <> ''",
                named.kind,
                named.who,
                named.name,
            )
        )

    def read_ids(self, number: int) -> Iterator[list[UUID]]:
        """The ids of the rows that go to that place."""
        ids = self.execute("SELECT id FROM waiting WHERE place = ?", [number])
        return slice_up((UUID(id) for (id,) in ids), PAGE_SIZE)

    def take_out(self, number: int) -> Iterator[int]:
        """Take out the rows that go to that place, and give their lines."""
        for (line,) in self.execute("SELECT line FROM waiting WHERE place = ? ORDER BY line", [number]):
            yield line
        self.execute("DELETE FROM waiting WHERE place = ?", [number])

    def drop(self, lines: Iterable[int]) -> None:
        """Take out the rows of these lines, which are not to be posted."""
        self.executemany("DELETE FROM waiting WHERE line = ?", [(line,) for line in lines])

    def set_decided(self, lines: Iterable[int]) -> None:
        """Mark the rows of these lines as in the ledger already."""
        self.executemany("UPDATE waiting SET decided = 1 WHERE line = ?", [(line,) for line in lines])

    def read_rows(self) -> Iterator[list[Staged]]:
        """The rows in the order of the file; in pages, between which they may change."""
        for page in self._read_pages(f"{ROWS} WHERE true", "line"):
            yield list(map(_as_staged, page))

    def read_in_order(self, size: int) -> Iterator[list[Staged]]:
        """The rows not decided yet, account after account, each account's by effect, then as in the file.

        A list has `size` rows at most, and all of a moment if they are not more: it is decided in one order.
        """
        page: list[Staged] = []
        left = 0  # of the moment that has begun
        for together, *values in self.execute(IN_ORDER, [size, self.direction]):
            if not left:
                left = together
            if page and (len(page) == size or (left == together and len(page) + together > size)):
                yield page
                page = []
            page.append(_as_staged(values))
            left -= 1
        if page:
            yield page

    def has_balances(self) -> bool:
        return bool(self._read_one("SELECT count(*) FROM waiting WHERE balance IS NOT NULL"))

    def read_with_balances(self, *, all: bool) -> Iterator[Staged]:
        """The rows of accounts whose balance the file tells somewhere, or of all, in the order of their
        effect."""
        return map(_as_staged, self.execute(OF_BALANCES, [all, self.direction]))

    def _read_pages(self, query: str, key: str) -> Iterator[list[Any]]:
        last = LEAST
        while page := self.execute(
            f"{query} AND {key} > ? ORDER BY {key} LIMIT {PAGE_SIZE}", [last]
        ).fetchall():
            yield page
            last = page[-1][0]

    def _read_one(self, query: str, *values: str) -> Any:
        return self.execute(query, values).fetchone()[0]


def _as_staged(values: Sequence[Any]) -> Staged:
    line, kind, who, currency, name, external_id, *others = values
    id, account_id, account_currency, day, balance, is_decided, *kept = others
    sent = {
        name: read(value)
        for (name, (_, read)), value in zip(SENT.items(), kept, strict=True)
        if value is not None
    }
    if day is not None:
        sent["effective_at"] = LastMoment.of(sent["effective_at"], begins_at=_find_time(day))
    row = Row(
        line=line,
        named=Named(kind, who, currency, name, external_id),
        id=UUID(id),
        sent=sent,
        balance=None if balance is None else Decimal(balance),
    )
    return Staged(row, UUID(account_id), account_currency, bool(is_decided))

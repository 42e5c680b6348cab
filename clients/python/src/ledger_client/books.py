"""A book of places in SQLite, for a consumer that has its effects there."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from ledger_client.feed import Place

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger_place (
    stream TEXT PRIMARY KEY, epoch TEXT NOT NULL, sequence INTEGER NOT NULL, is_account INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ledger_note (name TEXT PRIMARY KEY, value TEXT);
"""


class SqliteBook:
    """Two tables beside your own. The connection is in autocommit mode (`isolation_level=None`), and its
    database should be durable (`PRAGMA synchronous = FULL`): what is acknowledged must survive a power
    cut."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            yield

    def get_place(self, stream: UUID) -> Place | None:
        query = "SELECT epoch, sequence, is_account FROM ledger_place WHERE stream = ?"
        row = self.connection.execute(query, [str(stream)]).fetchone()
        return None if row is None else Place(UUID(row[0]), row[1], bool(row[2]))

    def keep_place(self, stream: UUID, place: Place) -> None:
        row = [str(stream), str(place.epoch), place.sequence, place.is_account]
        self.connection.execute("INSERT OR REPLACE INTO ledger_place VALUES (?, ?, ?, ?)", row)

    def find_accounts(self) -> list[UUID]:
        query = "SELECT stream FROM ledger_place WHERE is_account ORDER BY stream"
        return [UUID(stream) for (stream,) in self.connection.execute(query).fetchall()]

    def recall(self, name: str) -> str | None:
        query = "SELECT value FROM ledger_note WHERE name = ?"
        row = self.connection.execute(query, [name]).fetchone()
        return None if row is None else row[0]

    def remember(self, **notes: str | None) -> None:
        with self.transaction():
            self.connection.executemany("INSERT OR REPLACE INTO ledger_note VALUES (?, ?)", notes.items())

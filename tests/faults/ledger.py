"""All of a ledger in one snapshot, as plain rows."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ledger_project.database.embedded import EmbeddedPostgres

Row = dict[str, Any]

EVENTS = """
SELECT event.*, row.id AS told FROM events_event AS event
LEFT JOIN transactions_transaction AS row ON row.account_id = event.stream AND row.seq = event.about
WHERE event.type NOT LIKE 'user.%' ORDER BY event.stream, event.sequence
"""


@dataclass
class Ledger:
    accounts: list[Row]
    transactions: list[Row]  # in the order of their recording
    holds: list[Row]
    claims: list[Row]
    batches: list[Row]
    thresholds: list[Row]
    events: list[Row]  # of accounts, in the order of their sequence; `told` is the row that one is about


def connect(postgres: EmbeddedPostgres) -> psycopg.Connection[Row]:
    """To the database itself, past any proxy."""
    return psycopg.connect(
        host=str(postgres.socket_folder),
        port=5432,
        user="postgres",
        dbname="ledger",
        connect_timeout=3,
        row_factory=dict_row,
    )


def read_ledger(postgres: EmbeddedPostgres) -> Ledger:
    with connect(postgres) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return Ledger(
            connection.execute("SELECT * FROM accounts_account").fetchall(),
            connection.execute("SELECT * FROM transactions_transaction ORDER BY recorded_at, id").fetchall(),
            connection.execute("SELECT * FROM accounts_hold ORDER BY created_at, id").fetchall(),
            connection.execute("SELECT * FROM accounts_claim ORDER BY created_at, id").fetchall(),
            connection.execute("SELECT * FROM transactions_batch").fetchall(),
            connection.execute("SELECT * FROM accounts_threshold").fetchall(),
            connection.execute(EVENTS).fetchall(),
        )

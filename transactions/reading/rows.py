"""Transactions by id, each with all that its resource shows."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from accounts.models import make_row
from accounts.tables import Kind
from transactions.models import TABLE, Transaction

COLUMNS = [column.column for column in TABLE.stored if column.kind not in (Kind.OBJECT, Kind.HASH)]
OBJECTS = [column.column for column in TABLE.stored if column.kind is Kind.OBJECT]
# Each row is looked up by itself, for the reason that `reading.current` gives. A transaction is taken back
# once: there is at most one posted reversal.
BY_ID = f"""
SELECT account.user_id, account.currency,
    (SELECT reversal.id FROM transactions_transaction AS reversal
     WHERE reversal.reverses = row.id AND reversal.status = 'POSTED'),
    {", ".join(f"row.{name}" for name in (*OBJECTS, *COLUMNS))}
FROM unnest(%s::uuid[]) AS asked(id),
    LATERAL (SELECT * FROM transactions_transaction WHERE id = asked.id OFFSET 0) AS row,
    LATERAL (SELECT user_id, currency FROM accounts_account WHERE id = row.account_id OFFSET 0) AS account
"""  # noqa: S608


def get_transactions(ids: Collection[UUID]) -> dict[UUID, Transaction]:
    """The decided transactions of these ids, with `reversed_by`, and with their account's user and currency.

    What else there is of a row, and its account, Django reads when somebody asks for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(BY_ID, [list(ids)])
        rows = [_make_transaction(row) for row in cursor.fetchall()]
    return {row.id: row for row in rows}


def _make_transaction(row: Sequence[Any]) -> Transaction:
    user_id, currency, reversed_by, *values = row
    objects = [None if text is None else orjson.loads(text) for text in values[: len(OBJECTS)]]
    known = dict(zip(COLUMNS, values[len(OBJECTS) :], strict=True))
    known.update(zip(OBJECTS, objects, strict=True))
    known.update(user_id=user_id, currency=currency, reversed_by=reversed_by)
    return make_row(Transaction, known, is_stored=True)

"""Transactions by id, each with all that its resource shows."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.base import ModelState

from accounts.models import Account
from transactions.models import Transaction

COLUMNS = (
    *("id", "account_id", "type", "amount", "reference", "effective_at_asked", "status", "decline_reason"),
    *("version", "balance_after", "recorded_at", "effective_at", "late", "transfer", "reverses", "hold"),
    *("actor", "request_id"),
)
JSON_COLUMNS = ("metadata", "decline_details")
# Each row is looked up by itself, for the reason that `reading.current` gives. A transaction is taken back
# once: there is at most one posted reversal.
BY_ID = f"""
SELECT account.user_id, account.currency,
    (SELECT reversal.id FROM transactions_transaction AS reversal
     WHERE reversal.reverses = row.id AND reversal.status = 'POSTED'),
    {", ".join(f"row.{name}" for name in (*JSON_COLUMNS, *COLUMNS))}
FROM unnest(%s::uuid[]) AS asked(id),
    LATERAL (SELECT * FROM transactions_transaction WHERE id = asked.id OFFSET 0) AS row,
    LATERAL (SELECT user_id, currency FROM accounts_account WHERE id = row.account_id OFFSET 0) AS account
"""  # noqa: S608


def get_transactions(ids: Collection[UUID]) -> dict[UUID, Transaction]:
    """The decided transactions of these ids, with `reversed_by`, and with their account's user and currency.

    What else there is of a row or its account, Django reads when somebody asks for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(BY_ID, [list(ids)])
        rows = [_make_transaction(row) for row in cursor.fetchall()]
    return {row.id: row for row in rows}


def _make_transaction(row: Sequence[Any]) -> Transaction:
    """A `Transaction` that was read, without the checks and signals of `Model.__init__`, the dearest part of
    reading one."""
    user_id, currency, reversed_by, metadata, decline_details, *values = row
    transaction = Transaction.__new__(Transaction)
    known = transaction.__dict__
    known.update(zip(COLUMNS, values, strict=True))
    known["metadata"] = orjson.loads(metadata)
    known["decline_details"] = None if decline_details is None else orjson.loads(decline_details)
    known["reversed_by"] = reversed_by
    known["_state"] = _be_read()
    account = Account.__new__(Account)
    account.__dict__ = {
        "id": known["account_id"],
        "user_id": user_id,
        "currency": currency,
        "_state": _be_read(),
    }
    transaction._state.fields_cache["account"] = account
    return transaction


def _be_read() -> ModelState:
    state = ModelState()
    state.db, state.adding = DEFAULT_DB_ALIAS, False
    return state

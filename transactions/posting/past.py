"""The rule of every instant: what a backdated withdrawal would make of the past."""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import cast

from ledger.sql import fetch
from ledger.values import format_time
from transactions.models import Transaction
from transactions.posting.state import AccountState


def find_broken_instant(
    account: AccountState, effective_at: datetime, amount: Decimal, unwritten: Iterable[Transaction]
) -> tuple[datetime, Decimal] | None:
    """The first instant at which a late withdrawal would break the past, and the balance there; or None.

    The balance at the end of every instant from `effective_at` on must stay at or above minus the
    credit limit. `account.balance` and `unwritten` hold what this same posting has decided before. Linear in
    the rows that are effective after the instant.
    """
    moves = [
        {"effective_at": format_time(row.effective_at), "change": str(row.change)}
        for row in unwritten
        if row.account_id == account.id and row.change is not None and row.effective_at > effective_at
    ]
    asked = {
        "account": account.id,
        "at": effective_at,
        "balance": account.balance,
        "needed": amount - account.credit_limit,
        "unwritten": json.dumps(moves),
    }
    found = fetch(BROKEN_INSTANT, asked)
    return cast(tuple[datetime, Decimal], found[0]) if found else None


# From the present backwards: the balance at the end of an instant is today's less all that moved later.
BROKEN_INSTANT = """
WITH later AS (
    SELECT effective_at, sum(change) AS change FROM (
        SELECT effective_at, change
        FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late AND effective_at > %(at)s
        UNION ALL
        SELECT effective_at, change
        FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND late AND effective_at > %(at)s
        UNION ALL
        SELECT effective_at, change
        FROM jsonb_to_recordset(%(unwritten)s::jsonb) AS move (effective_at timestamptz, change numeric)
    ) AS moves GROUP BY effective_at
), instants AS (
    SELECT effective_at, %(balance)s::numeric - coalesce(sum(change) OVER (
        ORDER BY effective_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS balance FROM later
    UNION ALL
    SELECT %(at)s::timestamptz, %(balance)s::numeric - coalesce(sum(change), 0) FROM later
)
SELECT effective_at, balance FROM instants WHERE balance < %(needed)s::numeric
ORDER BY effective_at LIMIT 1
"""

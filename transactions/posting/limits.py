"""How much may leave an account: by its hold, by its own limits, and by what there is."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from accounts.currencies import format_amount
from accounts.errors import INSUFFICIENT_FUNDS, LIMIT_EXCEEDED
from accounts.models import Hold
from ledger.sql import fetch
from ledger.values import format_time
from transactions import errors
from transactions.models import Transaction
from transactions.posting.state import AccountState, State

if TYPE_CHECKING:
    from transactions.posting.legs import Leg

Decline = tuple[str, dict[str, Any]]  # why the ledger answers no, for ever, and the extensions of the rule


def find_limit(leg: "Leg", account: AccountState, day: date, hold: Hold | None) -> Decline | None:
    """What the hold and the account's own limits say; a reversal is no withdrawal of the user's."""

    def exceed(rule: str, limit: Decimal, **extensions: Decimal) -> Decline:
        extensions |= {"limit": limit, "required": leg.amount}
        amounts = {name: format_amount(value, account.currency) for name, value in extensions.items()}
        return LIMIT_EXCEEDED, {"rule": rule, **amounts}

    if hold and leg.amount > hold.remaining:
        return exceed("hold", hold.remaining)
    if leg.reverses:
        return None
    if account.withdraw_max is not None and leg.amount > account.withdraw_max:
        return exceed("withdraw_max", account.withdraw_max)
    if account.withdraw_day_max is not None:
        withdrawn = find_withdrawn(account, day)
        if withdrawn + leg.amount > account.withdraw_day_max:
            return exceed("withdraw_day_max", account.withdraw_day_max, withdrawn=withdrawn)
    return None


def find_withdrawn(account: AccountState, day: date) -> Decimal:
    """What was withdrawn from the account before, on that UTC day."""
    return account.withdrawn if account.withdrawn_on == day else Decimal(0)


def find_lack_of_funds(
    leg: "Leg", account: AccountState, state: State, late_at: datetime | None, hold: Hold | None
) -> Decline | None:
    """Whether the money is there: now, and at the end of every instant from a backdated one on."""

    def extensions(available: Decimal) -> dict[str, str]:
        return {
            "available": format_amount(available, account.currency),
            "required": format_amount(leg.amount, account.currency),
        }

    available = account.available + (leg.amount if hold else 0)  # a capture spends what is held for it
    if leg.amount > available:
        return INSUFFICIENT_FUNDS, extensions(available)
    if late_at is not None:
        broken = state.find_broken(account, late_at, leg.amount, state.rows)
        if broken:
            instant, balance = broken
            return errors.INSUFFICIENT_FUNDS_AT, {
                "instant": format_time(instant),
                **extensions(balance + account.credit_limit),
            }
    return None


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

"""Current balances: one row of an account each, never a sum of transactions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from accounts.currencies import format_amount
from ledger.times import format_time

OfUser = tuple[UUID, str]  # a user's id and the name of an account


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentBalance:
    """What an account holds at `at`, the database's clock when it was read; amounts in its currency."""

    account_id: UUID
    user_id: UUID
    currency: str
    balance: Decimal
    held: Decimal
    available: Decimal
    version: int
    at: datetime

    def to_dict(self) -> dict[str, Any]:
        """The balance as the API shows it."""
        currency = self.currency
        at = format_time(self.at)
        return {
            "user": str(self.user_id),
            "account": str(self.account_id),
            "currency": currency,
            "balance": format_amount(self.balance, currency),
            "held": format_amount(self.held, currency),
            "available": format_amount(self.available, currency),
            "version": self.version,
            "at": at,
            "known_at": at,
        }

    def to_json(self) -> bytes:
        return orjson.dumps(self.to_dict())


def read_current_balances(account_ids: Collection[UUID]) -> dict[UUID, CurrentBalance]:
    """What these accounts hold now, by id; there is none for an id that is no account's."""
    return {balance.account_id: balance for balance in _read(BY_ID, [list(account_ids)])}


def read_balances_of_users(wanted: Sequence[OfUser]) -> dict[OfUser, dict[str, CurrentBalance]]:
    """What the accounts of these users and names hold now, by currency; an empty dict without any."""
    found: dict[OfUser, dict[str, CurrentBalance]] = {each: {} for each in wanted}
    with connection.cursor() as cursor:
        cursor.execute(BY_USER, [[user_id for user_id, _ in wanted], [name for _, name in wanted]])
        for name, *row in cursor.fetchall():
            balance = _make_balance(row)
            found[balance.user_id, name][balance.currency] = balance
    return found


def _read(statement: str, parameters: list[Any]) -> list[CurrentBalance]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [_make_balance(row) for row in cursor.fetchall()]


def _make_balance(row: Sequence[Any]) -> CurrentBalance:
    account_id, user_id, currency, balance, held, credit_limit, version, at = row
    return CurrentBalance(
        account_id=account_id,
        user_id=user_id,
        currency=currency,
        balance=balance,
        held=held,
        available=balance - held + credit_limit,
        version=version,
        at=at,
    )


# A hold that is due counts no more, whether or not its end is written yet: `Account.held_now`.
HELD_NOW = """account.held - CASE WHEN account.held = 0 THEN 0 ELSE (
        SELECT coalesce(sum(hold.amount - hold.captured), 0) FROM accounts_hold AS hold
        WHERE hold.account_id = account.id AND hold.status = 'OPEN' AND hold.expires_at <= clock_timestamp()
    ) END"""
COLUMNS = f"""
    account.id, account.user_id, account.currency, account.balance, {HELD_NOW},
    account.credit_limit, account.version, clock_timestamp()
"""
# Each account is looked up by itself: OFFSET keeps the planner from joining, for which it would want to know
# how large the table is. So the plan is the look-up by index, even if prepared while the table was empty.
BY_ID = f"""
SELECT account.* FROM unnest(%s::uuid[]) AS asked(id), LATERAL (
    SELECT {COLUMNS} FROM accounts_account AS account WHERE account.id = asked.id OFFSET 0
) AS account
"""  # noqa: S608
BY_USER = f"""
SELECT asked.name, account.* FROM unnest(%s::uuid[], %s::text[]) AS asked(user_id, name), LATERAL (
    SELECT {COLUMNS} FROM accounts_account AS account
    WHERE account.user_id = asked.user_id AND account.name = asked.name OFFSET 0
) AS account
"""  # noqa: S608

"""Whether the currencies of the accounts are still known, with decimals that hold what is on them.

All of it goes by the index `account_by_currency`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from accounts.currencies import find_decimals
from ledger.sql import fetch

ACCOUNTS_AT_ONCE = 50_000
# From one currency to the next: as many look-ups as there are currencies.
CURRENCIES = """
WITH RECURSIVE used (currency) AS (
    (SELECT currency FROM accounts_account ORDER BY currency LIMIT 1)
    UNION ALL
    SELECT (
        SELECT currency FROM accounts_account AS next WHERE next.currency > used.currency
        ORDER BY currency LIMIT 1
    ) FROM used WHERE used.currency IS NOT NULL
)
SELECT currency FROM used WHERE currency IS NOT NULL
"""
# Of the next accounts in a currency: the last one, how many there are, and the most decimals of an amount.
DECIMALS = """
WITH page AS MATERIALIZED (
    SELECT created_at, id, greatest(
        min_scale(balance), min_scale(held), min_scale(credit_limit), min_scale(credit_limit_max),
        min_scale(withdraw_max), min_scale(withdraw_day_max), min_scale(withdrawn)
    ) AS decimals
    FROM accounts_account WHERE currency = %s AND (created_at, id) > (%s, %s)
    ORDER BY created_at, id LIMIT %s
)
SELECT created_at, id, (SELECT count(*) FROM page), (SELECT max(decimals) FROM page)
FROM page ORDER BY created_at DESC, id DESC LIMIT 1
"""
BEFORE_ALL = datetime.min.replace(tzinfo=UTC), UUID(int=0)


def has_accounts() -> bool:
    """Whether the table of accounts is there: before the first `migrate` it is not."""
    return bool(fetch("SELECT to_regclass('public.accounts_account') IS NOT NULL")[0][0])


def find_used() -> list[str]:
    """The currencies that accounts have."""
    return [currency for [currency] in fetch(CURRENCIES)]


def find_too_fine(currencies: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Those of the known currencies in which an account has a balance, a held sum or a limit with more
    decimals than the currency has: the currency, the decimals of such an amount, and the currency's own.

    Reads every account in them, some at a time, so that no statement takes long.
    """
    for currency in currencies:
        decimals = find_decimals(currency)
        if decimals is not None and (most := _find_finer(currency, decimals)):
            yield currency, most, decimals


def _find_finer(currency: str, decimals: int) -> int | None:
    last = BEFORE_ALL
    while page := fetch(DECIMALS, [currency, *last, ACCOUNTS_AT_ONCE]):
        [(created_at, id, count, most)] = page
        last = created_at, id
        if most > decimals:
            return int(most)
        if count < ACCOUNTS_AT_ONCE:
            break
    return None

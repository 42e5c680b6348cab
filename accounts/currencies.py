"""Which currencies there are, and their decimals: ISO 4217 behind an allow-list, and units of our own."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache

import moneyed
from django.conf import settings

from accounts.errors import CurrencyUnknown

AMOUNT_MAX = Decimal(10) ** 12


@cache
def get_decimals(currency: str) -> int:
    """How many decimals amounts of this currency have. Raises `CurrencyUnknown`."""
    if currency in settings.CUSTOM_CURRENCIES:
        return int(settings.CUSTOM_CURRENCIES[currency])
    if currency in settings.CURRENCIES:
        return len(str(moneyed.get_currency(currency).sub_unit)) - 1  # 1, 10, 100 or 1000
    raise CurrencyUnknown(f"{currency} is not a currency of this ledger.")


@cache
def find_format(currency: str) -> Callable[[Decimal], str]:
    """How amounts of this currency are written. Raises `CurrencyUnknown`."""
    return f"{{:.{get_decimals(currency)}f}}".format


def format_amount(amount: Decimal, currency: str) -> str:
    """`"100.00"`: every amount leaves the ledger in the precision of its currency."""
    return find_format(currency)(amount)

"""Which currencies there are, and their decimals: ISO 4217 behind an allow-list, and units of our own."""

from decimal import Decimal
from functools import cache

import moneyed
from django.conf import settings

from accounts.errors import AmountInvalid, AmountNotPositive, AmountScale, AmountTooLarge, CurrencyUnknown

AMOUNT_MAX = Decimal(10) ** 12


@cache
def get_decimals(currency: str) -> int:
    """How many decimals amounts of this currency have. Raises `CurrencyUnknown`."""
    if currency in settings.CUSTOM_CURRENCIES:
        return int(settings.CUSTOM_CURRENCIES[currency])
    if currency in settings.CURRENCIES:
        return len(str(moneyed.get_currency(currency).sub_unit)) - 1  # 1, 10, 100 or 1000
    raise CurrencyUnknown(f"{currency} is not a currency of this ledger.")


def require_amount(amount: Decimal | None) -> None:
    """Refuse what is no finite number above zero and at most `AMOUNT_MAX`, whatever its currency.

    Raises `AmountInvalid`, `AmountNotPositive`, `AmountTooLarge`.
    """
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise AmountInvalid("An amount is a finite decimal number.")
    if amount <= 0:
        raise AmountNotPositive("An amount is more than zero.")
    if amount > AMOUNT_MAX:
        raise AmountTooLarge(f"An amount is at most {AMOUNT_MAX}.", limit=str(AMOUNT_MAX))


def require_scale(amount: Decimal, currency: str) -> None:
    """Refuse an amount with more decimals than its currency has. Raises `AmountScale`, `CurrencyUnknown`."""
    if amount != round(amount, get_decimals(currency)):
        raise AmountScale(f"The amount has more decimals than {currency} has.")


def format_amount(amount: Decimal, currency: str) -> str:
    """`"100.00"`: every amount leaves the ledger in the precision of its currency."""
    return f"{amount:.{get_decimals(currency)}f}"

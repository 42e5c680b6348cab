"""Which currencies there are, how many decimals each has, and which of them new accounts may have.

Known are the currencies of ISO 4217 and the units that CUSTOM_CURRENCIES declares. Open for new accounts are
those units and what is in CURRENCIES; a known one that is not open goes on in the accounts that have it.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import moneyed
from django.conf import settings

from accounts.errors import CurrencyClosed, CurrencyUnknown

AMOUNT_MAX = Decimal(10) ** 12
DECIMALS_MAX = 8  # that the database keeps of an amount
CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")
# To these ISO 4217 gives no number of decimals: metals, units of account, tests. Who wants one declares it.
WITHOUT_DECIMALS = frozenset(
    ("XAG", "XAU", "XPD", "XPT", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA", "XTS", "XXX")
)


def find_iso_decimals(currency: str) -> int | None:
    """The decimals that ISO 4217 gives the currency, or None."""
    found = None if currency in WITHOUT_DECIMALS else moneyed.CURRENCIES.get(currency)
    return None if found is None else len(str(found.sub_unit)) - 1  # 1, 10, 100 or 1000


def find_decimals(currency: str) -> int | None:
    """The decimals of a known currency. None: nobody knows them, and with them no amount can be taken.

    A declaration that `ledger_project.checks` refuses declares nothing: no other number is put in its place.
    """
    iso = find_iso_decimals(currency)
    declared: int | None = settings.CUSTOM_CURRENCIES.get(currency)
    if declared is None:
        return iso
    return declared if 0 <= declared <= DECIMALS_MAX and iso in (None, declared) else None


@cache
def get_decimals(currency: str) -> int:
    """How many decimals amounts of this currency have. Raises `CurrencyUnknown`."""
    decimals = find_decimals(currency)
    if decimals is None:
        known = ", ".join([*settings.CURRENCIES, *settings.CUSTOM_CURRENCIES])
        raise CurrencyUnknown(f"{currency} is not a currency of this ledger. There are: {known}.")
    return decimals


def require_open(currency: str) -> None:
    """Raises `CurrencyUnknown`, or `CurrencyClosed` for a known one that new accounts cannot have."""
    get_decimals(currency)
    if currency not in settings.CURRENCIES and currency not in settings.CUSTOM_CURRENCIES:
        raise CurrencyClosed(f"{currency} is closed: no new account can have it.")


@cache
def find_format(currency: str) -> Callable[[Decimal], str]:
    """How amounts of this currency are written: of one that nobody knows any more, exactly."""
    decimals = find_decimals(currency)
    return write_exactly if decimals is None else f"{{:.{decimals}f}}".format


def write_exactly(amount: Decimal) -> str:
    """With as many decimals as it has: `"0.5"`, `"1000"`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_amount(amount: Decimal, currency: str) -> str:
    """`"100.00"`: every amount leaves the ledger in the precision of its currency."""
    return find_format(currency)(amount)

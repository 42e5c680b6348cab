"""Another choice of currencies for a test, and what a process keeps of the one before."""

import pytest

from accounts import currencies
from accounts.models import HOLD_TABLE
from transactions.models import TABLE

USUAL = ["USD", "EUR", "GBP", "JPY", "BHD", "RUB"]


@pytest.fixture
def offer(settings):
    """As if the ledger had been started with these settings."""

    def offer(listed=USUAL, **units):
        settings.CURRENCIES, settings.CUSTOM_CURRENCIES = list(listed), units
        forget()

    yield offer
    forget()


def forget():
    writers = (TABLE._find_writers, HOLD_TABLE._find_writers)
    for kept in (currencies.get_decimals, currencies.find_format, *writers):
        kept.cache_clear()

"""An account of which somebody is told, and what they were told."""

from accounts.models import Threshold
from tests.asking import set_threshold
from tests.cast import AccountFactory
from tests.transactions.told import read_events

FELL, ROSE = "balance.fell_below", "balance.rose_above"


def make_watched(funds="100", amount="50"):
    """Somebody is told at the amount, of its balance and of what is available."""
    account = AccountFactory(funds=funds)
    for of in Threshold.Of:
        set_threshold(account, amount, of)
    return account


def list_crossings(account):
    """Of each its type, and what was compared with which amount."""
    events = read_events(stream=account.id, type__startswith="balance.")
    return [(event.type, event.data["of"], event.data["amount"]) for event in events]


def both(type, amount="50.00"):
    """That both were crossed by one command."""
    return [(type, "available", amount), (type, "balance", amount)]

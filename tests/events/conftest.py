import time

import pytest

from events import subscriptions
from events.delivery import webhooks
from events.models import Subscription
from events.relay import Relay
from tests.cast import CALLER, deposit
from tests.names import resolving
from tests.receivers import receiver


@pytest.fixture(autouse=True)
def _database(db):
    """Every test of events works on the database."""


@pytest.fixture
def loopback(settings):
    """Webhooks may call this machine."""
    settings.WEBHOOK_LOOPBACK = True


@pytest.fixture
def hook(loopback):
    """A receiver on this machine that takes everything."""
    with receiver() as made:
        yield made


@pytest.fixture
def subscription(hook):
    """The hook's, of all that comes after it: ask for it last."""
    return subscribe(hook.url)


@pytest.fixture
def names():
    """What names resolve to: each to its addresses, of which the first is answered first."""
    with resolving() as names:
        yield names


def deposit_times(account, times):
    """So many deposits of 1.00, one after the other."""
    for _ in range(times):
        deposit(account, "1")


def take_seconds(seconds):
    """What a receiver does that takes what it is sent, but is slow."""

    def behave(handler):
        time.sleep(seconds)
        handler.answer(204)

    return behave


def subscribe(url=None, kind="webhook", **asked):
    subscription, _ = subscriptions.create(kind=kind, url=url, caller=CALLER, **asked)
    return subscription


def relay_once():
    Relay().run(once=True)


def get_secret(subscription):
    return webhooks.make_secret(subscription.id, subscription.secret_generation)


def fetch(subscription):
    return Subscription.objects.with_lag().get(id=subscription.id)

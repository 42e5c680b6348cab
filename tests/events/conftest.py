import socket
import time

import pytest

from events import subscriptions
from events.delivery import webhooks
from events.models import Subscription
from events.relay import Relay
from tests.cast import deposit, new_id
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
def names(monkeypatch):
    """What names resolve to: a dictionary of names and lists of addresses; every look-up is noted."""
    table, real = {}, socket.getaddrinfo

    def resolve(host, port, *args, **kw):
        table.setdefault("looked up", []).append(host)
        if host not in table:
            return real(host, port, *args, **kw)
        address = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr("events.delivery.url_guard.socket.getaddrinfo", resolve)
    return table


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


def subscribe(url=None, kind="webhook", types=()):
    subscription, _ = subscriptions.create(kind=kind, url=url, types=types, actor=new_id())
    return subscription


def relay_once():
    Relay().run(once=True)


def get_secret(subscription):
    return webhooks.make_secret(subscription.id, subscription.secret_generation)


def fetch(subscription):
    return Subscription.objects.get(id=subscription.id)

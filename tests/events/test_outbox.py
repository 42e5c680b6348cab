"""Every change has its event, in the same transaction, with a place in the account's own sequence."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db.transaction import atomic

from accounts import operations
from events import resources
from events.models import Event, PendingEvent
from ledger.callers import Caller
from tests.cast import CALLER, AccountFactory, OrderFactory, deposit, withdraw
from tests.transactions.told import read_events
from transactions import posting
from transactions.models import Transaction


def test_a_user_and_its_account_are_told(petya, account):
    created, opened = sorted(read_events(), key=lambda event: event.recorded_at)
    assert (created.type, created.stream, created.sequence) == ("user.created", petya.id, 1)
    assert (created.account_id, created.actor_kind, created.request_id) == (None, "service", "test")
    assert created.data["id"] == str(petya.id)
    assert (opened.type, opened.account_id, opened.sequence) == ("account.opened", account.id, 1)
    assert opened.data == petya.accounts.with_held_due().get().to_dict()


def test_every_posting_and_every_decline_is_told_as_the_api_shows_it(account):
    rows = [deposit(account, "10"), withdraw(account, "50"), deposit(account, "1")]
    events = list(Event.objects.filter(stream=account.id).order_by("sequence"))
    assert [event.type for event in events] == [
        "account.opened",
        "transaction.posted",
        "transaction.declined",
        "transaction.posted",
    ]
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    told = resources.find(events)
    assert [told[event.pk].data for event in events[1:]] == [row.to_dict() for row in rows]
    assert [(event.about, event.data) for event in events[1:]] == [(row.seq, None) for row in rows]
    assert [event.recorded_at for event in events[1:]] == [row.recorded_at for row in rows]
    account.refresh_from_db()
    assert account.event_sequence == 4


def test_a_list_is_told_in_its_order(account):
    other = AccountFactory()
    orders = [OrderFactory(account=account if number % 2 else other) for number in range(20)]
    posting.post(orders, caller=Caller(account.user_id))
    for one in (account, other):
        events = list(Event.objects.filter(stream=one.id, about__isnull=False).order_by("sequence"))
        told = resources.find(events)
        wanted = [str(order.id) for order in orders if order.account_id == one.id]
        assert [told[event.pk].data["id"] for event in events] == wanted
        times = [event.recorded_at for event in events]
        assert times == sorted(set(times))


def test_what_is_rolled_back_was_never_told(account):
    before = Event.objects.count()
    with pytest.raises(RuntimeError), atomic():
        deposit(account, "10")
        operations.create_user(id=None, name="x", external_id="x", caller=CALLER)
        raise RuntimeError
    assert Event.objects.count() == PendingEvent.objects.count() == before


def test_a_replay_is_told_once(account):
    order = OrderFactory(account=account)
    for _ in range(3):
        posting.post([order], caller=Caller(account.user_id))
    assert Event.objects.filter(type="transaction.posted").count() == 1


def test_every_type_that_the_packages_tell_of_is_a_known_one():
    root = Path(settings.BASE_DIR)
    sources = " ".join(
        file.read_text() for app in ("accounts", "transactions") for file in (root / app).rglob("*.py")
    )
    told = set(re.findall(r"\"((?:user|account|hold|claim|threshold|balance)\.[a-z_]+)\"", sources))
    statuses = {f"transaction.{status.lower()}" for status in Transaction.Status.values}
    assert told | statuses == set(Event.Type.values)

"""Every change has its event, in the same transaction, with a place in the account's own sequence."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db.transaction import atomic

from accounts import operations
from events.models import Event, PendingEvent
from tests.cast import AccountFactory, OrderFactory, deposit, withdraw
from transactions import posting
from transactions.models import Transaction


def test_a_user_and_its_account_are_told(petya, account):
    opened, created = Event.objects.order_by("id")
    assert (created.type, created.account_id, created.account_sequence) == ("user.created", None, None)
    assert created.data["id"] == str(petya.id)
    assert (opened.type, opened.account_id, opened.account_sequence) == ("account.opened", account.id, 1)
    assert opened.data == petya.accounts.with_held_due().get().to_dict()


def test_every_posting_and_every_decline_is_told_as_the_api_shows_it(account):
    rows = [deposit(account, "10"), withdraw(account, "50"), deposit(account, "1")]
    events = Event.objects.filter(account_id=account.id).order_by("account_sequence")
    assert [event.type for event in events] == [
        "account.opened",
        "transaction.posted",
        "transaction.declined",
        "transaction.posted",
    ]
    assert [event.account_sequence for event in events] == [1, 2, 3, 4]
    assert [event.data for event in events[1:]] == [row.to_dict() for row in rows]
    assert [event.recorded_at for event in events[1:]] == [row.recorded_at for row in rows]
    account.refresh_from_db()
    assert account.event_sequence == 4


def test_a_list_is_told_in_its_order(account):
    other = AccountFactory()
    orders = [OrderFactory(account=account if number % 2 else other) for number in range(20)]
    posting.post(orders, actor=account.user_id)
    for one in (account, other):
        ids = list(
            Event.objects.filter(account_id=one.id).order_by("account_sequence").values_list("id", flat=True)
        )
        assert ids == sorted(ids)


def test_what_is_rolled_back_was_never_told(account):
    before = Event.objects.count()
    with pytest.raises(RuntimeError), atomic():
        deposit(account, "10")
        operations.create_user(id=None, name="x", external_id="x", request_id="test")
        raise RuntimeError
    assert Event.objects.count() == PendingEvent.objects.count() == before


def test_a_replay_is_told_once(account):
    order = OrderFactory(account=account)
    for _ in range(3):
        posting.post([order], actor=account.user_id)
    assert Event.objects.filter(type="transaction.posted").count() == 1


def test_every_type_that_the_packages_tell_of_is_a_known_one():
    root = Path(settings.BASE_DIR)
    sources = " ".join(
        file.read_text() for app in ("accounts", "transactions") for file in (root / app).rglob("*.py")
    )
    told = set(re.findall(r"\"((?:user|account|hold)\.[a-z_]+)\"", sources))
    statuses = {f"transaction.{status.lower()}" for status in Transaction.Status.values}
    assert told | statuses == set(Event.Type.values)

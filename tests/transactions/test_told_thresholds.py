"""Crossings that a fault of the ledger itself has told wrongly: sealed, and yet found by the audit."""

import json
from datetime import timedelta

import pytest

from accounts.models import Account, Threshold
from events import outbox
from tests.cast import CALLER, withdraw
from tests.transactions.crossings import FELL, ROSE, make_watched
from tests.transactions.test_audit import prove
from tests.transactions.told import read_events

pytestmark = pytest.mark.django_db
COUNTED = "UPDATE accounts_account SET event_sequence = %s, last_recorded_at = %s WHERE id = %s"


@pytest.fixture
def account(db):
    account = make_watched()
    withdraw(account, "60")
    return Account.objects.get(id=account.id)


def tell(account, type, data):
    """The next event of the account, by the ledger's own hand."""
    sequence, at = account.event_sequence + 1, account.last_recorded_at + timedelta(microseconds=1)
    told = outbox.Told(data, None, "", account.user_id, ())
    made = outbox.tell(
        stream=account.id, sequence=sequence, type=type, recorded_at=at, told=told, caller=CALLER
    )
    outbox.record(*made, COUNTED, [sequence, at, account.id])
    return f"{account.id}.{sequence}"


def find():
    return {finding.row for finding in prove().findings}


def test_a_crossing_that_was_told_twice_is_found(account):
    assert find() == set()
    event = read_events(stream=account.id, type=FELL)[0]
    assert tell(account, FELL, event.data) in find()


def test_a_crossing_that_did_not_happen_is_found(account):
    event = read_events(stream=account.id, type=FELL)[0]
    assert tell(account, ROSE, event.data | {"below": False}) in find()


@pytest.mark.parametrize("type", ["threshold.set", "threshold.removed"])
def test_a_threshold_that_is_not_as_it_was_told_last_is_found(account, type):
    threshold = Threshold.objects.select_related("account").first()
    told = json.loads(json.dumps(threshold.to_dict() | {"below": False}))
    named = tell(account, type, told)
    assert find() & {named, str(threshold.id)}

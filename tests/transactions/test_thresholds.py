"""Thresholds: each crossing of an amount is told by one event, whatever has caused it, and nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.transaction import atomic
from prometheus_client import REGISTRY

from accounts.models import Account, Threshold
from ledger.callers import Caller
from tests import asking
from tests.asking import capture_of, set_threshold
from tests.cast import (
    AccountFactory,
    OrderFactory,
    day,
    deposit,
    hold,
    hold_that_expires,
    new_id,
    transfer,
    withdraw,
)
from tests.transactions.conftest import require_clean
from tests.transactions.crossings import FELL, ROSE, both, list_crossings, make_watched
from tests.transactions.told import read_events
from transactions import posting
from transactions.models import Transaction
from transactions.posting import NewBatch, PostingRequest, engine
from transactions.posting.commands import (
    RemoveThreshold,
    Reversal,
    SetThreshold,
)

pytestmark = pytest.mark.django_db

WITHDRAW = Transaction.Type.WITHDRAW


@pytest.fixture
def account(db):
    return make_watched()


def list_sequences(account):
    return [event.sequence for event in read_events(stream=account.id, type__startswith="balance.")]


def move(account, amount):
    """The command of a deposit, or of a withdrawal if it is negative."""
    amount = Decimal(amount)
    type = WITHDRAW if amount < 0 else Transaction.Type.DEPOSIT
    return OrderFactory(account=account, type=type, amount=abs(amount))


def post_together(*commands, **how):
    """Each as a request of its own, in one commit."""
    requests = [
        PostingRequest(commands=[command], caller=Caller(new_id(), request_id=str(number)), **how)
        for number, command in enumerate(commands)
    ]
    return engine.post_group(requests)


def test_at_the_amount_itself_an_account_is_not_below(account):
    withdraw(account, "50")
    assert list_crossings(account) == []
    withdraw(account, "0.01")
    deposit(account, "0.01")
    assert list_crossings(account) == both(FELL) + both(ROSE)


def test_a_crossing_tells_what_the_account_has_and_who_did_it(account):
    hold(account, "20")
    row = withdraw(account, "40.5")
    crossing = read_events(stream=account.id, type=FELL)[0]
    threshold = Threshold.objects.get(account=account, of="available")
    assert crossing.data == {
        "threshold": str(threshold.id),
        "account": str(account.id),
        "of": "available",
        "amount": "50.00",
        "below": True,
        "balance": "59.50",
        "held": "20.00",
        "available": "39.50",
    }
    assert crossing.before == {"below": False}
    assert crossing.request_id == row.request_id
    assert (crossing.recorded_at, crossing.sequence) == (threshold.since, threshold.event_sequence)
    assert crossing.recorded_at == row.recorded_at
    assert threshold.created_at < threshold.since


def test_every_cause_of_a_change_is_heard_of(account):
    placed = hold(account, "60")
    assert list_crossings(account) == [(FELL, "available", "50.00")]
    asking.ask(capture_of(placed, Decimal(55), final=False))
    assert list_crossings(account)[1:] == [(FELL, "balance", "50.00")]
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(10)}, request_id="")
    assert list_crossings(account)[2:] == [(ROSE, "available", "50.00")]
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(5)}, request_id="")
    asking.release_hold(id=placed.id)
    assert list_crossings(account)[3:] == [(FELL, "available", "50.00"), (ROSE, "available", "50.00")]
    paid = deposit(account, "5")
    assert list_crossings(account)[5:] == [(ROSE, "balance", "50.00")]
    asking.ask(Reversal(id=new_id(), rows=[paid], reason="a mistake"))
    assert list_crossings(account)[6:] == [(FELL, "balance", "50.00")]


def test_the_end_of_a_hold_is_heard_of_when_it_is_written(account):
    hold_that_expires(account, "60")
    assert list_crossings(account) == [(FELL, "available", "50.00")]
    assert posting.expire_some() == 1
    assert list_crossings(account)[1:] == [(ROSE, "available", "50.00")]
    events = read_events(stream=account.id)[-2:]
    assert [event.type for event in events] == ["hold.expired", ROSE]
    assert [event.actor_kind for event in events] == ["ledger"] * 2
    assert events[0].actor == events[1].actor


def test_the_end_of_a_hold_is_one_thing_and_what_comes_after_it_another(account):
    """A withdrawal that ends a due hold first: up and down again."""
    hold_that_expires(account, "60")
    withdraw(account, "60")
    assert list_crossings(account)[1:] == [(ROSE, "available", "50.00"), *both(FELL)]


def test_late_money_crosses_what_the_balance_is_now(account):
    withdraw(account, "60", effective_at=day("2023-01-01"))  # declined: nothing was there then
    assert list_crossings(account) == []
    withdraw(account, "60")
    deposit(account, "10", effective_at=day("2023-01-01"))
    assert list_crossings(account) == both(FELL) + both(ROSE)


def test_a_transfer_is_heard_of_on_both_accounts(account):
    other = AccountFactory()
    set_threshold(other, "1", "balance")
    transfer(account, other, "70")
    assert list_crossings(account) == both(FELL)
    assert list_crossings(other) == [(ROSE, "balance", "1.00")]


def test_who_passes_several_hears_of_each_in_its_order(db):
    account = AccountFactory(funds="100")
    for amount in ("30", "90", "10", "50"):
        set_threshold(account, amount, "balance")
    withdraw(account, "80")
    deposit(account, "70")
    assert [(type, amount) for type, _, amount in list_crossings(account)] == [
        (FELL, "90.00"), (FELL, "50.00"), (FELL, "30.00"), (ROSE, "30.00"), (ROSE, "50.00"), (ROSE, "90.00"),
    ]  # fmt: skip


def test_what_stays_on_its_side_or_is_declined_tells_nothing(account):
    withdraw(account, "49")
    withdraw(account, "99")
    deposit(account, "1")
    hold(account, "1")
    asking.freeze(id=account.id, reason="why", request_id="")
    assert list_crossings(account) == []


@pytest.mark.django_db(transaction=True)
def test_a_list_with_an_id_that_dips_in_itself_tells_nothing(account):
    commands = [move(account, "-60"), move(account, "70")]
    batch = NewBatch(id=new_id(), asked=["dip"], atomic=True)
    asking.post(commands, caller=Caller(new_id()), all_or_nothing=True, batch=batch)
    assert list_crossings(account) == []
    commands = [move(account, "-70"), move(account, "-10")]
    batch = NewBatch(id=new_id(), asked=["fall"], atomic=False)
    asking.post(commands, caller=Caller(new_id()), each=True, batch=batch)
    assert list_crossings(account) == both(FELL)
    events = read_events(stream=account.id)[-4:]
    assert [event.type for event in events[:2]] == ["transaction.posted"] * 2
    assert events[2].sequence == events[1].sequence + 1


@pytest.mark.django_db(transaction=True)
def test_what_others_post_in_the_same_commit_makes_no_difference(account):
    stranger = AccountFactory(funds="5")
    changes = ["-60", "70", "-61", "-1"]
    alone = make_watched()
    post_together(*[each for change in changes for each in (move(account, change), move(stranger, "1"))])
    for change in changes:
        asking.ask(move(alone, change))
    assert list_crossings(account) == list_crossings(alone) == both(FELL) + both(ROSE) + both(FELL)
    assert list_sequences(account) == list_sequences(alone)
    require_clean()


def test_a_command_that_is_refused_or_answered_again_tells_nothing(account):
    command = move(account, "-60")
    asking.ask(command)
    deposit(account, "60")
    asking.ask(command)
    assert list_crossings(account) == both(FELL) + both(ROSE)


@pytest.mark.django_db(transaction=True)
def test_crossings_are_counted_when_they_are_committed(account):
    def count():
        return [
            REGISTRY.get_sample_value("ledger_crossings_total", {"type": each}) or 0 for each in (FELL, ROSE)
        ]

    before = count()
    withdraw(account, "60")
    with atomic():
        deposit(account, "60")
        assert count() == [before[0] + 2, before[1]]
    assert count() == [before[0] + 2, before[1] + 2]


def test_in_a_callers_transaction_that_is_rolled_back_nothing_was_told(account):
    with pytest.raises(ZeroDivisionError), atomic():
        withdraw(account, "60")
        assert list_crossings(account) == both(FELL)
        raise ZeroDivisionError
    assert list_crossings(account) == []


@pytest.mark.django_db(transaction=True)
def test_one_may_be_set_crossed_removed_and_set_again_in_one_commit(account):
    old = Threshold.objects.get(account=account, of="balance")
    again, other = [
        SetThreshold(account_id=account.id, amount=Decimal(amount), of=Threshold.Of.BALANCE)
        for amount in (50, 30)
    ]
    outcomes = post_together(
        RemoveThreshold(account_id=account.id, threshold_id=old.id),
        again,
        other,
        move(account, "-80"),
        RemoveThreshold(account_id=account.id, threshold_id=other.threshold_id),
        move(account, "80"),
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert [amount for _, of, amount in list_crossings(account) if of == "balance"] == [
        "50.00",
        "30.00",
        "50.00",
    ]
    assert set(Threshold.objects.values_list("id", flat=True)) == {
        again.threshold_id,
        Threshold.objects.get(of="available").id,
    }
    require_clean()


def test_no_row_of_an_account_without_thresholds_is_written_otherwise(account):
    """Nor is anything asked: `nearest` says that there are none."""
    other = AccountFactory(funds="100")
    hold(other, "60", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert Account.objects.get(id=other.id).nearest is None
    withdraw(account, "60")
    assert Account.objects.get(id=account.id).nearest == [None, Decimal(50), None, Decimal(50)]

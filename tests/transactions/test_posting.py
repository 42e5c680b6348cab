"""The engine, called as other apps of the monolith call it."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.errors import AccountNotFound, AmountInvalid, AmountScale, IdempotencyKeyReused
from accounts.idempotency import derive_id
from accounts.models import HOLD_TABLE
from events.models import Event
from ledger.callers import ActorKind, Caller
from tests import asking
from tests.cast import AccountFactory, OrderFactory, day, deposit, hold, new_id, withdraw
from tests.transactions.test_concurrency import require_sound, rows_of
from tests.transactions.told import read_events, read_events_about
from transactions import errors
from transactions.models import TABLE, Transaction, chain
from transactions.posting.commands import NewHold, SetMetadata
from transactions.posting.legs import Leg

pytestmark = pytest.mark.django_db


def post(*orders):
    return asking.post(orders, caller=Caller(new_id(), request_id="test"))


def test_each_row_has_the_accounts_next_version_and_the_balance_right_after(account):
    rows = [deposit(account, "100"), withdraw(account, "30"), withdraw(account, "500"), deposit(account, "5")]
    assert [row.version for row in rows] == [1, 2, None, 3]
    assert [row.balance_after for row in rows] == [100, 70, 70, 75]
    account.refresh_from_db()
    assert (account.balance, account.version) == (75, 3)


def test_orders_of_one_list_are_decided_in_turn(account):
    answers = post(
        OrderFactory(account=account, amount=Decimal(50)),
        OrderFactory(account=account, amount=Decimal(40), type="WITHDRAW"),
        OrderFactory(account=account, amount=Decimal(40), type="WITHDRAW"),
    )
    assert [answer.transaction.status for answer in answers] == ["POSTED", "POSTED", "DECLINED"]


def test_answers_come_in_the_order_of_the_orders_replays_included(account):
    first, second = OrderFactory(account=account), OrderFactory(account=account)
    post(first)
    answers = post(second, first)
    assert [answer.transaction.id for answer in answers] == [second.id, first.id]
    assert [answer.replayed for answer in answers] == [False, True]


def test_one_refused_order_leaves_nothing_of_the_list(account):
    with pytest.raises(AmountScale):
        post(OrderFactory(account=account), OrderFactory(account=account, amount=Decimal("0.001")))
    assert Transaction.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal(2)},
        {"type": Transaction.Type.WITHDRAW},
        {"reference": "x"},
        {"metadata": {"a": "b"}},
        {"effective_at": day("2023-01-01")},
        {"account_id": None},  # of another account
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_id_with_another_command_is_refused_and_names_what_differs(account, change):
    order = OrderFactory(account=account)
    post(order)
    if "account_id" in change:
        change = {"account_id": AccountFactory().id}
    with pytest.raises(IdempotencyKeyReused) as refused:
        post(replace(order, **change))
    assert refused.value.extensions["differs"] == [name.removesuffix("_id") for name in change]
    assert Transaction.objects.count() == 1


def test_every_part_of_a_command_is_compared_when_its_id_is_sent_again():
    conditions = {"currency", "expected_version", "expected_sequence", "decline"}  # they are no parts of it
    assert {each.name for each in fields(Leg) if each.init} - {"id"} - conditions == TABLE.asked.keys()
    assert {each.name for each in fields(NewHold) if each.init} - {
        "id"
    } - conditions == HOLD_TABLE.asked.keys()


@pytest.mark.parametrize("link", ["transfer", "reverses", "hold"])
def test_the_same_id_for_a_part_of_something_else_is_refused(account, link):
    order = OrderFactory(account=account)
    post(order)
    leg = Leg(id=order.id, account_id=account.id, type=order.type, amount=order.amount, **{link: uuid4()})
    with pytest.raises(IdempotencyKeyReused) as refused:
        post(leg)
    assert refused.value.extensions["differs"] == [link]


def test_the_same_value_in_another_spelling_is_the_same_command(account):
    order = OrderFactory(account=account, amount=Decimal("10"), metadata={"a": "1", "b": "2"})
    post(order)
    again = replace(order, amount=Decimal("10.00"), metadata={"b": "2", "a": "1"})
    assert post(again)[0].replayed


def test_a_condition_is_no_part_of_the_command(account):
    order = replace(OrderFactory(account=account), expected_version=0)
    post(order)
    assert post(replace(order, expected_version=7, currency="USD"))[0].replayed


def test_what_a_few_minutes_of_clock_skew_ask_for_is_now(account):
    now = deposit(account, "1").recorded_at
    row = deposit(account, "1", effective_at=now + timedelta(minutes=4))
    assert row.effective_at == row.recorded_at
    assert row.effective_at_asked == now + timedelta(minutes=4)
    with pytest.raises(errors.EffectiveAtInFuture):
        deposit(account, "1", effective_at=now + timedelta(minutes=6))


def test_money_may_have_moved_before_the_account_was_opened(account):
    assert deposit(account, "1", effective_at=day("1970-01-01")).status == "POSTED"
    with pytest.raises(errors.EffectiveAtTooEarly):
        deposit(account, "1", effective_at=day("1969-12-31"))


def test_what_is_held_or_lent_counts(rich):
    hold(rich, "30")
    assert withdraw(rich, "71").decline_details == {"available": "70.00", "required": "71.00"}
    asking.set_limits(id=rich.id, limits={"credit_limit": Decimal(50)}, request_id="test")
    assert withdraw(rich, "120").balance_after == -20


def test_an_account_that_is_not_there_burns_no_id(account):
    order = OrderFactory(account=account)
    with pytest.raises(AccountNotFound):
        post(replace(order, account_id=new_id()))
    assert not post(order)[0].replayed


@pytest.mark.parametrize("amount", [1.5, 1, "1", Decimal("NaN"), Decimal("Infinity")])
def test_only_finite_decimals_are_amounts(account, amount):
    with pytest.raises(AmountInvalid):
        OrderFactory(account=account, amount=amount)


def test_an_id_twice_in_a_list_is_the_callers_mistake(account):
    order = OrderFactory(account=account)
    with pytest.raises(errors.IdTwice) as refusal:
        post(order, order)
    assert refusal.value.code == "duplicate_id"


def test_recorded_at_rises_strictly(account):
    answers = post(*[OrderFactory(account=account) for _ in range(50)])
    times = [answer.transaction.recorded_at for answer in answers]
    assert times == sorted(set(times))


def test_each_event_of_an_account_moves_its_last_moment_and_a_row_comes_after_the_one_before_it(rich):
    moments = [rich.created_at]
    for act in (
        lambda: hold(rich, "1"),
        lambda: asking.set_limits(id=rich.id, limits={"credit_limit": Decimal(5)}, request_id=""),
        lambda: asking.ask(SetMetadata(account_id=rich.id, metadata={"a": "b"})),
        lambda: asking.freeze(id=rich.id, reason="look", request_id=""),
        lambda: withdraw(rich, "1"),
    ):
        act()
        rich.refresh_from_db()
        assert rich.last_recorded_at == Event.objects.filter(stream=rich.id).latest("sequence").recorded_at
        moments.append(rich.last_recorded_at)
    assert moments == sorted(set(moments))
    [ended] = [event.recorded_at for event in read_events(stream=rich.id, type="account.frozen")]
    assert rows_of(rich)[-1].recorded_at > ended


def test_a_row_is_recorded_after_an_event_of_the_same_list(rich):
    placed = NewHold(id=new_id(), account_id=rich.id, amount=Decimal(1))
    _, answer = post(placed, OrderFactory(account=rich))
    event = Event.objects.get(type="hold.placed")
    assert answer.transaction.recorded_at == event.recorded_at + timedelta(microseconds=1)


@pytest.mark.parametrize("kind", ActorKind.values)
@pytest.mark.parametrize("type", Transaction.Type.values)
def test_an_event_about_a_row_holds_nothing_that_the_row_tells(account, kind, type):
    order = OrderFactory(account=account, type=Transaction.Type(type))
    [answer] = asking.post([order], caller=Caller(account.user_id, kind, "look-1"))
    row = answer.transaction
    stored = Event.objects.get(stream=account.id, sequence=2)
    told = (f"transaction.{row.status.lower()}", row.seq, row.recorded_at)
    assert (stored.type, stored.about, stored.recorded_at) == told
    assert (stored.data, stored.actor, stored.actor_kind, stored.request_id) == (None,) * 4
    assert (row.actor, row.actor_kind, row.request_id) == (account.user_id, kind, "look-1")
    [event] = read_events_about([row])
    assert (event.data, event.actor, event.request_id) == (row.to_dict(), account.user_id, "look-1")


def test_the_chain_covers_every_field_of_every_row_in_order(account):
    deposit(account, "10", effective_at=day("2023-01-01"), metadata={"a": "b"}, reference="x")
    withdraw(account, "50")
    deposit(account, "1", effective_at=day("2022-01-01"))
    require_sound(account)
    stored = rows_of(account)[0]
    columns = Transaction._meta.concrete_fields
    fields = [each for each in columns if not each.generated and not each.name.startswith("chain_")]
    for field in fields:
        changed = Transaction.objects.get(id=stored.id)
        value = getattr(changed, field.attname)
        if value is None:
            empty = {"JSONField": {}, "CharField": "", "TextField": "", "BooleanField": True}
            empty["DecimalField"] = Decimal(0)
            value = empty.get(field.get_internal_type())
        setattr(changed, field.attname, other_than(value))
        assert chain.compute_hash(b"", changed) != bytes(stored.chain_hash), field.name


def other_than(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict):
        return {**value, "c": "d"}
    if hasattr(value, "tzinfo"):
        return value + timedelta(microseconds=1)
    if isinstance(value, int | Decimal):
        return value + 1
    return uuid4() if value is None or hasattr(value, "hex") else value + "x"


def test_null_and_empty_are_not_the_same_link(account):
    row = deposit(account, "1")
    before = chain.compute_hash(b"", row)
    row.decline_reason = ""
    assert chain.compute_hash(b"", row) != before


def test_a_key_always_makes_the_same_id():
    caller = new_id()
    id = derive_id(caller, "order-1")
    assert (derive_id(caller, "order-1"), id.version) == (id, 8)
    assert derive_id(new_id(), "order-1") != id

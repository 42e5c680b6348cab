"""The outbox of a shop, with its own PostgreSQL and a real ledger behind a network that goes wrong."""

import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from ledger_client import Ledger, commands, new_id, outbox
from ledger_client.outbox.models import MoneyIntent
from ledger_client.outbox.sending import send_due, send_next
from ledger_client.resources import User
from ledger_client.testing import BadNetwork, Fate
from shop import money
from shop.looking import make_due, read_balance, read_states
from shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
MakeUser = Callable[..., User]


def test_what_is_wanted_in_a_transaction_is_done_after_it(ledger: Ledger, hasty: Ledger, petya: User) -> None:
    order = money.order(petya.id, Decimal("30.00"))
    assert read_balance(ledger, petya) == 100
    assert send_due(hasty) == 1
    [intent] = MoneyIntent.objects.all()
    assert (intent.status, intent.answer and intent.answer["id"]) == ("DONE", str(order.payment))
    assert Order.objects.get().state == "paid"
    assert read_balance(ledger, petya) == 70
    assert send_due(hasty) == 0


def test_what_is_rolled_back_was_never_wanted(hasty: Ledger, petya: User) -> None:
    with transaction.atomic():
        money.order(petya.id, Decimal("30.00"))
        transaction.set_rollback(True)
    assert send_due(hasty) == 0
    assert not MoneyIntent.objects.exists()


def test_an_intent_without_a_transaction_is_refused(petya: User) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        outbox.intend(commands.withdraw(id=new_id(), user=petya.id, amount="1.00"))


def test_a_command_that_cannot_be_repeated_is_no_intent() -> None:
    with transaction.atomic(), pytest.raises(ValueError, match="cannot be an intent"):
        outbox.intend(commands.change_hold(hold=new_id(), amount="1.00"))


def test_a_decline_parks_the_intent_with_its_problem_and_tells_the_shop(
    ledger: Ledger, hasty: Ledger, petya: User
) -> None:
    money.order(petya.id, Decimal("100.01"))
    money.order(petya.id, Decimal("10.00"))
    assert send_due(hasty) == 2
    parked, done = MoneyIntent.objects.order_by("number")
    assert (parked.status, done.status) == ("PARKED", "DONE")
    assert parked.problem is not None
    assert parked.problem["code"] == "insufficient_funds"
    assert (parked.problem["available"], parked.problem["required"]) == ("100.00", "100.01")
    assert [each.state for each in Order.objects.order_by("id")] == ["refused", "paid"]
    assert read_balance(ledger, petya) == 90


def test_a_parked_intent_can_be_sent_again_and_what_was_declined_stays_so(hasty: Ledger, petya: User) -> None:
    money.order(petya.id, Decimal("100.01"))
    send_due(hasty)
    intent = MoneyIntent.objects.get()
    intent.send_again()
    assert intent.status == "WAITING"
    with pytest.raises(ValueError, match="not parked"):
        intent.send_again()
    assert send_due(hasty) == 1
    intent.refresh_from_db()
    assert intent.status == "PARKED"


@pytest.mark.parametrize("fate", Fate)
def test_cut_off_anywhere_it_waits_and_is_done_once(
    ledger: Ledger, hasty: Ledger, bad_network: BadNetwork, petya: User, fate: Fate
) -> None:
    money.order(petya.id, Decimal("30.00"))
    bad_network.suffer(fate)
    assert send_next(hasty)
    intent = MoneyIntent.objects.get()
    assert (intent.status, intent.attempts) == ("WAITING", 1)
    assert intent.next_attempt_at > timezone.now()
    assert intent.last_error
    assert not send_next(hasty), "it is not due"
    make_due()
    assert send_due(hasty) == 1
    assert read_states() == ["DONE"]
    assert read_balance(ledger, petya) == 70


@pytest.mark.parametrize("status", [301, 403, 404, 413, 422])
def test_what_somebody_in_between_says_parks_nothing(
    hasty: Ledger, bad_network: BadNetwork, petya: User, status: int
) -> None:
    money.order(petya.id, Decimal("30.00"))
    bad_network.answer(status)
    send_due(hasty)
    assert read_states() == ["WAITING"]


def test_no_answer_of_a_stranger_is_too_odd_to_be_kept(
    hasty: Ledger, bad_network: BadNetwork, petya: User
) -> None:
    money.order(petya.id, Decimal("30.00"))
    for body in (b"\0" * 10, b"\xff\xfe", b'"\\ud800"', b"x" * 5000):
        bad_network.answer(500, body)
        make_due()
        assert send_next(hasty)
    assert MoneyIntent.objects.get().attempts == 4


def test_a_token_that_is_not_valid_any_more_parks_nothing(
    connect: Callable[..., Ledger], hasty: Ledger, ledger: Ledger, bad_network: BadNetwork, petya: User
) -> None:
    money.order(petya.id, Decimal("30.00"))
    bad_network.suffer(Fate.NOT_ANSWERED)
    send_due(hasty)
    make_due()
    send_due(connect("expired", patience=0))
    intent = MoneyIntent.objects.get()
    assert (intent.status, intent.attempts) == ("WAITING", 2)
    assert "token_invalid" in intent.last_error
    make_due()
    send_due(hasty)
    assert read_states() == ["DONE"]
    assert read_balance(ledger, petya) == 70


def test_what_the_shop_fails_to_do_with_an_answer_it_is_told_again(
    ledger: Ledger, hasty: Ledger, petya: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = money.order(petya.id, Decimal("30.00"))

    def fail(intent: MoneyIntent) -> None:
        Order.objects.filter(payment=intent.id).update(state="half")
        raise RuntimeError("out of paper")

    with monkeypatch.context() as patch:
        patch.setattr(money, "on_done", fail)
        send_due(hasty)
    intent = MoneyIntent.objects.get()
    assert (intent.status, intent.answer) == ("WAITING", None)
    assert "out of paper" in intent.last_error
    order.refresh_from_db()
    assert order.state == "ordered"
    make_due()
    send_due(hasty)
    order.refresh_from_db()
    assert order.state == "paid"
    assert read_balance(ledger, petya) == 70


def test_the_age_of_the_oldest_is_measured(hasty: Ledger, petya: User) -> None:
    assert outbox.measure() == outbox.Statistics(waiting=0, oldest_seconds=0, attempts_max=0, parked=0)
    money.order(petya.id, Decimal("1.00"))
    money.order(petya.id, Decimal("1000.00"))
    MoneyIntent.objects.update(created_at=timezone.now() - timedelta(hours=1))
    now = outbox.measure()
    assert (now.waiting, now.parked) == (2, 0)
    assert 3600 <= now.oldest_seconds < 3700
    send_due(hasty)
    assert outbox.measure() == outbox.Statistics(waiting=0, oldest_seconds=0, attempts_max=0, parked=1)


def test_the_command_sends_what_is_due(
    settings: Settings, ledger_url: str, ledger_token: str, petya: User
) -> None:
    settings.LEDGER_OUTBOX = {"URL": ledger_url, "TOKEN": ledger_token}
    money.order(petya.id, Decimal("1.00"))
    money.order(petya.id, Decimal("1000.00"))
    said = io.StringIO()
    call_command("send_money_intents", "--once", stdout=said)
    assert said.getvalue() == "2 sent; 0 wait, 1 are parked.\n"


@pytest.mark.parametrize(
    "chosen",
    [{}, {"URL": "http://ledger"}, {"URL": "http://ledger", "TOKEN": "t", "TOKENFILE": "typo"}],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(settings: Settings, chosen: dict[str, str]) -> None:
    settings.LEDGER_OUTBOX = chosen
    with pytest.raises(ImproperlyConfigured):
        call_command("send_money_intents", "--once")


def test_a_row_that_is_neither_answered_nor_waiting_is_refused(petya: User) -> None:
    money.order(petya.id, Decimal("1.00"))
    impossible: list[dict[str, Any]] = [
        {"status": "DONE"},
        {"status": "PARKED"},
        {"answer": {}},
        {"problem": {}},
    ]
    for changes in impossible:
        with pytest.raises(Exception, match="money_intent_is_answered_or_waiting"), transaction.atomic():
            MoneyIntent.objects.update(**changes)


def test_an_intent_has_the_id_of_its_command_which_there_is_once(petya: User) -> None:
    command = commands.withdraw(id=new_id(), user=petya.id, amount="1.00")
    with transaction.atomic():
        assert outbox.intend(command).id == command.id
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.intend(command)
    assert MoneyIntent.objects.count() == 1

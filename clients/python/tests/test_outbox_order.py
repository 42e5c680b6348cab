"""Intents of a line are sent one after the other; senders share the rest."""

import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.db import connection, transaction

from ledger_client import Ledger
from ledger_client.outbox.models import MoneyIntent
from ledger_client.outbox.sending import find_due, send_due, send_next
from ledger_client.resources import User
from ledger_client.testing import BadNetwork, Fate
from shop import money
from shop.looking import make_due, read_balance, read_states

pytestmark = pytest.mark.django_db(transaction=True)
MakeUser = Callable[..., User]


@pytest.fixture
def held(bad_network: BadNetwork, hasty: Ledger, petya: User) -> Iterator[list[int]]:
    """A sender that waits for the answer to the first of two orders in one line."""
    money.order(petya.id, Decimal("1.00"))
    money.order(petya.id, Decimal("2.00"))
    event = bad_network.hold()

    def send() -> None:
        send_next(hasty)
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    deadline = time.monotonic() + 20
    while not bad_network.seen:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield list(MoneyIntent.objects.order_by("number").values_list("number", flat=True))
    event.set()
    sender.join(20)
    assert not sender.is_alive()


def test_in_line_the_next_waits_for_the_answer_to_the_one_before_and_others_do_not(
    connect: Callable[..., Ledger], held: list[int], make_ledger_user: MakeUser
) -> None:
    other = make_ledger_user(funds="5.00")
    money.order(other.id, Decimal("5.00"))
    assert send_due(connect(patience=5)) == 1
    assert read_states() == ["WAITING", "WAITING", "DONE"]
    assert find_due("default").values_list("number", flat=True)[0] == held[0]


def test_what_waits_in_line_goes_on_when_its_first_is_answered(
    hasty: Ledger, bad_network: BadNetwork, ledger: Ledger, petya: User
) -> None:
    prices = [Decimal(each) for each in ("1.00", "2.00", "3.00")]
    for price in prices:
        money.order(petya.id, price)
    bad_network.suffer(Fate.NOT_SENT)
    assert send_due(hasty) == 1, "those behind wait"
    make_due()
    assert send_due(hasty) == 3
    [deposit, *posted] = reversed(list(ledger.list_transactions(user=petya.id)))
    assert (deposit.type, [each.amount for each in posted]) == ("DEPOSIT", prices)


def test_of_a_line_the_numbers_are_in_the_order_of_the_commits(petya: User) -> None:
    first_has_written, first_may_commit = threading.Event(), threading.Event()

    def be_first() -> None:
        with transaction.atomic():
            money.order(petya.id, Decimal("1.00"))
            first_has_written.set()
            first_may_commit.wait(20)
        connection.close()

    def be_second() -> None:
        first_has_written.wait(20)
        money.order(petya.id, Decimal("2.00"))
        connection.close()

    threads = [threading.Thread(target=be) for be in (be_first, be_second)]
    for thread in threads:
        thread.start()
    first_has_written.wait(20)
    time.sleep(0.3)
    assert read_states() == [], "the second waits for the first"
    first_may_commit.set()
    for thread in threads:
        thread.join(20)
    amounts = MoneyIntent.objects.order_by("number").values_list("body__amount", flat=True)
    assert list(amounts) == ["1.00", "2.00"]


def test_many_senders_share_the_work_and_send_nothing_twice(
    connect: Callable[..., Ledger], bad_network: BadNetwork, ledger: Ledger, make_ledger_user: MakeUser
) -> None:
    users = [make_ledger_user(funds="10.00") for _ in range(4)]
    for _ in range(3):
        for user in users:
            money.order(user.id, Decimal("1.00"))
    tried: list[int] = []

    def send() -> None:
        client = connect(patience=20)
        while MoneyIntent.objects.filter(status="WAITING").exists():
            tried.append(send_due(client))
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert read_states() == ["DONE"] * 12
    assert sum(tried) == len(bad_network.seen) == 12
    assert [read_balance(ledger, user) for user in users] == [7] * 4

"""The same consumer in Django's own database: its place is committed with its effect."""

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import transaction

from ledger_client import Event, Ledger, commands, new_id
from ledger_client.feed import CURSOR, Consumer, Place
from ledger_client.inbox.book import DjangoBook
from ledger_client.resources import Transaction, User
from shop.models import Sum

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    pass


class Sums(Consumer):
    def __init__(self, ledger: Ledger, dies: Callable[[], bool] = lambda: False) -> None:
        super().__init__(ledger, DjangoBook())
        self.dies = dies

    def apply(self, event: Event) -> None:
        if isinstance(posted := event.resource, Transaction) and posted.status == "POSTED":
            row, _ = Sum.objects.get_or_create(account=posted.account)
            row.total += posted.amount if posted.type == "DEPOSIT" else -posted.amount
            row.save()
        if self.dies():
            raise Killed

    def start_over(self, account: UUID, epoch: UUID, events: Iterator[Event]) -> None:
        Sum.objects.filter(account=account).delete()
        for event in events:
            self.apply(event)


def test_killed_and_told_out_of_order_it_does_each_thing_once(
    ledger: Ledger, make_ledger_user: Callable[..., User]
) -> None:
    chance, account = random.Random(1), make_ledger_user(funds="10.00").accounts[0].id
    for amount in ("1.00", "2.50", "3.00"):
        ledger.post(commands.withdraw(id=new_id(), account=account, amount=amount))
    events = list(ledger.read_account_events(account))
    told = events * 3
    chance.shuffle(told)
    deaths = 0
    while told:
        try:
            Sums(ledger, lambda: chance.random() < 0.3).hear(told[-1])
            told.pop()
        except Killed:
            deaths += 1
    assert Sum.objects.get().total == Decimal("3.50")
    place = DjangoBook().get_place(account)
    assert place is not None
    assert place.sequence == events[-1].sequence
    assert deaths


def test_what_is_remembered_is_recalled_and_places_are_found() -> None:
    book, stream, epoch = DjangoBook(), new_id(), new_id()
    book.remember(**{CURSOR: "c", "other": None})
    book.remember(**{CURSOR: "d"})
    assert (book.recall(CURSOR), book.recall("other"), book.recall("none")) == ("d", None, None)
    with book.transaction():
        book.keep_place(stream, Place(epoch, 1, is_account=True))
        book.keep_place(new_id(), Place(epoch, 1, is_account=False))
    with book.transaction():
        book.keep_place(stream, Place(epoch, 2, is_account=True))
        transaction.set_rollback(True)
    assert book.find_accounts() == [stream]
    assert book.get_place(stream) == Place(epoch, 1, is_account=True)

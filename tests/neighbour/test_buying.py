"""A neighbour's tests, as docs/in-process.md shows them, with Django's own classes and with pytest-django."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.test import TestCase, TransactionTestCase

from accounts import operations
from accounts.models import Account
from ledger.callers import Caller
from tests.neighbour.buying import buy, buy_in_a_transaction
from tests.neighbour.models import Purchase
from transactions import posting
from transactions.errors import Declined
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction


def open_account(*, funds: Decimal) -> Account:
    user, _ = operations.create_user(id=None, name="Anna", caller=Caller(None))
    account = user.accounts.get()
    put_in(account, funds)
    return account


def put_in(account: Account, funds: Decimal) -> None:
    deposit = NewTransaction(id=uuid4(), account_id=account.id, type=Transaction.Type.DEPOSIT, amount=funds)
    posting.post_or_raise(deposit, caller=Caller(account.user_id))


def get_status(order: UUID) -> str:
    return Transaction.objects.get(id=order).status


class BuyingTest(TestCase):
    def test_what_is_declined_is_not_bought_and_stays_declined(self) -> None:
        order, account = uuid4(), open_account(funds=Decimal(5))
        for _ in range(2):
            with pytest.raises(Declined, match="less available"):
                buy(order, account, Decimal(7), "a hat", Caller(account.user_id))
            put_in(account, Decimal(100))
        assert get_status(order) == "DECLINED"
        assert not Purchase.objects.exists()


class CommittedBuyingTest(TransactionTestCase):
    def test_what_is_bought_is_paid(self) -> None:
        order, account = uuid4(), open_account(funds=Decimal(20))
        for _ in range(2):
            assert buy(order, account, Decimal(7), "a hat", Caller(account.user_id)).title == "a hat"
        account.refresh_from_db()
        assert (account.balance, Purchase.objects.count()) == (13, 1)

    def test_after_another_test_there_is_nothing(self) -> None:
        assert not Account.objects.exists()
        assert not Purchase.objects.exists()


@pytest.mark.django_db
def test_in_a_transaction_of_ones_own_a_decline_is_answered() -> None:
    order, account = uuid4(), open_account(funds=Decimal(20))
    assert not buy_in_a_transaction(order, account, Decimal(21), "a coat", Caller(account.user_id))
    assert buy_in_a_transaction(uuid4(), account, Decimal(20), "a hat", Caller(account.user_id))
    assert [purchase.title for purchase in Purchase.objects.all()] == ["a hat"]
    assert get_status(order) == "DECLINED"

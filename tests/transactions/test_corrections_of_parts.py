"""Parts of a transaction that staff take back, alone or with a second person."""

from decimal import Decimal

import pytest

from accounts import operations
from accounts.errors import AmountScale
from tests.cast import CALLER, deposit, new_id, transfer
from tests.transactions.conftest import require_clean
from tests.transactions.correcting import DECLINED, POSTED, WAITING, approve, balance, reverse
from transactions.models import Transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits")]


def test_a_part_is_taken_back_and_then_the_rest(account, maker):
    row = deposit(account, "50")
    assert [reverse(row, maker, amount).status for amount in ("20", "30")] == [POSTED, POSTED]
    assert reverse(row, maker, "1").status == DECLINED
    assert balance(account) == 0


def test_a_part_that_waits_while_another_is_taken_is_posted_only_if_it_is_left(account, maker, checker):
    row = deposit(account, "500")
    deposit(account, "500")
    waiting, larger = reverse(row, maker, "200"), reverse(row, maker, "400")
    assert [each.status for each in (waiting, larger)] == [WAITING, WAITING]
    reverse(row, maker, "50", id=new_id())
    assert approve(larger, checker).status == POSTED
    assert approve(waiting, checker).status == DECLINED
    declined = Transaction.objects.get(id=waiting.id)
    assert (declined.decline_reason, declined.amount) == ("reversal_too_large", 200)
    assert declined.decline_details == {"left": "50.00"}


def test_small_parts_count_together_towards_the_limit(account, maker):
    row = deposit(account, "500")
    assert [reverse(row, maker, "60").status for _ in range(2)] == [POSTED, WAITING]


def test_of_an_exchange_the_amount_is_that_of_the_leg_that_was_named(account, maker, petya):
    yen, _ = operations.create_account(user_id=petya.id, currency="JPY", caller=CALLER)
    deposit(account, "3")
    moved = transfer(account, yen, "3", destination_amount=Decimal(100))
    received = Transaction.objects.exclude(id=moved.id).get(transfer=moved.id)
    with pytest.raises(AmountScale):
        reverse(received, maker, "0.5")
    done = reverse(moved, maker, "1")
    assert (done.status, done.amount) == (POSTED, 1)
    assert (balance(account), balance(yen)) == (1, 67)
    require_clean()

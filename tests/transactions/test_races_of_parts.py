"""Parts of one transaction, taken back at once: by the ledger, and by two sessions that only know SQL."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.db.transaction import atomic

from tests.cast import AccountFactory, day, deposit, new_id
from tests.database import execute, find_who_waits_for_a_lock
from tests.test_reversal_guards import GUARD, take_back
from tests.transactions.committing import wait_until
from tests.transactions.test_concurrency import post, require_sound, run_at_once, split
from tests.transactions.test_races import no_deadlock, transfer
from transactions.models import Transaction
from transactions.posting.commands import Reversal

pytestmark = pytest.mark.django_db(transaction=True)


def reverse(rows, amount=None, **changes):
    amount = amount and Decimal(amount)
    return post(Reversal(id=new_id(), reason="a mistake", rows=rows, amount=amount, **changes))


def test_of_twenty_parts_at_once_as_many_are_posted_as_there_was_money(rich):
    row = deposit(rich, "30")
    answers, _ = split(run_at_once(*[partial(reverse, [row], "4")] * 20))
    reasons = Counter(answer.transaction.decline_reason for answer in answers)
    assert reasons == {None: 7, "reversal_too_large": 13}
    lefts = {
        answer.transaction.decline_details["left"] for answer in answers if answer.transaction.decline_reason
    }
    assert lefts == {"2.00"}
    assert reverse([row])[0].transaction.amount == 2
    require_sound(rich)
    assert rich.balance == 100


def test_parts_of_a_transfer_by_either_leg_at_once_end_with_both_legs_whole(rich):
    other = AccountFactory()
    [moved] = transfer(rich, other, "30")
    legs = moved.transactions
    parts = [partial(reverse, legs, "4", transaction_id=leg.id) for leg in legs]
    with no_deadlock():
        run_at_once(*[*parts, partial(reverse, legs)] * 6)
    taken = Counter()
    for row in Transaction.objects.filter(reverses__isnull=False, status="POSTED"):
        taken[row.reverses] += row.amount
    assert taken == {leg.id: 30 for leg in legs}
    require_sound(rich, other)
    assert (rich.balance, other.balance) == (100, 0)


@pytest.mark.parametrize(("second", "is_refused"), [(4, False), (5, True)])
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_of_two_sessions_in_sql_the_second_sees_what_the_first_has_taken(
    account, second, is_refused, isolation
):
    """It waits for the account, and everything else that the first one left is as it expects it."""
    row = deposit(account, "10", effective_at=day("2023-01-04"))
    deposit(account, "90")
    first = take_back(account, 6, of=row.id, seq=3, balance=100)
    then = take_back(account, second, of=row.id, seq=4, balance=94)

    def run_second():
        try:
            with atomic():
                execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
                execute(then)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with atomic():
            execute(first)
            waiting = pool.submit(run_second)
            wait_until(find_who_waits_for_a_lock)
        refusal = waiting.exception()
    if isolation == "REPEATABLE READ":
        assert isinstance(refusal, OperationalError)  # it cannot have seen what the first one did
    elif is_refused:
        assert isinstance(refusal, IntegrityError)
        assert GUARD in str(refusal)
    else:
        assert refusal is None
    account.refresh_from_db()
    assert account.balance == (94 if refusal else 90)

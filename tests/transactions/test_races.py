"""Transfers, reversals, batches and account rules, many at once in real threads: nothing stuck or torn."""

import time
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

import pytest

from accounts.errors import AccountNotEmpty, IdempotencyKeyReused
from accounts.models import Account
from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, OrderFactory, deposit, new_id, withdraw
from tests.database import execute
from tests.transactions.test_concurrency import (
    count_retries,
    post,
    read_events,
    require_sound,
    run_at_once,
    split,
)
from transactions.models import Transaction
from transactions.posting.commands import Reversal, Transfer
from transactions.reading import queries

pytestmark = pytest.mark.django_db(transaction=True)


def count_deadlocks():
    return execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


@contextmanager
def no_deadlock():
    """A backend reports what it saw when it ends, as that of every thread has then; a retry would hide it."""
    before = count_deadlocks(), count_retries()
    yield
    assert (count_deadlocks(), count_retries()) == before


def transfer(source, destination, amount, id=None):
    accounts = {"source_id": source.id, "destination_id": destination.id}
    return post(Transfer(id=id or new_id(), amount=Decimal(amount), **accounts))


def sum_balances():
    return sum(Account.objects.values_list("balance", flat=True))


def count_statuses(**wanted):
    return Counter(Transaction.objects.filter(**wanted).values_list("status", flat=True))


# Transfers


def test_64_clients_with_opposing_transfers_never_wait_for_each_other_in_a_ring():
    a, b = (AccountFactory(funds="100") for _ in range(2))

    def send(source, destination):
        return [transfer(source, destination, "7") for _ in range(5)]

    with no_deadlock():
        answers = run_at_once(*[partial(send, a, b), partial(send, b, a)] * 32)
    transfers = [result.transactions for of_client in answers for [result] in of_client]
    assert len(transfers) == 320
    for legs in transfers:
        assert len({(leg.status, leg.recorded_at, leg.amount) for leg in legs}) == 1
    assert sum_balances() == 200
    require_sound(a, b)


def test_transfers_around_a_ring_of_accounts_end():
    ring = [AccountFactory(funds="10") for _ in range(5)]
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    with no_deadlock():
        run_at_once(*[partial(transfer, source, destination, "10") for source, destination in pairs * 5])
    assert sum_balances() == 50
    require_sound(*ring)


@pytest.mark.parametrize(("amount", "status"), [("30", "POSTED"), ("300", "DECLINED")])
def test_one_transfer_sent_24_times_at_once_is_one_transfer(rich, amount, status):
    other, id = AccountFactory(), new_id()
    answers, _ = split(run_at_once(*[partial(transfer, rich, other, amount, id)] * 24))
    assert Counter(answer.replayed for answer in answers) == {True: 23, False: 1}
    assert count_statuses(transfer=id) == {status: 2}
    assert sum_balances() == 100
    require_sound(rich, other)


def test_one_id_for_transfers_in_both_directions_at_once_is_one_transfer(rich):
    other = AccountFactory(funds="100")
    for _ in range(10):
        id = new_id()
        sent = [partial(transfer, rich, other, "1", id), partial(transfer, other, rich, "1", id)]
        [moved], [refusal] = split(run_at_once(*sent))
        assert isinstance(refusal, IdempotencyKeyReused)
        assert "source" in refusal.extensions["differs"]
        assert set(Transaction.objects.filter(transfer=id)) == set(moved.transactions)
    require_sound(rich, other)


# Reversals


def reverse(rows, id=None):
    return post(Reversal(id=id or new_id(), reason="a mistake", rows=rows))


def test_of_twelve_reversals_of_one_transaction_at_once_one_is_posted(rich):
    row = deposit(rich, "30")
    answers, _ = split(run_at_once(*[partial(reverse, [row])] * 12))
    reversals = [answer.transaction for answer in answers]
    [posted] = [reversal for reversal in reversals if reversal.status == "POSTED"]
    declined = [reversal for reversal in reversals if reversal is not posted]
    assert {reversal.decline_reason for reversal in declined} == {"already_reversed"}
    assert {reversal.decline_details["reversed_by"] for reversal in declined} == {str(posted.id)}
    require_sound(rich)
    assert rich.balance == 100


def test_of_twelve_reversals_of_one_transfer_at_once_one_takes_both_legs_back(rich):
    other = AccountFactory()
    [moved] = transfer(rich, other, "30")
    legs = moved.transactions
    with no_deadlock():
        run_at_once(*[partial(reverse, legs), partial(reverse, legs[::-1])] * 6)
    reversals = list(Transaction.objects.filter(reverses__isnull=False))
    assert Counter(row.decline_reason for row in reversals) == {
        None: 2,
        "already_reversed": 11,
        "transfer_declined": 11,
    }
    assert {row.reverses for row in reversals if not row.decline_reason} == {leg.id for leg in legs}
    require_sound(rich, other)
    assert (rich.balance, other.balance) == (100, 0)


def test_one_reversal_sent_24_times_at_once_is_one_reversal(account):
    row, id = deposit(account, "30"), new_id()
    answers, _ = split(run_at_once(*[partial(reverse, [row], id)] * 24))
    assert Counter(answer.replayed for answer in answers) == {True: 23, False: 1}
    assert queries.find_transactions([row.id])[row.id].reversed_by == [str(id)]
    require_sound(account)
    assert account.balance == 0


# Batches


def post_together(accounts, *amounts):
    """A deposit, or for a negative amount a withdrawal, on each of the accounts: all or none."""
    orders = [
        OrderFactory(
            account=account, amount=abs(Decimal(amount)), type="WITHDRAW" if amount < 0 else "DEPOSIT"
        )
        for account, amount in zip(accounts, amounts, strict=True)
    ]
    return asking.post(orders, caller=Caller(accounts[0].id), all_or_nothing=True)


def test_atomic_batches_over_the_same_accounts_in_opposite_orders_all_end():
    accounts = [AccountFactory() for _ in range(6)]

    def send(accounts):
        return [post_together(accounts, *[1] * 6) for _ in range(8)]

    with no_deadlock():
        answers = run_at_once(*[partial(send, accounts), partial(send, accounts[::-1])] * 5)
    assert {leg.transaction.status for lists in answers for legs in lists for leg in legs} == {"POSTED"}
    require_sound(*accounts)
    assert {account.balance for account in accounts} == {80}


def test_atomic_batches_that_want_the_same_money_at_once_get_all_of_it_or_nothing():
    a, b = (AccountFactory(funds="100") for _ in range(2))
    batches = [partial(post_together, [a, b], -30, -30), partial(post_together, [b, a], -30, -30)] * 10
    with no_deadlock():
        answers = run_at_once(*batches)
    outcomes = Counter(tuple(answer.transaction.status for answer in batch) for batch in answers)
    assert outcomes == {("POSTED", "POSTED"): 3, ("DECLINED", "DECLINED"): 17}
    require_sound(a, b)
    assert a.balance == b.balance == 10


# The rules of accounts


def test_a_days_limit_is_spent_once_by_twenty_withdrawals_at_once(account):
    deposit(account, "1000")
    asking.set_limits(id=account.id, limits={"withdraw_day_max": Decimal(100)}, request_id="test")
    rows = run_at_once(*[partial(withdraw, account, "30")] * 20)
    assert Counter(row.decline_reason for row in rows) == {None: 3, "limit_exceeded": 17}
    account.refresh_from_db()
    assert (account.balance, account.withdrawn) == (910, 90)


@pytest.mark.parametrize("turn", range(3))
def test_no_withdrawal_is_posted_after_the_freeze(account, turn):
    deposit(account, "10000")

    def withdraw_until_frozen():
        while withdraw(account, "1").status == "POSTED":
            pass

    def freeze():
        while Transaction.objects.filter(type="WITHDRAW").count() < 20:
            time.sleep(0.005)
        asking.freeze(id=account.id, reason="a lost card", request_id="test")

    run_at_once(freeze, *[withdraw_until_frozen] * 8)
    account.refresh_from_db()
    events = read_events(account)
    [frozen] = [number for number, event in enumerate(events) if event.type == "account.frozen"]
    assert {event.type for event in events[1:frozen]} == {"transaction.posted"}
    declined = [(event.type, event.data["decline_reason"]) for event in events[frozen + 1 :]]
    assert declined == [("transaction.declined", "account_frozen")] * 8


def test_an_account_is_closed_or_gets_a_deposit_never_both():
    def close(account):
        return asking.close(id=account.id, reason="moved away", request_id="test")

    for _ in range(15):
        account = AccountFactory()
        answers = run_at_once(partial(close, account), *[partial(deposit, account, "1")] * 3)
        rows = [answer for answer in answers if isinstance(answer, Transaction)]
        account.refresh_from_db()
        closed = account.status == "CLOSED"
        assert isinstance(answers[0], AccountNotEmpty) == (not closed)
        assert {row.decline_reason for row in rows} == {"account_closed" if closed else None}
        assert account.balance == (0 if closed else 3)
        read_events(account)

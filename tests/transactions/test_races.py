"""Transfers, reversals, batches and account rules, many at once in real threads: nothing stuck or torn."""

import time
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection

from accounts.errors import AccountNotEmpty, IdempotencyKeyReused
from accounts.models import Account
from events.models import Event
from tests import asking
from tests.cast import AccountFactory, OrderFactory, deposit, new_id, withdraw
from tests.transactions.test_concurrency import count_retries, post, require_sound, run_at_once, split
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Reversal, Transfer
from transactions.reading import queries

pytestmark = pytest.mark.django_db(transaction=True)


def count_deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


@contextmanager
def no_deadlock():
    """A backend reports what it saw when it ends, as that of every thread has then; a retry would hide it."""
    before = count_deadlocks(), count_retries()
    yield
    assert (count_deadlocks(), count_retries()) == before


def transfer(source, destination, amount, id=None):
    return post(
        Transfer(
            id=id or new_id(), source_id=source.id, destination_id=destination.id, amount=Decimal(amount)
        )
    )


def sum_balances():
    return sum(Account.objects.values_list("balance", flat=True))


def count_statuses(**wanted):
    return Counter(Transaction.objects.filter(**wanted).values_list("status", flat=True))


# Transfers


def test_64_clients_with_opposing_transfers_never_wait_for_each_other_in_a_ring():
    a, b = AccountFactory(), AccountFactory()
    for account in (a, b):
        deposit(account, "100")

    def send(source, destination):
        return [transfer(source, destination, "7") for _ in range(5)]

    with no_deadlock():
        answers = run_at_once(*[partial(send, a, b), partial(send, b, a)] * 32)
    transfers = [result.transactions for of_client in answers for [result] in of_client]
    assert len(transfers) == 320
    for source, destination in transfers:
        assert source.status == destination.status
        assert (source.recorded_at, source.amount) == (destination.recorded_at, destination.amount)
    assert sum_balances() == 200
    for account in (a, b):
        require_sound(account)


def test_transfers_around_a_ring_of_accounts_end():
    ring = [AccountFactory() for _ in range(5)]
    for account in ring:
        deposit(account, "10")
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    with no_deadlock():
        run_at_once(*[partial(transfer, source, destination, "10") for source, destination in pairs * 5])
    assert sum_balances() == 50
    for account in ring:
        require_sound(account)


@pytest.mark.parametrize(("amount", "status"), [("30", "POSTED"), ("300", "DECLINED")])
def test_one_transfer_sent_24_times_at_once_is_one_transfer(account, amount, status):
    other, id = AccountFactory(), new_id()
    deposit(account, "100")
    answers, _ = split(run_at_once(*[partial(transfer, account, other, amount, id)] * 24))
    assert Counter(answer.replayed for answer in answers) == {True: 23, False: 1}
    assert count_statuses(transfer=id) == {status: 2}
    assert sum_balances() == 100
    require_sound(account)
    require_sound(other)


def test_one_id_for_transfers_in_both_directions_at_once_is_one_transfer(account):
    other = AccountFactory()
    for each in (account, other):
        deposit(each, "100")
    for _ in range(10):
        id = new_id()
        sent = [partial(transfer, account, other, "1", id), partial(transfer, other, account, "1", id)]
        legs, [refusal] = split(run_at_once(*sent))
        assert isinstance(refusal, IdempotencyKeyReused)
        assert "source" in refusal.extensions["differs"]
        stored = Transaction.objects.filter(transfer=id).values_list("id", flat=True)
        [moved] = legs
        assert set(stored) == {leg.id for leg in moved.transactions}
    for each in (account, other):
        require_sound(each)


# Reversals


def reverse(rows, id=None):
    return post(Reversal(id=id or new_id(), reason="a mistake", rows=rows))


def test_of_twelve_reversals_of_one_transaction_at_once_one_is_posted(account):
    deposit(account, "100")
    row = deposit(account, "30")
    answers, _ = split(run_at_once(*[partial(reverse, [row])] * 12))
    reversals = [answer.transaction for answer in answers]
    [posted] = [reversal for reversal in reversals if reversal.status == "POSTED"]
    declined = [reversal for reversal in reversals if reversal is not posted]
    assert {reversal.decline_reason for reversal in declined} == {"already_reversed"}
    assert {reversal.decline_details["reversed_by"] for reversal in declined} == {str(posted.id)}
    require_sound(account)
    assert account.balance == 100


def test_of_twelve_reversals_of_one_transfer_at_once_one_takes_both_legs_back(account):
    other = AccountFactory()
    deposit(account, "100")
    [moved] = transfer(account, other, "30")
    legs = moved.transactions
    with no_deadlock():
        run_at_once(*[partial(reverse, legs), partial(reverse, legs[::-1])] * 6)
    reversals = Transaction.objects.filter(reverses__isnull=False)
    assert count_statuses(reverses__isnull=False) == {"POSTED": 2, "DECLINED": 22}
    assert {leg.id for leg in legs} == set(
        reversals.filter(status="POSTED").values_list("reverses", flat=True)
    )
    assert Counter(reversals.filter(status="DECLINED").values_list("decline_reason", flat=True)) == {
        "already_reversed": 11,
        "transfer_declined": 11,
    }
    for each, balance in ((account, 100), (other, 0)):
        require_sound(each)
        assert each.balance == balance


def test_one_reversal_sent_24_times_at_once_is_one_reversal(account):
    row, id = deposit(account, "30"), new_id()
    answers, _ = split(run_at_once(*[partial(reverse, [row], id)] * 24))
    assert Counter(answer.replayed for answer in answers) == {True: 23, False: 1}
    assert queries.find_transactions([row.id])[row.id].reversed_by == id
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
    return posting.post(orders, actor=accounts[0].id, all_or_nothing=True)


def test_atomic_batches_over_the_same_accounts_in_opposite_orders_all_end():
    accounts = [AccountFactory() for _ in range(6)]

    def send(accounts):
        return [post_together(accounts, *[1] * 6) for _ in range(8)]

    with no_deadlock():
        answers = run_at_once(*[partial(send, accounts), partial(send, accounts[::-1])] * 5)
    assert {leg.transaction.status for lists in answers for legs in lists for leg in legs} == {"POSTED"}
    for account in accounts:
        require_sound(account)
        assert account.balance == 80


def test_atomic_batches_that_want_the_same_money_at_once_get_all_of_it_or_nothing():
    a, b = AccountFactory(), AccountFactory()
    for account in (a, b):
        deposit(account, "100")
    batches = [partial(post_together, [a, b], -30, -30), partial(post_together, [b, a], -30, -30)] * 10
    with no_deadlock():
        answers = run_at_once(*batches)
    outcomes = Counter(tuple(answer.transaction.status for answer in batch) for batch in answers)
    assert outcomes == {("POSTED", "POSTED"): 3, ("DECLINED", "DECLINED"): 17}
    for account in (a, b):
        require_sound(account)
        assert account.balance == 10


# The rules of accounts


def test_a_days_limit_is_spent_once_by_twenty_withdrawals_at_once(account):
    deposit(account, "1000")
    asking.set_limits(id=account.id, limits={"withdraw_day_max": Decimal(100)}, request_id="test")
    rows = run_at_once(*[partial(withdraw, account, "30")] * 20)
    assert Counter(row.decline_reason for row in rows) == {None: 3, "limit_exceeded": 17}
    account.refresh_from_db()
    assert (account.balance, account.withdrawn) == (910, 90)


def read_events(account):
    return list(Event.objects.filter(account_id=account.id).order_by("account_sequence"))


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
    events = read_events(account)
    [frozen] = [event.account_sequence for event in events if event.type == "account.frozen"]
    moved = [event for event in events if event.type.startswith("transaction.")]
    assert all(
        event.type == ("transaction.posted" if event.account_sequence < frozen else "transaction.declined")
        for event in moved
    )
    declined = [event for event in moved if event.account_sequence > frozen]
    assert {event.data["decline_reason"] for event in declined} == {"account_frozen"}
    assert len(declined) == 8
    assert [event.account_sequence for event in events] == list(range(1, len(events) + 1))


def test_an_account_is_closed_or_gets_a_deposit_never_both():
    def close(account):
        return asking.close(id=account.id, reason="moved away", request_id="test")

    for _ in range(15):
        account = AccountFactory()
        answers = run_at_once(partial(close, account), *[partial(deposit, account, "1")] * 3)
        rows = [answer for answer in answers if isinstance(answer, Transaction)]
        account.refresh_from_db()
        if account.status == "CLOSED":
            assert {row.decline_reason for row in rows} == {"account_closed"}
            assert account.balance == 0
        else:
            assert isinstance(answers[0], AccountNotEmpty)
            assert {row.status for row in rows} == {"POSTED"}
            assert account.balance == 3
        sequence = [event.account_sequence for event in read_events(account)]
        assert sequence == list(range(1, account.event_sequence + 1))

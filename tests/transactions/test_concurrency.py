"""Many at once, in real threads: every race ends as if its commands had come one after the other."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from prometheus_client import REGISTRY

from accounts.models import Account
from events.errors import LedgerError
from events.models import Event
from tests.cast import AccountFactory, OrderFactory, day, deposit, new_id, withdraw
from tests.conftest import make_client
from transactions import chain, ledger_sql, posting, queries
from transactions.errors import IdempotencyKeyReused
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30
FAR_AHEAD = day("2999-01-01")


def run_at_once(*calls):
    """What each call returned or was refused with; each has a thread and a connection, all start together."""
    start = threading.Barrier(len(calls))

    def run(call):
        try:
            connection.ensure_connection()
            start.wait(PATIENCE_SECONDS)
            return call()
        except LedgerError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def post(*orders):
    return posting.post(orders, actor=orders[0].account_id)


def count_retries():
    return REGISTRY.get_sample_value("ledger_posting_retries_total")


def split(answers):
    """The postings of the calls that were answered, and the refusals of the others."""
    refusals = [answer for answer in answers if isinstance(answer, LedgerError)]
    return [posted for answer in answers if answer not in refusals for posted in answer], refusals


def rows_of(account):
    return list(Transaction.objects.filter(account=account).order_by("recorded_at"))


def require_sound(account):
    """Everything that must hold of an account's history, however it came about."""
    account.refresh_from_db()
    rows = rows_of(account)
    posted = [row for row in rows if row.status == "POSTED"]
    assert [row.version for row in posted] == list(range(1, account.version + 1))
    total, head = Decimal(), b""
    for row in rows:
        head = chain.compute_hash(head, row)
        assert bytes(row.chain_hash) == head
        if row.status == "POSTED":
            total += row.change
            assert row.balance_after == total >= 0
    assert (account.balance, bytes(account.chain_head)) == (total, head)
    assert account.last_recorded_at == rows[-1].recorded_at
    events = Event.objects.filter(account_id=account.id).order_by("id")
    assert [event.account_sequence for event in events] == list(range(1, account.event_sequence + 1))
    told = [event.data["id"] for event in events if event.type.startswith("transaction.")]
    assert told == [str(row.id) for row in rows]


@pytest.mark.parametrize("turn", range(5))
def test_twenty_withdrawals_at_once_spend_the_balance_once(account, turn):
    deposit(account, "100")
    before = count_retries()
    rows = run_at_once(*[partial(withdraw, account, "30")] * 20)
    assert Counter(row.status for row in rows) == {"POSTED": 3, "DECLINED": 17}
    assert {row.decline_details["available"] for row in rows if row.decline_details} == {"10.00"}
    require_sound(account)
    assert account.balance == 10
    assert count_retries() == before


@pytest.mark.parametrize("amount", ["30", "300"])
def test_one_id_sent_24_times_at_once_is_decided_once(account, amount):
    deposit(account, "100")
    before = count_retries()
    order = OrderFactory(account=account, type="WITHDRAW", amount=Decimal(amount))
    answers, refusals = split(run_at_once(*[partial(post, order)] * 24))
    assert not refusals
    assert Counter(answer.replayed for answer in answers) == {True: 23, False: 1}
    first = answers[0].transaction.as_resource()
    assert all(answer.transaction.as_resource() == first for answer in answers)
    assert Transaction.objects.filter(id=order.id).count() == 1
    assert Event.objects.filter(data__id=str(order.id)).count() == 1
    require_sound(account)
    assert count_retries() == before


def test_one_id_with_two_amounts_at_once_is_one_command(account):
    for _ in range(10):
        orders = [OrderFactory(account=account, amount=Decimal(amount)) for amount in (1, 2)]
        orders[1] = OrderFactory(account=account, amount=Decimal(2), id=orders[0].id)
        [winner], [refusal] = split(run_at_once(*[partial(post, order) for order in orders]))
        assert isinstance(refusal, IdempotencyKeyReused)
        assert refusal.differs == ["amount"]
        stored = Transaction.objects.get(id=orders[0].id)
        assert stored.amount == winner.transaction.amount == refusal.transaction.amount
    require_sound(account)


@pytest.fixture
def write_together(monkeypatch):
    """Let no posting write before another one wants to as well: both have looked and found nothing."""
    write, both = ledger_sql.write, threading.Barrier(2)

    def wait_and_write(*parts):
        both.wait(PATIENCE_SECONDS)
        write(*parts)

    monkeypatch.setattr(ledger_sql, "write", wait_and_write)


def test_one_id_on_two_accounts_at_once_moves_only_one(write_together):
    accounts = [AccountFactory(), AccountFactory()]
    before = count_retries()
    id = new_id()
    orders = [OrderFactory(account=account, id=id) for account in accounts]
    [winner], [refusal] = split(run_at_once(*[partial(post, order) for order in orders]))
    assert isinstance(refusal, IdempotencyKeyReused)
    assert refusal.differs == ["account"]
    assert Transaction.objects.get().account_id == winner.transaction.account_id
    assert sum(Account.objects.values_list("balance", flat=True)) == 100
    assert count_retries() == before + 1


def test_a_list_that_loses_the_race_for_one_id_writes_nothing_of_itself(write_together):
    accounts = [AccountFactory(), AccountFactory()]
    id = new_id()
    lists = [[OrderFactory(account=account), OrderFactory(account=account, id=id)] for account in accounts]
    winners, [refusal] = split(run_at_once(*[partial(post, *orders) for orders in lists]))
    assert isinstance(refusal, IdempotencyKeyReused)
    assert {row.id for row in Transaction.objects.all()} == {answer.transaction.id for answer in winners}
    assert sorted(Account.objects.values_list("balance", flat=True)) == [0, 200]


def test_lists_over_the_same_accounts_in_opposite_orders_never_wait_for_each_other_in_a_ring():
    accounts = [AccountFactory() for _ in range(6)]
    before = count_retries()

    def post_lists(order_of_accounts):
        return [post(*[OrderFactory(account=account) for account in order_of_accounts]) for _ in range(12)]

    calls = [partial(post_lists, accounts), partial(post_lists, accounts[::-1])] * 5
    for lists in run_at_once(*calls):
        assert all(answer.transaction.status == "POSTED" for answers in lists for answer in answers)
    for account in accounts:
        require_sound(account)
        assert account.version == 120
    assert count_retries() == before


def test_a_storm_over_two_accounts_leaves_two_sound_histories():
    accounts = [AccountFactory(), AccountFactory()]

    def post_mixture(seed):
        chance = random.Random(seed)
        for _ in range(25):
            post(
                *[
                    OrderFactory(
                        account=account,
                        type=chance.choice(list(Transaction.Type)),
                        amount=Decimal(chance.randint(1, 50)),
                        effective_at=chance.choice([None, None, day(f"2023-01-{chance.randint(10, 30)}")]),
                    )
                    for account in chance.choices(accounts, k=chance.randint(1, 4))
                ]
            )

    run_at_once(*[partial(post_mixture, seed) for seed in range(8)])
    for account in accounts:
        require_sound(account)
        reasons = {row.decline_reason for row in rows_of(account)}
        assert reasons == {None, "insufficient_funds", "insufficient_funds_at"}


def test_an_answer_for_a_named_moment_stays_true_whatever_is_being_posted(account):
    moments = [FAR_AHEAD, day("2023-02-01")]
    stop = threading.Event()

    def read(**asked):
        return queries.read_balance(Account.objects.filter(id=account.id), **asked)

    def ask():
        try:
            return [read(at=moment) for _ in range(60) for moment in moments]
        finally:
            stop.set()

    def post_until_stopped(effective_at):
        while not stop.is_set():
            deposit(account, "1", effective_at=effective_at)

    calls = [partial(post_until_stopped, moment) for moment in (None, day("2023-01-04"))] * 4
    answers, *_ = run_at_once(ask, *calls)
    assert len({answer.version for answer in answers}) > 10
    for answer in answers:
        again = read(at=answer.at, known_at=answer.known_at)
        assert (again.balance, again.version) == (answer.balance, answer.version)
    require_sound(account)


def test_twenty_requests_at_once_spend_the_balance_once(account):
    deposit(account, "100")
    body = {"account": str(account.id), "type": "WITHDRAW", "amount": "30.00"}

    def send(client):
        return client.post("/api/v1/transactions", {"id": str(new_id()), **body})

    answers = run_at_once(*[partial(send, make_client("api-post")) for _ in range(20)])
    assert Counter(answer.status_code for answer in answers) == {201: 3, 402: 17}
    require_sound(account)
    assert account.balance == 10

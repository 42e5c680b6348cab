"""Many at once, in real threads: every race ends as if its commands had come one after the other."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

import orjson
import pytest
from django.db import connection
from django.db.transaction import atomic, set_rollback
from prometheus_client import REGISTRY

from accounts.errors import IdempotencyKeyReused
from accounts.models import Account
from ledger.callers import Caller
from ledger.errors import LedgerError
from tests import asking
from tests.cast import AccountFactory, OrderFactory, day, deposit, new_id, withdraw
from tests.conftest import make_client
from tests.transactions import told
from transactions.models import Transaction, chain
from transactions.posting.own_transaction import OwnTransaction

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30


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


def post(*commands):
    return asking.post(commands, caller=Caller(commands[0].needs.accounts[0]))


def count_retries():
    return REGISTRY.get_sample_value("ledger_posting_retries_total")


def split(answers):
    """The postings of the calls that were answered, and the refusals of the others."""
    refusals = [answer for answer in answers if isinstance(answer, LedgerError)]
    return [posted for answer in answers if answer not in refusals for posted in answer], refusals


def rows_of(account):
    return list(Transaction.objects.filter(account=account).order_by("recorded_at"))


def require_sound(*accounts):
    """Everything that must hold of an account's history, however it came about; it is read anew."""
    for account in accounts:
        account.refresh_from_db()
        rows = rows_of(account)
        posted = [row for row in rows if row.status == "POSTED"]
        assert [row.version for row in posted] == list(range(1, account.version + 1))
        total = Decimal()
        for row in posted:
            total += row.change
            assert row.balance_after == total >= 0
        assert (account.balance, bytes(account.chain_head)) == (total, require_chain(rows))
        events = read_events(account)
        assert account.last_recorded_at == events[-1].recorded_at == rows[-1].recorded_at
        in_time = sorted(events, key=lambda event: (event.recorded_at, event.sequence))
        assert in_time == events  # the order in which they get their places
        assert [event.data["id"] for event in events[1:]] == [str(row.id) for row in rows]


def require_chain(rows):
    """The hash of the last one: each covers its row and the one before."""
    head = b""
    for row in rows:
        head = chain.compute_hash(head, row)
        assert bytes(row.chain_hash) == head
    return head


def read_events(account):
    """All of an account's, each with its number and what it tells."""
    events = told.read_events(stream=account.id)
    assert [event.sequence for event in events] == list(range(1, account.event_sequence + 1))
    return events


@pytest.mark.parametrize("turn", range(5))
def test_twenty_withdrawals_at_once_spend_the_balance_once(rich, turn):
    before = count_retries()
    rows = run_at_once(*[partial(withdraw, rich, "30")] * 20)
    assert Counter(row.status for row in rows) == {"POSTED": 3, "DECLINED": 17}
    assert {row.decline_details["available"] for row in rows if row.decline_details} == {"10.00"}
    require_sound(rich)
    assert (rich.balance, count_retries()) == (10, before)


@pytest.mark.parametrize("amount", ["30", "300"])
def test_one_id_sent_24_times_at_once_is_decided_once(rich, amount):
    before = count_retries()
    order = OrderFactory(account=rich, type="WITHDRAW", amount=Decimal(amount))
    answers, _ = split(run_at_once(*[partial(post, order)] * 24))
    assert Counter(answer.replayed for answer in answers) == {True: 23, False: 1}
    [row] = Transaction.objects.filter(id=order.id).select_related("account")
    shown = orjson.loads(row.as_json)
    assert all(orjson.loads(answer.transaction.as_json) == shown for answer in answers)
    require_sound(rich)
    assert count_retries() == before


def test_one_id_with_two_amounts_at_once_is_one_command(account):
    for _ in range(10):
        id = new_id()
        orders = [OrderFactory(account=account, amount=Decimal(amount), id=id) for amount in (1, 2)]
        [winner], [refusal] = split(run_at_once(*[partial(post, order) for order in orders]))
        assert isinstance(refusal, IdempotencyKeyReused)
        assert refusal.extensions["differs"] == ["amount"]
        assert Transaction.objects.get(id=id).amount == winner.transaction.amount
    require_sound(account)


@pytest.fixture
def write_together(monkeypatch):
    """Let no posting write before another one wants to as well: both have looked and found nothing."""
    commit, both = OwnTransaction.commit, threading.Barrier(2)

    def wait_and_commit(own, *write):
        if write:
            both.wait(PATIENCE_SECONDS)
        commit(own, *write)

    monkeypatch.setattr(OwnTransaction, "commit", wait_and_commit)


def test_one_id_on_two_accounts_at_once_moves_only_one(write_together):
    accounts = [AccountFactory(), AccountFactory()]
    before, id = count_retries(), new_id()
    orders = [OrderFactory(account=account, id=id) for account in accounts]
    [winner], [refusal] = split(run_at_once(*[partial(post, order) for order in orders]))
    assert isinstance(refusal, IdempotencyKeyReused)
    assert refusal.extensions["differs"] == ["account"]
    assert Transaction.objects.get().account_id == winner.transaction.account_id
    assert sum(Account.objects.values_list("balance", flat=True)) == 100
    assert count_retries() == before + 1


def test_a_list_that_loses_the_race_for_one_id_writes_nothing_of_itself(write_together):
    accounts, id = [AccountFactory(), AccountFactory()], new_id()
    lists = [[OrderFactory(account=account), OrderFactory(account=account, id=id)] for account in accounts]
    winners, [refusal] = split(run_at_once(*[partial(post, *orders) for orders in lists]))
    assert isinstance(refusal, IdempotencyKeyReused)
    assert {row.id for row in Transaction.objects.all()} == {answer.transaction.id for answer in winners}
    assert sorted(Account.objects.values_list("balance", flat=True)) == [0, 200]


def test_lists_over_the_same_accounts_in_opposite_orders_never_wait_for_each_other_in_a_ring():
    accounts = [AccountFactory() for _ in range(6)]
    before = count_retries()

    def post_lists(accounts):
        return [post(*[OrderFactory(account=account) for account in accounts]) for _ in range(12)]

    for lists in run_at_once(*[partial(post_lists, accounts), partial(post_lists, accounts[::-1])] * 5):
        assert all(answer.transaction.status == "POSTED" for answers in lists for answer in answers)
    require_sound(*accounts)
    assert {account.version for account in accounts} == {120}
    assert count_retries() == before


def test_a_storm_over_two_accounts_leaves_two_sound_histories():
    accounts = [AccountFactory(), AccountFactory()]
    moments = [None, None, day("2023-01-10"), day("2023-01-20"), day("2023-01-30")]

    def make_order(chance):
        return OrderFactory(
            account=chance.choice(accounts),
            type=chance.choice(list(Transaction.Type)),
            amount=Decimal(chance.randint(1, 50)),
            effective_at=chance.choice(moments),
        )

    def post_mixture(seed):
        chance = random.Random(seed)
        for _ in range(25):
            post(*[make_order(chance) for _ in range(chance.randint(1, 4))])

    run_at_once(*[partial(post_mixture, seed) for seed in range(8)])
    require_sound(*accounts)
    for account in accounts:
        reasons = {row.decline_reason for row in rows_of(account)}
        assert reasons == {None, "insufficient_funds", "insufficient_funds_at"}


def make_body(account, **fields):
    return {"id": str(new_id()), "account": str(account.id), "type": "WITHDRAW", "amount": "30.00", **fields}


def test_twenty_requests_at_once_spend_the_balance_once(rich):
    clients = [make_client("api-post") for _ in range(20)]
    asking = [partial(client.post, "/api/v1/transactions", make_body(rich)) for client in clients]
    answers = run_at_once(*asking)
    assert Counter(answer.status_code for answer in answers) == {201: 3, 402: 17}
    require_sound(rich)
    assert rich.balance == 10


@contextmanager
def in_hand(work, *, commit):
    """Meanwhile another transaction has done the work and is not at its end."""
    done, go_on = threading.Event(), threading.Event()

    def hold():
        try:
            with atomic():
                work()
                done.set()
                assert go_on.wait(PATIENCE_SECONDS)
                set_rollback(not commit)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        try:
            assert done.wait(PATIENCE_SECONDS)
            yield
        finally:
            go_on.set()
            held.result()


def require_problem(answer, status, code):
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (status, code, "1")
    assert answer["Content-Type"] == "application/problem+json"


def test_an_account_that_stays_locked_is_busy_and_nothing_is_written(service, account, impatient):
    body = make_body(account, type="DEPOSIT")
    with in_hand(lambda: deposit(account, "1"), commit=False):
        require_problem(service.post("/api/v1/transactions", body), 503, "busy")
    assert rows_of(account) == []
    assert service.post("/api/v1/transactions", body).status_code == 201
    require_sound(account)


@pytest.mark.parametrize("commit", [True, False])
def test_an_id_in_the_hand_of_another_transaction_is_in_progress(service, account, impatient, commit):
    other = AccountFactory()
    order = OrderFactory(account=other)
    body = make_body(account, type="DEPOSIT", id=str(order.id))
    with in_hand(lambda: post(order), commit=commit):
        require_problem(service.post("/api/v1/transactions", body), 409, "request_in_progress")
    assert rows_of(account) == []
    answer = service.post("/api/v1/transactions", body)
    told = (answer.status_code, answer.json().get("code"))
    assert told == ((422, "idempotency_key_reused") if commit else (201, None))
    require_sound(other if commit else account)
    assert len(rows_of(account) + rows_of(other)) == 1

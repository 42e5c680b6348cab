"""Who counts the figures: beside others, killed, cut off; and every transaction is counted once."""

import threading
import time
from contextlib import contextmanager
from decimal import Decimal
from threading import Event as Flag

import pytest
from django.db import OperationalError, connection
from django.db.transaction import atomic

from ledger_project.database.embedded import EmbeddedPostgres
from tests.cast import AccountFactory, deposit, new_id, withdraw
from tests.counted import COUNTED, refresh, require_everything_counted
from tests.database import execute, find_who_waits_for_a_lock
from tests.servers import query, wait_for
from tests.service import Service
from tests.transactions.test_concurrency import in_hand
from transactions.models import Figures, HourlyTotal
from transactions.reading import statistics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_steps")]

ALIVE = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"


@contextmanager
def another_connection(work):
    """`work` runs in a thread with its own connection; the block, beside it."""
    failed = []

    def run():
        try:
            work()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield failed
    finally:
        thread.join(30)
        assert not thread.is_alive()


def test_a_transaction_that_commits_late_is_not_lost(monkeypatch):
    monkeypatch.setattr(statistics, "FLIGHT_SECONDS_MAX", 0.1)
    late, soon = AccountFactory(), AccountFactory()
    with in_hand(lambda: deposit(late, "1"), commit=True):
        deposit(soon, "1")  # recorded after the one that is not committed
        refresh()
        assert not HourlyTotal.objects.exists()  # or it would have gone past the other one
    refresh()
    require_everything_counted()
    assert HourlyTotal.objects.get().count == 2


def test_a_posting_in_flight_is_waited_for(account):
    posted = Flag()

    def post_slowly():
        with atomic():
            deposit(account, "1")
            posted.set()
            time.sleep(0.3)

    with another_connection(post_slowly):
        assert posted.wait(20)
        refresh()
        require_everything_counted()
        assert HourlyTotal.objects.get().count == 1


def test_one_that_counts_already_is_left_alone(account):
    refresh()
    deposit(account, "1")
    with in_hand(lambda: Figures.objects.select_for_update().get(), commit=True):
        refresh()
        assert not HourlyTotal.objects.exists()
    refresh()
    require_everything_counted()


def test_who_is_killed_in_the_middle_of_a_slice_has_counted_nothing_of_it(account):
    for _ in range(4):
        deposit(account, "1")
    refresh()
    for _ in range(7):
        deposit(account, "1")
    before = sorted(execute(COUNTED))

    with atomic():
        execute("SELECT 1 FROM transactions_hourlytotal FOR UPDATE")
        with another_connection(refresh) as failed:
            wait_for(find_who_waits_for_a_lock, seconds_max=20)
            [pid] = find_who_waits_for_a_lock()
            execute("SELECT pg_terminate_backend(%s)", pid)
    assert isinstance(failed[0], OperationalError)
    assert sorted(execute(COUNTED)) == before
    refresh()
    require_everything_counted()
    assert HourlyTotal.objects.get().count == 11


def test_two_that_count_while_others_post_count_everything_once(monkeypatch):
    monkeypatch.setattr(statistics, "PAUSE_SECONDS", 0.0)
    accounts = [AccountFactory() for _ in range(4)]
    stopping = Flag()

    def post_some(account):
        for number in range(25):
            with atomic():
                deposit(account, "2")
                withdraw(account, "1" if number % 3 else "1000")
                time.sleep(0.002)
        connection.close()

    counters = [threading.Thread(target=statistics.keep, args=(stopping,)) for _ in range(2)]
    writers = [threading.Thread(target=post_some, args=(account,)) for account in accounts]
    for thread in [*counters, *writers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    assert HourlyTotal.objects.exists()  # they have counted meanwhile
    stopping.set()
    for thread in counters:
        thread.join(20)
        assert not thread.is_alive()
    refresh()
    require_everything_counted()
    assert sum(total.count for total in HourlyTotal.objects.all()) == 4 * 25 * 2


def test_who_counts_goes_on_after_its_connection_was_ended(account, monkeypatch):
    monkeypatch.setattr(statistics, "PAUSE_SECONDS", 0.01)
    stopping, pids = Flag(), []

    def count():
        connection.ensure_connection()
        pids.append(connection.connection.info.backend_pid)
        statistics.keep(stopping)

    with another_connection(count) as failed:
        try:
            wait_for(lambda: Figures.objects.exists(), seconds_max=20)
            execute("SELECT pg_terminate_backend(%s)", pids[0])
            wait_for(lambda: execute(ALIVE, pids) == [(0,)], seconds_max=20)
            deposit(account, "1")
            wait_for(lambda: HourlyTotal.objects.exists(), seconds_max=20)
        finally:
            stopping.set()
    assert not failed
    require_everything_counted()


def test_what_goes_wrong_while_counting_is_not_the_relays_business():
    with atomic():
        execute("LOCK TABLE transactions_figures IN ACCESS EXCLUSIVE MODE")

        def count():
            execute("SET lock_timeout = '50ms'")
            statistics.attempt(Flag())

        with another_connection(count) as failed:
            pass
    assert not failed
    assert not Figures.objects.exists()


def test_told_to_stop_it_stops():
    AccountFactory(funds="1")
    stopping = Flag()
    stopping.set()
    statistics.keep(stopping)
    statistics.attempt(stopping)
    assert not Figures.objects.exists()


@pytest.mark.serve
def test_the_service_counts_by_itself(tmp_path):
    service = Service(tmp_path / "var").start()
    try:
        _, user = service.insist("POST", "/api/v1/users", {"id": str(new_id()), "name": "petya"})
        account = user["accounts"][0]["id"]
        body = {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "5.00"}
        assert service.insist("POST", "/api/v1/transactions", body)[0] == 201
        server = EmbeddedPostgres(service.var / "postgres")
        wait_for(lambda: bool(query(server, COUNTED, dbname="ledger")), seconds_max=60)
        [(_, *counted)] = query(server, COUNTED, dbname="ledger")
        assert counted == ["USD", "DEPOSIT", "posted", 1, Decimal(5), 0]
    finally:
        assert service.stop() == 0

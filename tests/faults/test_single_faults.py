"""One fault at a time on the real service: what its clients see, and that work goes on by itself."""

import json
import os
import signal
import time
from contextlib import suppress
from functools import partial

import psutil
import pytest

from tests.faults.conftest import Place
from tests.faults.hammer import run_service_behind_proxy
from tests.faults.ledger import connect
from tests.faults.proxy import CUT_BEFORE, HARMS, HOLD
from tests.servers import wait_for
from tests.service import is_gone
from transactions.posting.engine import ATTEMPTS_MAX

pytestmark = [pytest.mark.drill, pytest.mark.serve]

RECOVERY_SECONDS_MAX = 30
WORKERS = 2  # of the service, unless it is told otherwise
TERMINATE = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = 'ledger' AND pid <> pg_backend_pid()"
)


def find_backends(place):
    """The processes of PostgreSQL that serve the application."""
    rows = place.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = 'ledger' AND pid <> pg_backend_pid()"
    )
    return [row["pid"] for row in rows]


def terminate_connections(place):
    """Those of the application, which the proxy has told of it when this returns."""
    ended = set(place.proxy.connections)
    with connect(place.postgres) as session:
        session.execute("SET statement_timeout = 0")  # it waits until each of them has ended
        session.execute(TERMINATE)
    wait_for(lambda: ended.isdisjoint(place.proxy.connections), RECOVERY_SECONDS_MAX)


def wait_until_connected(place):
    """All workers: what earlier tests have ended is replaced after a pause, which grows with each try."""
    account = place.make_account()

    def is_connected():
        return all(place.send(place.make_body(account))[0] == 201 for _ in range(5 * WORKERS))

    wait_for(is_connected, RECOVERY_SECONDS_MAX)


def require_problem(answer, status, code):
    assert (answer[0], json.loads(answer[1])["code"]) == (status, code), answer
    assert answer[2]["Retry-After"] == "1"


@pytest.fixture
def account(place):
    return place.make_account()


# Commits


@pytest.fixture
def commits(place):
    """Of nobody but the requests of the test."""
    with place.relay_asleep():
        yield place.proxy


@pytest.mark.parametrize("harm", HARMS)
def test_a_cut_commit_is_answered_as_if_nothing_had_been(place, commits, harm, account):
    commits.harm(harm)
    before = commits.harmed[harm]
    status, text, headers = place.send(place.make_body(account))
    assert (status, commits.harmed[harm] - before) == (201, 1), text
    assert ("Idempotency-Replayed" in headers) is (harm != CUT_BEFORE)


@pytest.mark.parametrize("harm", HARMS)
def test_when_every_commit_is_cut_it_is_503_and_the_same_request_resolves_it(place, commits, harm, account):
    body = place.make_body(account)
    commits.hold_seconds = 0.2
    commits.harm(harm, times=1 + ATTEMPTS_MAX)  # of the thread that never waits, and of the one that does
    require_problem(place.send(body), 503, "database_unavailable")
    status, text, headers = place.send(body)
    assert status == 201, text
    assert ("Idempotency-Replayed" in headers) is (harm != CUT_BEFORE)


def test_a_client_that_gives_up_on_a_held_commit_finds_it_done(place, commits, account):
    body = place.make_body(account)
    commits.hold_seconds = 4.0
    commits.harm(HOLD)
    before = commits.harmed[HOLD]
    with pytest.raises(TimeoutError):
        place.service.send("POST", "/api/v1/transactions", body, timeout=1)
    assert commits.harmed[HOLD] == before + 1
    status, text, headers = place.send(body)
    assert (status, headers["Idempotency-Replayed"]) == (201, "true"), text


# Processes


def test_terminated_connections_are_replaced_unnoticed(place, account):
    for _ in range(3):
        for _ in range(8):
            place.deposit(account)
        assert find_backends(place)
        terminate_connections(place)
        for _ in range(8):
            assert place.send(place.make_body(account))[0] == 201


def test_a_backend_that_is_killed_makes_the_database_recover_and_nothing_is_lost(place, account):
    postmaster = place.service.read_postmaster_pid()
    for _ in range(3):
        for _ in range(8):
            place.deposit(account)
        psutil.Process(find_backends(place)[0]).kill()
        place.deposit(account)
    assert place.service.read_postmaster_pid() == postmaster
    place.deposit(account)


def test_a_killed_postmaster_is_started_again_and_nothing_is_lost(place, account):
    for _ in range(2):
        place.deposit(account)
        postmaster = place.service.read_postmaster_pid()
        os.kill(postmaster, signal.SIGKILL)
        place.deposit(account)  # perhaps by a backend that has not noticed yet
        wait_for(partial(has_another_postmaster, place, postmaster), RECOVERY_SECONDS_MAX)
    place.deposit(account)  # the new one answers


def has_another_postmaster(place, former):
    with suppress(OSError, IndexError, ValueError):  # its file is being written
        return place.service.read_postmaster_pid() != former
    return False


def count_workers(place):
    assert place.service.process.poll() is None, place.service.output
    with suppress(AssertionError, ValueError, psutil.Error):  # nothing of the server is there just now
        return len(place.service.find_workers())
    return 0


def kill_youngest_worker(place):
    """And wait until another has taken its place. All are there before, perhaps of a server begun anew."""
    wait_for(lambda: count_workers(place) == WORKERS, RECOVERY_SECONDS_MAX)
    victim = max(place.service.find_workers(), key=lambda worker: worker.create_time())
    victim.kill()
    wait_for(lambda: is_gone(victim.pid) and count_workers(place) == WORKERS, RECOVERY_SECONDS_MAX)


def test_a_worker_that_dies_again_right_after_it_came_back_ends_no_service(tmp_path):
    with run_service_behind_proxy(tmp_path) as parts:
        place = Place(*parts)
        account = place.make_account()
        for _ in range(3):
            place.deposit(account)
            kill_youngest_worker(place)
        place.deposit(account)
        place.require_exactly_what_was_acknowledged()


# Time-outs


def test_a_locked_account_is_busy_and_the_others_go_on(place):
    wait_until_connected(place)
    locked, free = place.make_account(), place.make_account()
    body = place.make_body(locked)
    with connect(place.postgres) as session:
        session.execute("SELECT FROM accounts_account WHERE id = %s FOR UPDATE", [locked])
        require_problem(place.send(body), 503, "busy")
        for _ in range(20):
            assert place.send(place.make_body(free))[0] == 201
        require_problem(place.send(body), 503, "busy")
    assert place.send(body)[0] == 201


@pytest.fixture
def short_statements(place):
    """New connections of the application allow a statement half a second, less than a lock may take."""

    def set_timeout(change):
        with connect(place.postgres) as session:
            session.autocommit = True
            session.execute(f"ALTER DATABASE ledger {change}")
        terminate_connections(place)
        wait_until_connected(place)

    set_timeout("SET statement_timeout = '500ms'")
    yield
    set_timeout("RESET statement_timeout")


def test_a_statement_that_takes_too_long_is_busy_and_done_when_sent_again(place, short_statements):
    locked, free = place.make_account(), place.make_account()
    body = place.make_body(locked)
    with connect(place.postgres) as session:
        session.execute("SELECT FROM accounts_account WHERE id = %s FOR UPDATE", [locked])
        began = time.monotonic()
        require_problem(place.send(body), 503, "busy")
        assert time.monotonic() - began > 0.4
        assert place.send(place.make_body(free))[0] == 201
    assert place.send(body)[0] == 201

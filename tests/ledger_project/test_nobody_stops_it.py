"""Slow, silent, greedy and hostile clients at a server: the others are served as if alone."""

import json
import signal
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest

from ledger_project.database.embedded import EmbeddedPostgres
from tests import slow_clients
from tests.cast import new_id
from tests.faults.hammer import make_account
from tests.servers import wait_for
from tests.service import Service
from tests.slow_clients import CLIENTS, TRANSACTIONS, UNFINISHED, Bystanders, make_head

pytestmark = [pytest.mark.drill, pytest.mark.serve]

# The limits of the service under test: short, so that the tests are.
IDLE_SECONDS, BODY_SECONDS, LONG_POLLS_MAX = 8, 2, 8
BODIES_BYTES_MAX, LONG_ANSWERS_BYTES_MAX = 16 * 1024 * 1024, 16 * 1024 * 1024
SLACK_SECONDS = 4  # of a machine that does other things too
TIMES = 3  # slower, at most, may others be
FLOOR_SECONDS = 0.05  # below this nobody is slow, whatever the machine
LINES = 20_000  # of the long statement; 4.5 MB, more than the kernel takes for a slow reader


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    slow_clients.raise_file_limit()
    names = ["IDLE_SECONDS", "BODY_SECONDS", "LONG_POLLS_MAX", "BODIES_BYTES_MAX", "LONG_ANSWERS_BYTES_MAX"]
    environment = {name: str(globals()[name]) for name in names}
    service = Service(tmp_path_factory.mktemp("limits") / "var", environment).start()
    yield service
    if service.process.poll() is None:
        service.stop()


@pytest.fixture(scope="module")
def bystanders(service):
    bystanders = Bystanders(service, [make_account(service) for _ in range(CLIENTS)])
    bystanders.measure()
    return bystanders


@pytest.fixture(scope="module")
def statement(service):
    """The address of a statement that is too long for the buffers on its way."""
    account = make_account(service)
    for _ in range(LINES // 1000):
        deposit = {"command": "transaction", "account": account, "type": "DEPOSIT", "amount": "1.00"}
        batch = {"id": str(new_id()), "atomic": True, "commands": [deposit] * 1000}
        status, text, _ = service.send("POST", "/api/v1/batches", batch, timeout=60)
        assert status == 200, text[:300]
    return f"/api/v1/accounts/{account}/statement?from=2020-01-01&to=2030-01-01"


def read_code(answer):
    return json.loads(answer.partition("\r\n\r\n")[2])["code"]


def require_undisturbed(bystanders, disturb, rounds=2):
    """POSTs take about as long with the disturbance as without, measured in turns; none is refused."""
    without, beside = [], []
    for _ in range(rounds):
        without.append(bystanders.measure())
        with disturb():
            beside.append(bystanders.measure())
    allowed = TIMES * max(FLOOR_SECONDS, statistics.median(without))
    assert statistics.median(beside) <= allowed, (without, beside)


@pytest.mark.parametrize("kind", UNFINISHED)
def test_unfinished_bodies_hold_nobody_up(service, bystanders, kind):
    require_undisturbed(bystanders, lambda: slow_clients.unfinished(service, kind))


def test_an_unfinished_body_is_told_so_in_time(service):
    kinds, length = ["API bodies", "batches", "forms"], 32 * 1024
    started = time.monotonic()
    with ExitStack() as opened:
        all = [opened.enter_context(slow_clients.unfinished(service, kind, 1, length))[0] for kind in kinds]
        for connection in all:
            answer = connection.recv(65536).decode()
            assert answer.startswith("HTTP/1.1 408 ")
            assert read_code(answer) == "request_timeout"
            assert "x-request-id: " in answer.lower()
            assert BODY_SECONDS + 1 <= time.monotonic() - started < BODY_SECONDS + 1 + SLACK_SECONDS


def test_a_chunked_body_is_refused_before_it_ends(service):
    started = time.monotonic()
    with slow_clients.unfinished(service, "chunked bodies", 1) as [connection]:
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 411 ")
    assert read_code(answer) == "length_required"
    assert time.monotonic() - started < BODY_SECONDS


def test_a_slow_uplink_is_no_attacker(service):
    """A body of 40 KiB at less than 32 KiB a second, with a pause before its end."""
    order = {"id": str(new_id()), "account": make_account(service), "type": "DEPOSIT", "amount": "1.00"}
    body = json.dumps(order).encode() + b" " * 40 * 1024
    lines = ["Content-Type: application/json", f"Authorization: Bearer {service.token}"]
    head = make_head("POST", TRANSACTIONS, *lines, f"Content-Length: {len(body)}", "Connection: close")
    with slow_clients.connections(service.port, 1, head) as [connection]:
        for start in range(0, len(body), 8192):
            connection.sendall(body[start : start + 8192])
            time.sleep(0.3)
        time.sleep(BODY_SECONDS / 2)
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")


def test_silent_connections_and_half_headers_hold_nobody_up_and_are_ended(service, bystanders):
    half = make_head("POST", TRANSACTIONS)[:-10]
    with ExitStack() as opened:
        silent = []

        def disturb():
            silent.extend(opened.enter_context(slow_clients.connections(service.port, 2000)))
            silent.extend(opened.enter_context(slow_clients.connections(service.port, 400, half)))
            return ExitStack()

        require_undisturbed(bystanders, disturb, rounds=1)
        deadline = time.monotonic() + IDLE_SECONDS + SLACK_SECONDS
        for connection in silent:
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                while connection.recv(1000):
                    pass
            except ConnectionResetError:
                pass


def test_wrong_logins_hold_nobody_up(service, bystanders):
    disturb = lambda: slow_clients.in_threads(12, lambda: slow_clients.log_in_wrongly(service))  # noqa: E731
    require_undisturbed(bystanders, disturb)


@pytest.mark.parametrize("number", [24, 100])
def test_slow_readers_hold_nobody_up(service, bystanders, statement, number):
    require_undisturbed(bystanders, lambda: slow_clients.slow_readers(service, statement, number), rounds=1)


def test_while_some_read_slowly_another_gets_the_whole_statement(service, statement):
    with slow_clients.slow_readers(service, statement, 4):
        status, read = service.insist("GET", statement)
    assert (status, len(read["lines"])) == (200, LINES)


def test_what_readers_have_not_taken_has_a_bound_and_there_is_room_when_they_are_gone(service, statement):
    def is_refused():
        status, text, _ = service.send("GET", statement)
        assert (status, status == 503 and json.loads(text)["code"]) in [(200, False), (503, "busy")]
        return status == 503

    with slow_clients.slow_readers(service, statement, 24):
        wait_for(lambda: all(is_refused() for _ in range(8)), 40)
        assert service.send("GET", "/readyz")[0] == 200
    wait_for(lambda: not any(is_refused() for _ in range(4)), 40)


def poll(service, token):
    started = time.monotonic()
    path = f"/api/v1/events?wait=3&after={poll.cursor}"
    status, text, headers = service.send("GET", path, Authorization=f"Bearer {token}")
    return status, time.monotonic() - started, headers, text


def test_one_caller_has_a_share_and_a_full_lane_says_so_while_the_others_answer(service, bystanders):
    """Long polls: a caller has at most half of the places, while others have none."""
    _, text, _ = service.send("GET", "/api/v1/events?limit=500")
    poll.cursor = json.loads(text)["cursor"]
    while json.loads(text)["has_more"]:
        _, text, _ = service.send("GET", f"/api/v1/events?limit=500&after={poll.cursor}")
        poll.cursor = json.loads(text)["cursor"]
    other = service.issue_token("api-read")
    with ThreadPoolExecutor(60) as threads:
        greedy = [threads.submit(poll, service, service.token) for _ in range(50)]
        time.sleep(0.5)
        modest = threads.submit(poll, service, other)
        bystanders.require_life()
        assert service.send("GET", f"/api/v1/accounts/{bystanders.accounts[0]}/balance")[0] == 200
        answers = [each.result() for each in greedy]
        status, waited, _, _ = modest.result()
    served = [answer for answer in answers if answer[0] == 200]
    refused = [answer for answer in answers if answer[0] != 200]
    assert len(served) <= len(service.find_workers()) * LONG_POLLS_MAX / 2
    assert all(waited >= 2.5 for _, waited, _, _ in served)
    assert (status, waited >= 2.5) == (200, True)
    for status, waited, headers, text in refused:
        assert (status, json.loads(text)["code"], headers["Retry-After"]) == (503, "busy", "1")
        assert json.loads(text)["request_id"] == headers["X-Request-Id"]
        assert waited < 2
    request_id = refused[0][2]["X-Request-Id"]
    assert any(request_id in line and '"status":503' in line for line in service.output.splitlines())
    _, metrics, _ = service.send("GET", "/metrics")
    assert 'ledger_requests_total{method="GET",route="api/v1/events",status="503"}' in metrics


def test_told_to_end_it_answers_what_it_has_begun_whoever_else_is_connected(service):
    account = make_account(service)
    postgres = EmbeddedPostgres(service.var / "postgres")
    half = make_head("POST", TRANSACTIONS, "Content-Length: 100")
    with (
        psycopg.connect(host=str(postgres.socket_folder), user="postgres", dbname="ledger") as locker,
        ThreadPoolExecutor(6) as threads,
        slow_clients.connections(service.port, 2000),
        slow_clients.connections(service.port, 20, half),
    ):
        locker.execute("SELECT 1 FROM accounts_account WHERE id = %s FOR UPDATE", [account])
        orders = [
            {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"} for _ in range(6)
        ]
        answers = [threads.submit(service.send, "POST", TRANSACTIONS, order) for order in orders]
        time.sleep(0.5)
        service.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        time.sleep(1)
        locker.rollback()
        assert [answer.result()[0] for answer in answers] == [201] * 6
        service.process.wait(60)
    assert time.monotonic() - started < 15

"""The bad inputs that a real server takes part in: its reading of header lines, its workers, their death."""

import http.client
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger_project.database.embedded import EmbeddedPostgres
from tests.bad_inputs import TRANSACTIONS, find_cases, is_expected, make_request
from tests.bad_inputs_world import World
from tests.cast import new_id
from tests.raw_requests import send_to_port
from tests.refusals import require_books, require_problem, take_stock
from tests.servers import query, wait_for
from tests.service import Service

pytestmark = pytest.mark.serve

CASES = find_cases("server")
ROUNDS = 100
# Of the relay's commits, which wait too, none has written a transaction.
POSTING_IS_COMMITTED = """
    SELECT 1 FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE wait_event = 'SyncRep'
    AND mode = 'RowExclusiveLock' AND relation = 'transactions_transaction'::regclass
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("bad-inputs")).start()
    yield service
    service.stop()


@pytest.fixture
def ask(service):
    """Runs SQL in the service's database."""
    postgres = EmbeddedPostgres(service.var / "postgres")
    return lambda statement: query(postgres, statement, dbname="ledger")


@pytest.fixture
def world(service):
    _, user = service.insist("POST", "/api/v1/users", {"id": str(new_id()), "name": "petya"})
    return World(token=service.token, account_id=user["accounts"][0]["id"])


@pytest.mark.parametrize("id", [id for id, case in CASES.items() if "status" in case])  # the others are below
def test_a_bad_input_is_answered_by_the_server_as_it_must_be(service, world, ask, id):
    request = make_request(CASES[id], world.fill)
    before = take_stock(ask)
    answer = send_to_port(service.port, request)
    assert is_expected(CASES[id], answer), answer
    require_books(before, take_stock(ask), request.method, answer)
    if id == "JSO-045":  # the HTTP server refuses it: there is no request that the application could see
        assert answer.text == ""
    elif answer.status >= 400:
        require_problem(answer)


def find_rows(service, world):
    status, page = service.insist("GET", f"{TRANSACTIONS}?account={world['account_id']}")
    assert status == 200
    return page["results"]


def test_of_two_amounts_under_one_id_at_once_one_is_posted(service, world):
    """IDE-044."""
    case = CASES["IDE-044"]
    requests = [
        make_request({**case, "body": case["body"].replace("10.00", amount)}, world.fill)
        for amount in ("1.00", "2.00")
    ]
    with ThreadPoolExecutor(len(requests)) as threads:
        answers = list(threads.map(lambda request: send_to_port(service.port, request), requests))
    [posted, refused] = sorted(answers, key=lambda answer: answer.status)
    assert (posted.status, refused.status, refused.code) == (201, 422, "idempotency_key_reused")
    assert find_rows(service, world) == [posted.json()]


def test_of_a_capture_and_a_release_at_once_one_wins(service, world):
    """BUS-023."""
    account, won = {"account": world["account_id"], "amount": "1.00"}, Counter()
    money = {**account, "amount": str(ROUNDS), "type": "DEPOSIT"}
    assert service.insist("POST", TRANSACTIONS, {**money, "id": str(new_id())})[0] == 201
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            _, held = service.insist("POST", "/api/v1/holds", {**account, "id": str(new_id())})
            commands = {"capture": {"id": str(new_id())}, "release": None}
            ask = [
                threads.submit(service.insist, "POST", f"/api/v1/holds/{held['id']}/{name}", body)
                for name, body in commands.items()
            ]
            (captured, answer), (released, other) = (each.result() for each in ask)
            if captured == 201:
                assert (released, other["code"], other["hold_status"]) == (422, "hold_not_open", "CAPTURED")
            else:
                assert (released, captured, answer["code"]) == (200, 422, "hold_not_open")
            won[captured] += 1
    _, left = service.insist("GET", f"/api/v1/accounts/{account['account']}")
    assert (left["held"], left["balance"]) == ("0.00", f"{ROUNDS - won[201]}.00")
    assert {row["status"] for row in find_rows(service, world)} == {"POSTED", "DECLINED"}


def test_a_worker_killed_between_the_commit_and_the_answer_posted_once(service, world, ask):
    """IDE-051. A commit that waits for a standby that never comes is done, and its client does not know."""
    request = make_request(CASES["IDE-051"], world.fill)
    ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    ask("SELECT pg_reload_conf()")
    time.sleep(0.5)  # every backend is told by a signal, one after the other
    try:
        with ThreadPoolExecutor(1) as threads:
            future = threads.submit(send_to_port, service.port, request)
            wait_for(lambda: ask(POSTING_IS_COMMITTED))
            for worker in service.find_workers():
                worker.send_signal(signal.SIGKILL)
            with pytest.raises((OSError, http.client.HTTPException)):
                future.result()
    finally:
        ask("ALTER SYSTEM RESET synchronous_standby_names")
        ask("SELECT pg_reload_conf()")
    answer = insist(service, request)
    assert (answer.status, answer.headers["idempotency-replayed"]) == (201, "true")
    assert find_rows(service, world) == [answer.json()]


def insist(service, request):
    answers = []

    def ask_again():
        try:
            answers.append(send_to_port(service.port, request))
        except (OSError, http.client.HTTPException):
            return False
        return answers[-1].status < 409 or answers[-1].status == 422

    wait_for(ask_again)
    return answers[-1]

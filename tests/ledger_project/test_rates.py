"""How many requests a token may send: counted by each worker, replays not."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger_project.server import rates
from ledger_project.server.rates import BURST, SECOND, Rates, write_seconds
from tests.cast import new_id
from tests.raw_requests import Request, send_to_port
from tests.service import Service

TRANSACTIONS = "/api/v1/transactions"
TRIES = 30


def ask(service, method, path, body=None):
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {service.token}")]
    content = b"" if body is None else json.dumps(body).encode()
    if body is not None:
        headers.append(("Content-Type", "application/json"))
    return send_to_port(service.port, Request(method, path, headers, content))


@pytest.fixture
def clock(monkeypatch):
    clock = [1000.0]  # seconds
    monkeypatch.setattr(rates.time, "monotonic_ns", lambda: int(clock[0] * SECOND))
    return clock


def test_as_much_as_was_saved_up_and_then_as_much_as_comes(clock):
    of_all = Rates(10)
    taken = 10 * BURST // SECOND
    assert [of_all.take("petya") for _ in range(taken)] == [0] * taken
    assert 0 < of_all.take("petya") <= 0.1 + 1e-6
    assert of_all.take("vasya") == 0
    clock[0] += 0.11
    assert of_all.take("petya") == 0
    assert of_all.take("petya") > 0
    clock[0] += 3600  # no more is saved up than that
    assert [of_all.take("petya") == 0 for _ in range(taken + 1)] == [True] * taken + [False]


def test_what_is_refused_does_not_count_nor_what_is_given_back(clock):
    of_all = Rates(1)
    assert [of_all.take("petya") for _ in range(2)] == [0, 0]
    waits = [of_all.take("petya") for _ in range(5)]
    assert waits == [waits[0]] * 5
    assert write_seconds(waits[0]) == "1"
    of_all.give_back("petya")
    assert of_all.take("petya") == 0
    of_all.give_back("vasya")  # who is not known any more


def test_one_every_few_seconds_is_a_rate_too(clock):
    of_all = Rates(0.2)
    assert of_all.take("petya") == 0
    assert write_seconds(of_all.take("petya")) == "5"
    clock[0] += 5
    assert of_all.take("petya") == 0


def test_callers_who_are_silent_are_forgotten_first(clock, monkeypatch):
    monkeypatch.setattr(rates, "CALLERS_MAX", 3)
    of_all = Rates(1)
    for caller in "abc":
        of_all.take(caller)
    clock[0] += 10
    of_all.take("d")
    assert set(of_all.free_at) == {"d"}
    for caller in "ef":
        of_all.take(caller)
    of_all.take("g")
    assert set(of_all.free_at) == {"g"}


@pytest.mark.serve
def test_a_token_that_sends_too_much_is_told_when_to_go_on(tmp_path):
    service = Service(tmp_path, {"RATE_LIMIT": "3"}, options=["--workers", "1", "--no-relay"]).start()
    try:
        petya = service.insist("POST", "/api/v1/users", {"id": str(new_id()), "name": "petya"})[1]
        body = {"id": str(new_id()), "user": petya["id"], "type": "DEPOSIT", "amount": "1.00"}
        assert ask(service, "POST", TRANSACTIONS, body).status == 201
        for _ in range(TRIES):  # nothing of it counts
            replay = ask(service, "POST", TRANSACTIONS, body)
            assert replay.status == 201, replay
            assert replay.headers["idempotency-replayed"] == "true"
        with ThreadPoolExecutor(8) as threads:
            address = f"{TRANSACTIONS}/{body['id']}"
            answers = list(threads.map(lambda _: ask(service, "GET", address), range(TRIES)))
        assert {answer.status for answer in answers} == {200, 429}
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.code == "too_many_requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        for path in ("/livez", "/errors"):
            assert ask(service, "GET", path).status == 200
    finally:
        service.stop()

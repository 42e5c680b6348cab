"""The bad inputs that are judged by what is noted of a delivery: a receiver that does as it is told."""

from datetime import datetime, timedelta

import pytest

from events import subscriptions
from events.models import parse_cursor
from events.relay import Relay
from ledger_project.wsgi import application
from tests.bad_inputs import CASES, SUBSCRIPTION, find_cases, make_request
from tests.bad_inputs_world import HOSTS, World, find_account
from tests.cast import CALLER, deposit
from tests.names import resolving
from tests.raw_requests import Request, connection_kept, send
from tests.receivers import answering, receiver


@pytest.fixture
def world(db, settings):
    settings.WEBHOOK_LOOPBACK = True
    with connection_kept(), resolving() as names:
        names.update({host: [*addresses] for host, addresses in HOSTS.items()})
        yield World()


def ask(world, id):
    answer = send(application, make_request(CASES[id], world.fill))
    return answer.status, answer.json()


def look(world):
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {world['admin']}")]
    return send(application, Request("GET", world.fill(SUBSCRIPTION), headers)).json()


def deliver(world, id, behaviour):
    """What is noted of one event that the receiver was sent, after what the case asks for."""
    with receiver(behaviour) as hook:
        made, _ = subscriptions.create(kind="webhook", url=hook.url, caller=CALLER)
        world["webhook_id"] = str(made.id)
        status, tried = ask(world, id)
        assert (status, tried["delivered"], len(hook.requests)) == (200, False, 1)
        before = look(world)
        assert before["last_error"] is None  # a test is no delivery
        deposit(find_account(world), "1")
        Relay().run(once=True)
        assert len(hook.requests) == 2
    after = look(world)
    assert (after["failed"], after["sent"], after["attempts"]) == (1, 0, 1)
    assert parse_cursor(after["cursor"]).epoch == parse_cursor(before["cursor"]).epoch
    assert after["lag"]["events"] > 0
    assert after["last_error"] == tried["error"]
    return after


def test_a_redirect_is_a_failure_and_is_not_followed(world):
    with receiver() as inside:
        noted = deliver(world, "WEB-042", answering(302, Location=inside.url))
        assert inside.requests == []
    assert (noted["status"], noted["last_error"]) == ("ACTIVE", "The receiver answered 302.")


def test_a_receiver_that_is_gone_is_told_nothing_more(world):
    noted = deliver(world, "WEB-045", answering(410))
    assert (noted["status"], noted["next_attempt_at"]) == ("DISABLED", None)


def test_a_receiver_that_asks_for_an_hour_has_it(world):
    noted = deliver(world, "WEB-046", answering(429, Retry_After="3600"))
    failed, next = (datetime.fromisoformat(noted[name]) for name in ("last_error_at", "next_attempt_at"))
    assert next - failed >= timedelta(seconds=3600)
    assert noted["status"] == "ACTIVE"


def test_a_name_that_changes_its_mind_leads_nowhere(world, settings):
    """WEB-038: it was public when it was subscribed."""
    settings.WEBHOOK_LOOPBACK = False
    status, made = ask(world, "WEB-038")
    assert status == 201
    world["webhook_id"] = made["id"]
    _, tried = ask(world, "WEB-042")
    assert tried["error"].startswith(
        "ConnectError: The host is not at a public address but on the ledger's own"
    )


def saying(answer):
    def behave(handler):
        handler.wfile.write(answer)
        handler.close_connection = True

    return behave


EMPTY = b"\r\nContent-Length: 0\r\n\r\n"
STRANGE = [
    b"",
    b"SSH-2.0-x\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1 099 x" + EMPTY,
    b"HTTP/1.1 999 x" + EMPTY,
    b"HTTP/1.1 500 \x00\xff" + EMPTY,
    b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 200 x\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 302 x\r\nLocation: http://[::1" + EMPTY,
    b"HTTP/1.1 302 x\r\nLocation: \xff" + EMPTY,
    b"HTTP/1.1 302 x\r\nLocation: //:99999999/" + EMPTY,
    b"HTTP/1.1 429 x\r\nRetry-After: \xb2" + EMPTY,
    b"HTTP/1.1 429 x\r\nRetry-After: " + b"9" * 5000 + EMPTY,
    b"HTTP/1.1 429 x\r\nRetry-After: Mon, 01 Jan " + b"9" * 20 + b" 00:00:00 GMT" + EMPTY,
    b"HTTP/1.1 429 x\r\nRetry-After: Mon, 01 Jan 2020 00:00:00 +" + b"9" * 20 + EMPTY,
]


@pytest.mark.parametrize("answer", STRANGE)
def test_whatever_a_receiver_says_is_no_fault_of_the_ledgers(world, answer):
    with receiver(saying(answer)) as hook:
        made, _ = subscriptions.create(kind="webhook", url=hook.url, caller=CALLER)
        world["webhook_id"] = str(made.id)
        status, tried = ask(world, "WEB-042")
    assert (status, tried["delivered"]) == (200, False)
    assert tried["error"]


def test_no_other_case_is_judged_by_a_delivery():
    assert find_cases("delivery").keys() == {"WEB-042", "WEB-045", "WEB-046"}

"""The catalogue of bad inputs: each is answered as the catalogue says.

What takes a real server is in test_bad_inputs_at_a_server.py, what is judged by a delivery in
test_bad_inputs_of_deliveries.py, and what is tried in the back office in tests/office.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.wsgi import get_wsgi_application

from ledger_project.wsgi import application
from rest.viewsets import known_tokens
from tests.bad_inputs import CASES, find_cases, is_expected, make_request
from tests.bad_inputs_setup import SETUP, see_nobodys
from tests.bad_inputs_world import HOSTS, World
from tests.cast import issue_token
from tests.names import resolving
from tests.raw_requests import Answer, Request, connection_kept, send
from tests.refusals import INNARDS, require_books, require_problem, take_stock

HERE = find_cases("here")
SEQUENCES = [id for id, case in HERE.items() if "steps" in case]
BOLA = [id for id, case in HERE.items() if case.get("setup") == "alice's token, bob's object"]


class Sender:
    """Sends what is bad, and looks at everything before and after."""

    def __init__(self):
        self.world = World()
        self.application = application

    def prepare(self, case):
        if "setup" in case:
            SETUP[case["setup"]](self.world)

    def send(self, case):
        request = make_request(case, self.world.fill)
        before = take_stock()
        answer = send(self.application, request)
        require_books(before, take_stock(), request.method, answer)
        if answer.status >= 400:
            require_problem(answer)
        assert "access-control-allow-origin" not in answer.headers
        return answer


@pytest.fixture
def sender(db):
    with connection_kept(), resolving() as names:
        names.update({host: [*addresses] for host, addresses in HOSTS.items()})
        yield Sender()


@pytest.mark.parametrize("id", [id for id in HERE if id not in SEQUENCES])
def test_a_bad_input_is_answered_as_it_must_be(sender, id):
    sender.prepare(HERE[id])
    answer = sender.send(HERE[id])
    assert is_expected(HERE[id], answer), answer


@pytest.mark.parametrize("id", SEQUENCES)
def test_a_sequence_is_answered_as_it_must_be(sender, id, time_machine):
    saved = {}
    sender.world["token"] = issue_token("api-post", expiry=None)
    for step in HERE[id]["steps"]:
        if "clock_days" in step:
            time_machine.move_to(datetime.now(UTC) + timedelta(days=step["clock_days"]))
            known_tokens.clear()
            sender.application = get_wsgi_application()
            continue
        answer = sender.send({**HERE[id], **step})
        assert is_expected(step, answer), answer
        assert (answer.headers.get("idempotency-replayed") == "true") == step.get("replays", False)
        if "same_as" in step:
            assert forget_request(answer) == saved[step["same_as"]]
        if "save" in step:
            saved[step["save"]] = forget_request(answer)
            sender.world[f"{step['save']}.id"] = answer.json()["id"]


def forget_request(answer):
    """The answer's body. A problem names the request that it answers, and a cursor is encrypted: they are
    other ones each time.
    """
    others = {"cursor"} if answer.code is None else {"request_id"}
    return {name: value for name, value in answer.json().items() if name not in others}


@pytest.mark.parametrize("id", BOLA)
def test_what_is_anothers_is_answered_like_what_does_not_exist(sender, id):
    sender.prepare(HERE[id])
    anothers = sender.send(HERE[id])
    see_nobodys(sender.world)
    nobodys = sender.send(HERE[id])
    assert (nobodys.status, forget_request(nobodys)) == (anothers.status, forget_request(anothers))


def test_every_case_is_tried_somewhere():
    assert Counter(case["where"] for case in CASES.values()) == {
        "here": 544,
        "server": 17,
        "office": 14,
        "delivery": 3,
    }


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/api/schema", "/api/docs"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_what_needs_no_token_takes_no_harm(sender, path, method):
    headers = [
        ("Host", "localhost"),
        ("Content-Type", "text/\xff"),
        ("Accept", "image/\xff;q=x"),
        ("Range", "x"),
    ]
    before = take_stock()
    answer = send(sender.application, Request(method, f"{path}?a=%00&a=%ff&format=api", headers, b"\xff{"))
    assert answer.status < 500
    assert answer.status == 200 or method != "GET"
    assert not INNARDS.search(answer.text) or answer.status == 200
    assert take_stock() == before


@pytest.mark.parametrize(("status", "code"), [(400, "required"), (422, "amount_invalid"), (201, None)])
def test_an_answer_that_is_not_expected_is_seen(status, code):
    problem = f'{{"code": "{code}"}}'.encode()
    answer = Answer(status, [("Content-Type", "application/problem+json")] if code else [], problem)
    assert is_expected({"status": status, "code": code}, answer)
    assert not is_expected({"status": 400, "code": "amount_invalid"}, answer)

"""The catalogue of bad inputs: each is answered as the catalogue wants, or as a listed difference says.

`python -m tests.bad_inputs` prints the counts. What takes a real server is in test_bad_inputs_at_a_server.py,
what is judged by a delivery in test_bad_inputs_of_deliveries.py.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.wsgi import get_wsgi_application

from ledger_project.wsgi import application
from rest.authentication import known_tokens
from tests import bad_inputs
from tests.bad_inputs import AT_A_SERVER, BY_DELIVERY, CASES, HERE, NEVER, OFFICE, RUN, Expected
from tests.bad_inputs_differences import DIFFERENCES
from tests.bad_inputs_world import HOSTS, SETUP, World, see_nobodys
from tests.cast import issue_token
from tests.names import resolving
from tests.raw_requests import Request, connection_kept, send
from tests.refusals import INNARDS, require_books, require_problem, take_stock

SEQUENCES = {id for id, case in RUN.items() if "steps" in case}
BOLA = [id for id, case in RUN.items() if case.get("setup") == "alice's token, bob's object"]
SINGLE = [id for id in RUN if id not in SEQUENCES | AT_A_SERVER | BY_DELIVERY]


class Sender:
    """Sends what is bad, and looks at everything before and after."""

    def __init__(self):
        self.world = World()
        self.application = application

    def send(self, case, **options):
        request = bad_inputs.make_request(case, self.world.fill, **options)
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


def prepare(sender, case):
    for name in (case["id"], case.get("setup")):
        SETUP.get(name, lambda world: None)(sender.world)


@pytest.mark.parametrize("id", SINGLE)
def test_a_bad_input_is_answered_as_it_must_be(sender, id):
    prepare(sender, RUN[id])
    answer = sender.send(RUN[id])
    expected = bad_inputs.find_expected(RUN[id])
    assert expected.allows(answer.status, answer.code), (expected, answer)


@pytest.mark.parametrize("id", sorted(SEQUENCES - AT_A_SERVER))
def test_a_sequence_is_answered_as_it_must_be(sender, id, time_machine):
    case, saved = RUN[id], {}
    sender.world["token"] = issue_token("api-post", expiry=None)
    for step, expected in bad_inputs.find_expected_of_steps(case):
        if step.get("op") == "restart_server_with_clock_shift":
            time_machine.move_to(datetime.now(UTC) + timedelta(days=step["days"]))
            known_tokens.clear()
            sender.application = get_wsgi_application()
            continue
        answer = sender.send({**step, "id": id}, over=step["body_over"], caller=step.get("as_", ""))
        assert expected.allows(answer.status, answer.code), (expected, answer)
        replays = step["expect_code"] == "replayed" or "expect_same_body_as" in step
        assert (answer.headers.get("idempotency-replayed") == "true") == replays
        if "expect_same_body_as" in step:
            assert forget_request(answer) == saved[step["expect_same_body_as"]]
        if "save" in step:
            saved[step["save"]] = forget_request(answer)
            sender.world[f"{step['save']}.id"] = answer.json()["id"]


def forget_request(answer):
    """The answer's body. A problem names the request that it answers, which is another one each time."""
    return {
        name: value for name, value in answer.json().items() if name != "request_id" or answer.code is None
    }


@pytest.mark.parametrize("id", BOLA)
def test_what_is_anothers_is_answered_like_what_does_not_exist(sender, id):
    prepare(sender, RUN[id])
    anothers = sender.send(RUN[id])
    see_nobodys(sender.world)
    nobodys = sender.send(RUN[id])
    assert nobodys.status == anothers.status
    assert forget_request(nobodys) == forget_request(anothers)


@pytest.mark.parametrize("id", DIFFERENCES)
def test_a_difference_is_one(id):
    difference = DIFFERENCES[id]
    assert not bad_inputs.read_expected(RUN[id]).allows(difference.status, difference.code)


def test_every_case_is_run_or_is_of_the_back_office_or_of_what_is_not_there():
    assert {case["endpoint"] for case in CASES.values()} == {*HERE, *OFFICE, *NEVER}
    assert len(HERE) + len(OFFICE) + len(NEVER) == len({*HERE, *OFFICE, *NEVER})
    office, never = (sum(case["endpoint"] in names for case in CASES.values()) for names in (OFFICE, NEVER))
    assert (len(RUN), office, never) == (363, 14, 3)
    assert len(SINGLE) + len(SEQUENCES | AT_A_SERVER | BY_DELIVERY) == len(RUN)
    assert len(DIFFERENCES) == 72
    assert f"{'all':<24}{363:>6}{291:>11}{72:>8}{14:>7}{3:>7}" in bad_inputs.summarize()


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


def test_an_answer_that_is_not_expected_is_not_allowed():
    expected = Expected((400, 201), ("amount_invalid",))
    assert expected.allows(400, "amount_invalid")
    assert expected.allows(201, None)
    assert not expected.allows(400, "required")
    assert not expected.allows(422, "amount_invalid")

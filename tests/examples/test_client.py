"""The client's rule: on a network error, 408, 409, 429 and 5xx the same again; every other 4xx is final."""

import httpx2
import pytest

from examples.ad_engine.ledger import Ledger, LedgerAway, Refused


class Answers:
    """What the ledger answers, one after another, and what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, request):
        self.asked.append((request.method, request.url.path, request.read()))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer, json={"code": "some_code", "detail": "Some words."})


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr("examples.ad_engine.ledger.PAUSE_SECONDS", 0.0)


def make_client(answers, patience=5):
    return Ledger("http://ledger", "token", patience=patience, transport=httpx2.MockTransport(answers))


@pytest.mark.parametrize(
    "bad", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), 408, 409, 429, 500, 503]
)
def test_it_sends_the_same_again(bad):
    answers = Answers(bad, bad, 201)
    make_client(answers).post("/transactions", {"id": "1", "amount": "5.00"})
    assert len(answers.asked) == 3
    assert len(set(answers.asked)) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 412, 422])
def test_every_other_refusal_is_final(status):
    answers = Answers(status)
    with pytest.raises(Refused, match=f"{status} some_code: Some words"):
        make_client(answers).post("/transactions", {"id": "1"})
    assert len(answers.asked) == 1


def test_it_gives_up_after_a_while_and_says_why():
    with pytest.raises(LedgerAway, match="503"):
        make_client(Answers(503), patience=-1).get("/events")


def test_a_refusal_of_a_proxy_is_one_too():
    html = httpx2.MockTransport(lambda request: httpx2.Response(403, text="<h1>no</h1>"))
    with pytest.raises(Refused, match="no"):
        Ledger("http://ledger", "token", transport=html).get("/events")

"""Group commit behind the API: many clients at once, every kind of command, each with its own answer."""

import pytest

from tests.cast import AccountFactory, UserFactory, deposit, hold, new_id, transfer
from tests.conftest import make_client
from tests.transactions.committing import committing, gathering, watch_groups
from tests.transactions.test_concurrency import run_at_once
from tests.transactions.told import read_events_about
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

TURNS = 3


class Caller:
    """A client of its own, with one command."""

    def __init__(self, path, id=None, **body):
        self.user, self.path = UserFactory(), f"/api/v1/{path}"
        self.client = make_client("api-post", user=self.user)
        self.body = {"id": str(id or new_id()), **body}
        self.request_id = f"request-{new_id()}"

    def send(self):
        return self.client.post(self.path, self.body, HTTP_X_REQUEST_ID=self.request_id)


class CallerOfBatch(Caller):
    def __init__(self, items, *, atomic):
        commands = [{"command": "transaction", **item} for item in items]
        super().__init__("batches", atomic=atomic, commands=commands)


def make_movement(account, amount="1.00", type="DEPOSIT"):
    return {"account": str(account.id), "type": type, "amount": amount}


def make_callers(here, there):
    """One of each kind of command, and what it is told: how many rows it has, and their status."""
    items = [{"id": str(new_id()), **make_movement(each)} for each in (here, there, here, there)]
    dear = {"id": str(new_id()), **make_movement(here, "9000.00", "WITHDRAW")}
    both = {"source": str(here.id), "destination": str(there.id)}
    taken_back, moved, placed = deposit(here, "50"), transfer(here, there, "3"), hold(here, "20")
    return [
        (Caller("transactions", **make_movement(here, "7.00")), 201, 1),
        (Caller("transactions", **make_movement(there, "9000.00", "WITHDRAW")), 402, 1),
        (Caller("transfers", **both, amount="5.00"), 201, 2),
        (Caller("transfers", **both, amount="9000.00"), 402, 2),
        (Caller(f"holds/{placed.id}/capture", amount="4.00", final=False), 201, 1),
        (Caller(f"transactions/{taken_back.id}/reverse", reason="wrong"), 201, 1),
        (Caller(f"transactions/{moved.id}/reverse", reason="wrong"), 201, 2),
        (CallerOfBatch(items[:2], atomic=True), 200, 2),
        (CallerOfBatch([*items[2:], dear], atomic=False), 200, 3),
    ]


@pytest.mark.parametrize("turn", range(TURNS))
def test_clients_at_once_have_their_own_answers_rows_and_events(turn, monkeypatch):
    groups = watch_groups(monkeypatch)
    here, there = (AccountFactory(funds="1000") for _ in range(2))
    callers = make_callers(here, there)
    with committing(), gathering(len(callers)):
        answers = run_at_once(*[caller.send for caller, _, _ in callers])
        for (caller, status, count), answer in zip(callers, answers, strict=True):
            require_own(caller, status, count, answer)
    assert len(groups[-1]) == len(callers)
    again = run_at_once(*[caller.send for caller, _, _ in callers])
    for before, answer in zip(answers, again, strict=True):
        assert answer.json() == before.json()
        assert answer["Idempotency-Replayed"] == "true"


def require_own(caller, status, count, answer):
    assert (answer.status_code, answer["X-Request-Id"]) == (status, caller.request_id)
    rows = Transaction.objects.filter(actor=caller.user.id)
    assert [row.request_id for row in rows] == [caller.request_id] * count
    ids = [str(row.id) for row in rows]
    if isinstance(caller, CallerOfBatch):
        assert {str(row.batch) for row in rows} == {caller.body["id"]}
    else:
        assert caller.body["id"] in ids
    if count:
        assert answer.json()["id"] == caller.body["id"]
    told = read_events_about(rows)
    assert [event.request_id for event in told] == [caller.request_id] * count
    assert sorted(event.data["id"] for event in told) == sorted(ids)


def test_a_client_that_sends_twice_at_once_is_answered_twice_and_posted_once():
    account = AccountFactory()
    callers = [Caller("transactions", **make_movement(account)) for _ in range(10)]
    with committing():
        answers = run_at_once(*[caller.send for caller in callers for _ in range(4)])
    assert {answer.status_code for answer in answers} == {201}
    for number, caller in enumerate(callers):
        own = answers[4 * number : 4 * number + 4]
        assert {answer.json()["id"] for answer in own} == {caller.body["id"]}
        assert [answer.get("Idempotency-Replayed") for answer in own].count("true") == 3
    assert Transaction.objects.count() == 10

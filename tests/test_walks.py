"""How far six requests walk through the house. `make walk` prints every step."""

import os
import sys
from functools import partial

import pytest

from events.relay import Relay
from tests.cast import day, deposit, hold, new_id
from tests.events.conftest import hook, loopback, subscribe  # noqa: F401, fixtures
from tests.office.account_pages import find_address
from tests.office.staff import make_staff, open_office
from tests.walk import walking
from transactions.proof import audit

pytestmark = pytest.mark.django_db(transaction=True)
FILES_MAX = {"a deposit over HTTP": 17, "a balance at a date": 8}
CHANGES_MAX = {"a deposit over HTTP": 26, "a balance at a date": 12}


@pytest.fixture
def requests(service, account, hook):  # noqa: F811
    """By what they are: the request, asked for a second time, since the first one loads and caches."""
    office = open_office(make_staff("operations"))
    deposit(account, "1000")
    assert subscribe(hook.url)

    def post():
        body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1.00"}
        assert service.post("/api/v1/transactions", body).status_code == 201

    def read():
        moment = day("2999-01-01").isoformat().replace("+00:00", "Z")
        assert service.get(f"/api/v1/accounts/{account.id}/balance", {"at": moment}).status_code == 200

    def capture():
        held = hold(account, "1")
        return lambda: service.post(f"/api/v1/holds/{held.id}/capture", {"id": str(new_id())})

    def correct():
        fields = {"identity": str(new_id()), "type": "DEPOSIT", "amount": "1", "reason": "a bank's error"}
        answer = office.post(
            find_address(account, "adjust"), {**fields, "reference": "ticket 7"}, follow=True
        )
        assert answer.status_code == 200

    def deliver():
        deposit(account, "1")
        return partial(Relay().run, once=True)

    return {
        "a deposit over HTTP": lambda: post,
        "a balance at a date": lambda: read,
        "a capture": capture,
        "a correction in the office": lambda: correct,
        "a delivery to a webhook": deliver,
        "an audit of an account": lambda: partial(audit.run, audit.Scope(accounts=(account.id,))),
    }


@pytest.mark.parametrize(
    "name",
    [
        "a deposit over HTTP",
        "a balance at a date",
        "a capture",
        "a correction in the office",
        "a delivery to a webhook",
        "an audit of an account",
    ],
)
def test_a_request_walks_no_farther_than_it_must(requests, name, capsys):
    prepare = requests[name]
    prepare()()
    ask = prepare()
    with walking() as walk:
        ask()
    if os.environ.get("LEDGER_WALK"):
        with capsys.disabled():
            sys.stdout.write(f"\n{name}\n{walk.describe()}\n")
    assert walk.functions
    assert len(walk.files) <= FILES_MAX.get(name, len(walk.files))
    assert walk.changes <= CHANGES_MAX.get(name, walk.changes)

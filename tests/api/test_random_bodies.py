"""10,000 bodies at random: none breaks the ledger, and none is accepted that is not valid to the letter."""

import os
from random import Random

import pytest
from django.db.transaction import atomic, set_rollback

from ledger_project.wsgi import application
from tests import random_bodies, strict_bodies
from tests.cast import issue_token, new_id
from tests.raw_requests import Request, connection_kept, send
from tests.refusals import require_problem, take_stock
from transactions.errors import DECLINES

BODIES = 2_000 * int(os.environ.get("LEDGER_EXAMPLES", "40")) // 40
LOOK_EVERY = 25
# Of a valid body: there is no such account, or it is in another currency, or not at that version.
REFUSED_BY_STATE = {"not_found", "currency_mismatch", "idempotency_key_reused", "external_id_taken"}


class Target:
    """A call, its address, and a valid body for it."""

    def __init__(self, call, account):
        method, _, collection = call.partition(" ")
        self.call, self.method = call, method
        member = {"/users": account.user_id, "/accounts": account.id}.get(collection)
        self.address = f"/api/v1{collection}" + (f"/{member}" if method == "PATCH" else "")
        self.account = account

    def make_valid(self):
        metadata = {"order": "7", "é": "ü"}
        if self.call == "POST /transactions":
            money = {
                "id": str(new_id()),
                "account": str(self.account.id),
                "type": "DEPOSIT",
                "amount": "10.00",
            }
            return {
                **money,
                "effective_at": "2023-01-04T00:00:00Z",
                "reference": "r",
                "currency": "USD",
                "metadata": metadata,
            }
        if self.call == "POST /accounts":
            return {"user": str(self.account.user_id), "currency": "EUR", "name": "x", "metadata": metadata}
        if self.call == "POST /users":
            return {
                "id": str(new_id()),
                "name": "x",
                "external_id": str(new_id()),
                "currency": "USD",
                "metadata": metadata,
            }
        return {"name": "x", "metadata": metadata} if self.call == "PATCH /users" else {"metadata": metadata}


@pytest.fixture
def kept(db):
    with connection_kept():
        yield


@pytest.mark.parametrize("call", strict_bodies.FIELDS)
def test_what_is_not_valid_is_refused_and_changes_nothing(kept, account, call):
    target, random = Target(call, account), Random(f"{call} 1")
    token = issue_token("api-post")
    headers = [
        ("Host", "localhost"),
        ("Authorization", f"Bearer {token}"),
        ("Content-Type", "application/json"),
    ]
    before, accepted = take_stock(), 0
    for number, body in enumerate(random_bodies.make_bodies(random, target.make_valid, BODIES)):
        request = Request(target.method, target.address, headers, body)
        if strict_bodies.is_valid(call, body):
            with atomic():
                answer = send(application, request)
                set_rollback(True)
            assert answer.status < 400 or answer.code in {*DECLINES, *REFUSED_BY_STATE}, (body, answer)
            accepted += answer.status < 400
        else:
            answer = send(application, request)
            assert 400 <= answer.status < 500, (body, answer)
            assert answer.code not in DECLINES, (body, answer)
        if answer.status >= 400:
            require_problem(answer)
        if number % LOOK_EVERY == 0:
            assert take_stock() == before, (number, body)
    assert take_stock() == before
    assert BODIES / 20 < accepted < BODIES / 2

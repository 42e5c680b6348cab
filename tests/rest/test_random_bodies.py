"""Bodies at random: none breaks the ledger, and none is accepted that is not valid to the letter."""

import json
import os
from functools import cached_property
from random import Random

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.errors import DECLINES_OF_CLAIMS
from events import feed, subscriptions
from ledger.callers import Caller
from ledger_project.wsgi import application
from rest.codes import STATUS
from tests import random_bodies, strict_bodies
from tests.cast import CALLER, AccountFactory, OrderFactory, day, deposit, hold, issue_token, new_id
from tests.claims import claim
from tests.names import NOBODY, resolving
from tests.raw_requests import Request, connection_kept, send
from tests.refusals import require_problem, take_stock
from tests.strict_bodies import BATCH, is_valid_item
from transactions import posting
from transactions.errors import DECLINES as DECLINES_OF_MONEY
from transactions.posting import NewBatch

pytestmark = pytest.mark.drill

DECLINES = {**DECLINES_OF_MONEY, **DECLINES_OF_HOLDS, **DECLINES_OF_CLAIMS}
BODIES = 1_000 * int(os.environ.get("LEDGER_EXAMPLES", "40")) // 40
LOOK_EVERY = 25
# Of a valid body: there is no such account, or it is in another currency, or not at that version.
REFUSED_BY_STATE = {
    *("not_found", "currency_mismatch", "idempotency_key_reused", "external_id_taken", "same_account"),
    *("amounts_differ", "not_reversible", "not_claimable", "effective_at_too_early", "item_unknown"),
    *("credit_limit_in_use", "broker_not_configured", "feed_epoch_changed", "cursor_ahead_of_feed"),
}
VALUES = {
    "name": "x", "reason": "x", "final": False, "type": "DEPOSIT", "amount": "10.00", "reference": "r",
    "effective_at": "2026-01-04T00:00:00Z", "expires_at": "2999-01-01T00:00:00Z", "credit_limit": "10.00",
    "withdraw_max": "10.00", "withdraw_day_max": "10.00", "metadata": {"order": "7", "é": "ü"},
    "claim": False, "of": "balance", "kind": "webhook", "types": ["user.created", "hold.placed"],
}  # fmt: skip


class Target:
    """A call, its address, and a valid body for it."""

    def __init__(self, call, account):
        self.call, self.account, self.other = call, account, AccountFactory()
        self.method, _, path = call.partition(" ")
        self.turn = 0  # of what excludes something else
        kind = path.split("/")[1]
        if kind in ("transactions", "transfers", "holds", "batches"):
            deposit(account, "1000", effective_at=day("2023-01-01"))
        self.address = f"/api/v1{path}"
        if "{id}" in path:
            self.address = self.address.replace("{id}", str(self.find_id(kind)))
        self.headers = [
            ("Host", "localhost"),
            ("Authorization", f"Bearer {issue_token('api-admin')}"),
            ("Content-Type", "application/json"),
        ]

    def find_id(self, kind):
        make = {
            "users": lambda: self.account.user_id,
            "accounts": lambda: self.account.id,
            "holds": lambda: hold(self.account, "100").id,
            "claims": lambda: claim(self.account, "100").id,
            "transactions": lambda: deposit(self.account, "100", effective_at=day("2023-01-02")).id,
            "batches": self.make_batch,
            "subscriptions": lambda: subscriptions.create(kind="webhook", url=NOBODY, caller=CALLER)[0].id,
        }
        return make[kind]()

    def make_batch(self):
        batch = NewBatch(id=new_id(), asked=[], atomic=True)
        order = OrderFactory(account=self.account)
        posting.post([order], caller=Caller(self.account.user_id), all_or_nothing=True, batch=batch)
        return batch.id

    def make_valid(self):
        """All fields but those that exclude others."""
        if self.call == BATCH:
            commands = [self.make_item(kind) for kind in strict_bodies.ITEMS]
            return {"id": str(new_id()), "atomic": True, "commands": commands}
        return self.make(self.call)

    def make_item(self, kind):
        """Of more than one in a list the account is at another version."""
        call, names = strict_bodies.ITEMS[kind]
        made = {name: value for name, value in self.make(call).items() if not name.startswith("expected_")}
        return {"command": kind, **made, **{name: self.named[name] for name in names}}

    @cached_property
    def named(self):
        """What items name, and a list of items of every kind finds."""
        return {
            "hold": str(self.find_id("holds")),
            "transaction": str(self.find_id("transactions")),
            "account": str(self.account.id),
        }

    def make(self, call):
        values = VALUES | {"id": str(new_id()), "external_id": str(new_id())}
        values |= dict.fromkeys(("account", "source"), str(self.account.id))
        values |= {"destination": str(self.other.id), "user": str(self.account.user_id)}
        values |= {"url": f"{NOBODY}{new_id()}", "after": feed.read_state().start.text}
        values["currency"] = "EUR" if call == "POST /accounts" else "USD"
        values |= {"destination_amount": "10.00", "destination_currency": "USD"}
        values |= {"destinations": [{"destination": str(self.other.id), "amount": "10.00"}]}
        for account in (self.account, self.other):
            account.refresh_from_db(fields=["version", "event_sequence"])
        values |= {
            "expected_version": self.account.version,
            "expected_destination_version": self.other.version,
            "expected_sequence": self.account.event_sequence,
        }
        left_out = {"user", "source_user", "destination_user"}
        if call == "POST /holds/{id}/capture":
            self.turn += 1
            left_out |= [{"destinations"}, {"destination", "destinations"}, {"amount", "destination"}][
                self.turn % 3
            ]
        if call in ("POST /users", "POST /accounts"):
            left_out = set()
        return {name: values[name] for name in strict_bodies.FIELDS[call] if name not in left_out}

    def send(self, body):
        return send(application, Request(self.method, self.address, self.headers, body))

    def try_valid(self, body):
        """What is accepted, and is taken back."""
        with atomic():
            answer = self.send(body)
            set_rollback(True)
        return answer


@pytest.fixture
def kept(db, settings):
    settings.WEBHOOK_LOOPBACK = True
    with connection_kept(), resolving():
        yield


def require_refused(body, answer):
    assert 400 <= answer.status < 500, (body, answer)
    assert answer.code not in DECLINES, (body, answer)
    require_problem(answer)


@pytest.mark.parametrize("call", strict_bodies.FIELDS)
def test_what_is_not_valid_is_refused_and_changes_nothing(kept, account, call):
    target, random = Target(call, account), Random(f"{call} 1")
    count = BODIES if len(target.make_valid()) > 3 else BODIES // 2
    before, accepted = take_stock(), 0
    for number, body in enumerate(random_bodies.make_bodies(random, target.make_valid, count)):
        if strict_bodies.is_valid(call, body):
            answer = target.try_valid(body)
            assert answer.status < 400 or answer.code in {*DECLINES, *REFUSED_BY_STATE}, (body, answer)
            accepted += answer.status < 400
            if answer.status >= 400:
                require_problem(answer)
        else:
            require_refused(body, target.send(body))
        if number % LOOK_EVERY == 0:
            assert take_stock() == before, (number, body)
    assert take_stock() == before
    assert count / 25 < accepted < count / 2


@pytest.mark.parametrize(
    ("kind", "atomic"), [("transaction", "true"), *((kind, "false") for kind in strict_bodies.ITEMS)]
)
def test_an_item_of_a_batch_is_judged_like_a_command_of_its_own(kept, account, kind, atomic):
    target, random = Target(BATCH, account), Random(f"{kind} {atomic}")
    first = "hold" if kind in ("capture", "release") else "transaction"  # so that "#0" names something
    valid, wrong, right = json.dumps(target.make_item(first)).encode(), 0, 0
    target.make_item(kind)  # makes what it names
    before = take_stock()
    for item in random_bodies.make_bodies(random, lambda: target.make_item(kind), BODIES // 2):
        id = str(new_id()).encode()
        body = b'{"id": "%s", "atomic": %s, "commands": [%s, %s]}' % (id, atomic.encode(), valid, item)
        if not strict_bodies.is_valid(BATCH, body):
            require_refused(body, target.send(body))
            continue
        answer = target.try_valid(body)
        assert answer.status == 200 or answer.code in {*DECLINES, *REFUSED_BY_STATE}, (body, answer)
        items = strict_bodies.read_object(body)["commands"]
        for sent, result in zip(items, answer.json().get("results", []), strict=answer.status == 200):
            code, fits = result.get("problem", {}).get("code"), is_valid_item(sent)
            answered = {None, *DECLINES, *REFUSED_BY_STATE} if fits else set(STATUS) - {*DECLINES}
            assert code in answered, (sent, result)
            wrong += not fits
            right += fits and sent.get("command") == kind and code is None
    assert take_stock() == before
    assert (wrong > BODIES / 20) == (atomic == "false")
    assert right > BODIES / 40

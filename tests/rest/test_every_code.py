"""Every error code: provoked over HTTP, with its status, its shape, and nothing changed by it."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.exception import response_for_exception
from django.test import Client, RequestFactory

from accounts.currencies import AMOUNT_MAX
from accounts.models import BALANCE_MAX, CLAIMS_MAX
from events import feed
from ledger.callers import Caller
from rest.codes import STATUS
from tests import asking, feed_refusals, hold_refusals, refusals_of_reversals
from tests.accounts.erasing import forget
from tests.cast import AccountFactory, OrderFactory, UserFactory, day, deposit, new_id
from tests.conftest import make_client
from tests.document import require_schema_of_problem
from tests.raw_requests import Answer
from tests.refusals import require_problem, take_stock

pytestmark = pytest.mark.django_db

API = "/api/v1"
USERS, ACCOUNTS, TRANSACTIONS = f"{API}/users", f"{API}/accounts", f"{API}/transactions"
BATCH, TRANSFERS, HOLDS = f"{API}/batches", f"{API}/transfers", f"{API}/holds"
# Faults of the machinery, and bodies that do not come; tests/transactions/test_retries.py, test_errors.py and
# tests/ledger_project/test_nobody_stops_it.py provoke them.
FAULTS = {
    "bad_request",  # what Django finds suspicious
    "busy",
    "database_read_only",  # tests/faults/test_epochs.py
    "database_unavailable",
    "internal_error",
    "request_in_progress",
    "request_timeout",
    "too_many_requests",  # tests/ledger_project/test_rates.py
}
# The reason of a leg; a transfer is answered with that of its culprit. In test_codes_of_groups.py.
IN_ROWS_ONLY = {"transfer_declined"}


def forget_owner(asker):
    """The person whose account it is has been forgotten."""
    forget(asker.account.user)
    return asker.account.user_id


class Asker:
    """Sends one request that is wrong in one way, on an account of its own."""

    def __init__(self, client):
        self.client = client
        self.admin = make_client("api-admin")
        self.account = AccountFactory()

    def raw(self, body, content_type="application/json", **headers):
        return self.client.generic("POST", TRANSACTIONS, body, content_type=content_type, **headers)

    def make_body(self, **changes):
        body = {"id": str(new_id()), "account": str(self.account.id), "type": "DEPOSIT", "amount": "1"}
        return {**body, **changes}

    def post(self, without=(), **changes):
        body = self.make_body(**changes)
        return self.client.post(TRANSACTIONS, {k: v for k, v in body.items() if k not in without})

    def with_key(self, key, **changes):
        body = {"account": str(self.account.id), "type": "DEPOSIT", "amount": "1", **changes}
        return self.client.post(TRANSACTIONS, body, headers={"Idempotency-Key": key})

    def withdraw(self, amount, **changes):
        return self.post(type="WITHDRAW", amount=amount, **changes)

    def batch(self, *changes, atomic=True):
        items = [self.make_body(**change) for change in changes]
        commands = [{"command": "transaction", **item} for item in items]
        return self.client.post(BATCH, {"id": str(new_id()), "atomic": atomic, "commands": commands})

    def undo(self, batch):
        return self.client.post(f"{BATCH}/{batch}/reverse", {"id": str(new_id()), "reason": "x"})

    def transfer(self, destination, amount="1", **changes):
        body = {"id": str(new_id()), "source": str(self.account.id), "destination": str(destination.id)}
        return self.client.post(TRANSFERS, {**body, "amount": amount, **changes})

    def reverse(self, id, **changes):
        body = {"id": str(new_id()), "reason": "x", **changes}
        client = self.admin if "claim" in changes else self.client
        return client.post(f"{TRANSACTIONS}/{id}/reverse", body)

    def hold(self, amount="1", **changes):
        body = {"id": str(new_id()), "account": str(self.account.id), "amount": amount}
        return self.client.post(HOLDS, {**body, **changes})

    def claim(self, amount="1"):
        body = {"id": str(new_id()), "amount": amount, "reason": "x"}
        return self.admin.post(f"{ACCOUNTS}/{self.account.id}/claims", body)

    def waive(self, id):
        return self.admin.post(f"/api/v1/claims/{id}/waive", {"reason": "x"})

    def rule(self, name, **body):
        return self.admin.post(f"{ACCOUNTS}/{self.account.id}/{name}", body)

    def patch(self, **headers):
        return self.admin.patch(f"{ACCOUNTS}/{self.account.id}", {"metadata": {"a": "b"}}, headers=headers)

    def set(self, *, status=None, **limits):
        if status:
            asking.set_status(id=self.account.id, status=status, reason="test", request_id="test")
        if limits:
            limits = {name: Decimal(limit) for name, limit in limits.items()}
            asking.set_limits(id=self.account.id, limits=limits, request_id="test")
        return self


def two_currencies(asker):
    asker.client.post(ACCOUNTS, {"user": str(asker.account.user_id), "currency": "EUR"})
    return asker.client.get(f"{USERS}/{asker.account.user_id}/balance")


def nearly_full(asker):
    times = range(int(BALANCE_MAX / AMOUNT_MAX))
    orders = [OrderFactory(account=asker.account, amount=AMOUNT_MAX) for _ in times]
    asking.post(orders, caller=Caller(asker.account.user_id))
    return asker.post()


def taken(asker):
    UserFactory(external_id="crm-1")
    return asker.client.post(USERS, {"id": str(new_id()), "name": "x", "external_id": "crm-1"})


PROVOKE = {
    "malformed_json": lambda a: a.raw('{"id": '),
    "invalid_body": lambda a: a.raw("[]"),
    "duplicate_key": lambda a: a.raw('{"amount": "1", "amount": "2"}'),
    "unknown_field": lambda a: a.post(balance="5"),
    "required": lambda a: a.post(without=["amount"]),
    "invalid_type": lambda a: a.post(reference=["a"]),
    "invalid_text": lambda a: a.post(reference="a\x00b"),
    "text_control_character": lambda a: a.post(reference="\u202e00.01"),
    "text_invisible": lambda a: a.post(metadata={"note": "\u200b"}),
    "text_padded": lambda a: a.post(reference="INV-1 "),
    "text_not_normalized": lambda a: a.post(reference="Jose\u0301"),
    "invalid_choice": lambda a: a.post(type="TRANSFER"),
    "too_long": lambda a: a.post(reference="a" * 201),
    "metadata_invalid": lambda a: a.post(metadata={"n": 1}),
    "metadata_too_large": lambda a: a.post(metadata={"k" * 41: "v"}),
    "id_invalid": lambda a: a.post(id="00000000-0000-0000-0000-000000000000"),
    "identity_required": lambda a: a.post(without=["id"]),
    "two_identities": lambda a: a.with_key("k", id=str(new_id())),
    "idempotency_key_invalid": lambda a: a.with_key("k" * 256),
    "conflicting_fields": lambda a: a.post(user=str(a.account.user_id)),
    "amount_invalid": lambda a: a.post(amount="1e2"),
    "amount_not_text": lambda a: a.post(amount=100),
    "amount_not_positive": lambda a: a.post(amount="-1.00"),
    "amount_too_large": lambda a: a.post(amount="1000000000000.01"),
    "amount_scale": lambda a: a.post(amount="10.005"),
    "datetime_invalid": lambda a: a.post(effective_at="2026-02-29T00:00:00Z"),
    "datetime_precision": lambda a: a.post(effective_at="2026-01-01T00:00:00.1234567Z"),
    "datetime_ambiguous": lambda a: a.client.get(
        f"{ACCOUNTS}/{a.account.id}/balance?tz=Europe/Berlin&at=2024-03-31T02:30:00"
    ),
    "timezone_invalid": lambda a: a.client.get(f"{ACCOUNTS}/{a.account.id}/balance?tz=../etc/passwd"),
    "effective_at_in_future": lambda a: a.post(effective_at="2999-01-01T00:00:00Z"),
    "effective_at_too_early": lambda a: a.post(effective_at="1969-12-31T23:59:59Z"),
    "expires_at_invalid": lambda a: a.hold(expires_at="2020-01-01T00:00:00Z"),
    "batch_too_large": lambda a: a.batch(*[{}] * 1001),
    "duplicate_id": lambda a: a.batch(*[{"id": str(new_id())}] * 2),
    "item_unknown": lambda a: a.client.post(
        BATCH,
        {"id": str(new_id()), "atomic": True, "commands": [{"command": "capture", "hold": "#0"}]},
    ),
    "currency_required": two_currencies,
    "currency_unknown": lambda a: a.client.post(USERS, {"id": str(new_id()), "name": "x", "currency": "XXX"}),
    "unknown_parameter": lambda a: a.client.get(f"{TRANSACTIONS}?user__password__startswith=p"),
    "duplicate_parameter": lambda a: a.client.get(f"{TRANSACTIONS}?type=DEPOSIT&type=WITHDRAW"),
    "invalid_parameter": lambda a: a.client.get(f"{TRANSACTIONS}?page_size=0"),
    "invalid_cursor": lambda a: a.client.get(f"{TRANSACTIONS}?cursor=forged:cursor"),
    "host_not_allowed": lambda a: Client().get(TRANSACTIONS, headers={"Host": "evil.example"}),
    "not_authenticated": lambda a: Client().get(TRANSACTIONS),
    "token_invalid": lambda a: Client(headers={"Authorization": "Bearer x"}).get(TRANSACTIONS),
    "token_expired": lambda a: make_client("api-read", expiry=timedelta(seconds=-1)).get(TRANSACTIONS),
    "token_bound": lambda a: Asker(make_client("api-post", types=["DEPOSIT"])).withdraw("1"),
    "permission_denied": lambda a: Asker(make_client("api-read")).post(),
    "not_found": lambda a: a.client.get(f"{TRANSACTIONS}/{new_id()}"),
    "no_such_address": lambda a: a.client.get(f"{TRANSACTIONS}/"),
    "method_not_allowed": lambda a: a.client.delete(f"{ACCOUNTS}/{a.account.id}"),
    "length_required": lambda a: a.raw("{}", HTTP_TRANSFER_ENCODING="chunked"),
    "body_too_large": lambda a: a.raw(json.dumps({"reference": "a" * 70_000})),
    "unsupported_media_type": lambda a: a.raw("{}", content_type="text/plain"),
    "insufficient_funds": lambda a: a.withdraw("1"),
    "insufficient_funds_at": lambda a: (
        deposit(a.account, "9", effective_at=day("2023-02-01"))
        and a.withdraw("1", effective_at="2023-01-01T00:00:00Z")
    ),
    "version_mismatch": lambda a: a.post(expected_version=7),
    "sequence_mismatch": lambda a: a.rule("freeze", reason="x", expected_sequence=7),
    "etag_mismatch": lambda a: a.patch(if_match='"x"'),
    "if_match_invalid": lambda a: a.patch(if_match="x"),
    "account_frozen": lambda a: a.set(status="FROZEN").withdraw("1"),
    "account_closed": lambda a: a.set(status="CLOSED").post(),
    "balance_limit_exceeded": nearly_full,
    "limit_exceeded": lambda a: a.set(withdraw_max=5).withdraw("5.01"),
    "batch_declined": lambda a: a.batch({}, {"type": "WITHDRAW", "amount": "1.01"}),
    "idempotency_key_reused": lambda a: a.post(id=a.post().json()["id"], amount="2"),
    "currency_mismatch": lambda a: a.post(currency="EUR"),
    "user_erased": lambda a: a.admin.patch(f"{USERS}/{forget_owner(a)}", {"name": "x"}),
    "currency_closed": lambda a: a.client.post(USERS, {"id": str(new_id()), "name": "x", "currency": "CHF"}),
    "external_id_taken": taken,
    "same_account": lambda a: a.transfer(a.account),
    "amounts_differ": lambda a: a.transfer(AccountFactory(), destination_amount="2"),
    "account_not_empty": lambda a: a.post() and a.rule("close", reason="x"),
    "not_claimable": lambda a: a.reverse([a.post(), a.withdraw("1")][1].json()["id"], claim=True),
    "account_owes": lambda a: a.claim() and a.rule("close", reason="x"),
    "claim_not_open": lambda a: a.post() and a.waive(a.claim().json()["id"]),
    "too_many_claims": lambda a: [a.claim() for _ in range(CLAIMS_MAX + 1)][-1],
    "credit_limit_in_use": lambda a: (
        a.rule("limits", credit_limit="5") and a.withdraw("5") and a.rule("limits", credit_limit="4.99")
    ),
    **feed_refusals.PROVOKE,
    **refusals_of_reversals.PROVOKE,
    **hold_refusals.PROVOKE,
}
RECORDED = {
    *("insufficient_funds", "insufficient_funds_at", "version_mismatch", "account_frozen", "account_closed"),
    *("balance_limit_exceeded", "limit_exceeded", "already_reversed", "reversal_too_large"),
    *("reversal_too_small", "hold_not_open"),
}
RECORDED_IN_RESULTS = {"batch_declined"}
RECORDED_AS_CLAIMS = {"too_many_claims"}


def test_every_code_is_provoked():
    assert set(PROVOKE) | FAULTS | IN_ROWS_ONLY == set(STATUS)


@pytest.mark.parametrize("code", PROVOKE)
def test_a_refusal_has_its_code_status_and_shape(service, code):
    response = PROVOKE[code](Asker(service))
    answer = Answer(response.status_code, response.headers.items(), response.content)
    assert answer.code == code, answer
    require_problem(answer)
    require_schema_of_problem(answer)


def test_what_django_finds_suspicious_is_a_bad_request(rf):
    request = rf.get(TRANSACTIONS, headers={"X-Request-Id": "r-1"})
    answer = response_for_exception(request, SuspiciousOperation())
    assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("code", sorted(set(PROVOKE) - RECORDED - RECORDED_IN_RESULTS - RECORDED_AS_CLAIMS))
def test_a_refusal_that_is_not_recorded_changes_nothing(service, code, monkeypatch):
    send, changes = RequestFactory.generic, []

    def watch(self, *args, **options):
        before = take_stock()
        answer = send(self, *args, **options)
        changes.append(take_stock() != before)
        return answer

    asker = Asker(service)
    monkeypatch.setattr(RequestFactory, "generic", watch)
    PROVOKE[code](asker)
    assert changes[-1] is False


@pytest.mark.parametrize("code", sorted(RECORDED | RECORDED_AS_CLAIMS))
def test_a_decline_is_recorded_with_its_reason_and_is_named(service, code):
    kind = "claim" if code in RECORDED_AS_CLAIMS else "transaction"
    problem = PROVOKE[code](Asker(service)).json()
    stored = service.get(f"/api/v1/{kind}s/{problem['id']}").json()
    assert (stored["status"], stored["decline_reason"]) == ("DECLINED", code)
    assert stored["decline_details"].items() <= problem.items()
    while feed.place_pending():
        pass
    told = feed.read(types=[f"{kind}.declined"]).events
    assert [event["data"] for event in told if event["data"]["id"] == problem["id"]] == [stored]


def test_all_that_is_wrong_is_told_at_once(service):
    problem = Asker(service).post(amount="x", type="y", foo=1, effective_at="z").json()
    assert [error["pointer"] for error in problem["errors"]] == ["/type", "/amount", "/effective_at", "/foo"]
    assert problem["code"] == problem["errors"][0]["code"] == "invalid_choice"


def test_a_stranger_with_the_same_id_is_not_told_what_differs():
    id = Asker(make_client("api-post")).post().json()["id"]
    seeing = Asker(make_client("api-post")).post(id=id)
    assert seeing.json()["differs"] == ["account"]
    blind = Asker(make_client("api-post", permissions=["transactions.add_transaction"])).post(id=id)
    assert (blind.status_code, "differs" in blind.json()) == (422, False)

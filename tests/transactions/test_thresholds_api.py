"""Thresholds over HTTP."""

import pytest

from tests import asking
from tests.cast import AccountFactory, deposit, new_id, withdraw
from tests.conftest import make_client

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def admin(db):
    return make_client("api-admin")


@pytest.fixture
def account(db):
    return AccountFactory(funds="20")


def set_one(client, account, amount, of="available", **more):
    return client.post(f"{API}/accounts/{account.id}/thresholds", {"amount": amount, "of": of, **more})


def test_one_is_set_seen_and_removed(admin, account):
    made = set_one(admin, account, "10.00")
    assert (made.status_code, "Idempotency-Replayed" in made.headers) == (201, False)
    shown = made.json()
    assert shown.items() >= {
        "account": str(account.id), "of": "available", "amount": "10.00", "below": False,
    }.items()  # fmt: skip
    assert shown["since"] == shown["created_at"]
    withdraw(account, "15")
    again = set_one(admin, account, "10.0")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert (again.json()["id"], again.json()["below"]) == (shown["id"], True)
    other = set_one(admin, account, "-3", "balance").json()
    listed = admin.get(f"{API}/accounts/{account.id}/thresholds").json()
    assert listed == {
        "next": None,
        "next_cursor": None,
        "previous": None,
        "results": [other, again.json()],
    }
    gone = [admin.delete(f"{API}/thresholds/{shown['id']}") for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 404]
    assert admin.get(f"{API}/accounts/{account.id}/thresholds").json()["results"] == [other]


def test_its_events_are_in_the_feed(admin, account):
    threshold = set_one(admin, account, "10").json()
    withdraw(account, "15")
    deposit(account, "5")
    admin.delete(f"{API}/thresholds/{threshold['id']}")
    page = admin.get(f"{API}/events", {"account": account.id, "after_sequence": 2}).json()["events"]
    types = [event["type"] for event in page]
    assert types == [
        "threshold.set", "transaction.posted", "balance.fell_below", "transaction.posted",
        "balance.rose_above", "threshold.removed",
    ]  # fmt: skip
    assert page[0]["data"] == threshold
    assert page[2]["data"] == {
        "threshold": threshold["id"], "account": str(account.id), "of": "available", "amount": "10.00",
        "below": True, "balance": "5.00", "held": "0.00", "available": "5.00",
    }  # fmt: skip
    only = admin.get(f"{API}/events", {"types": "balance.fell_below,balance.rose_above"}).json()["events"]
    assert [event["data"]["available"] for event in only] == ["5.00", "10.00"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"of": "balance"}, "/amount", "required"),
        ({"amount": "5"}, "/of", "required"),
        ({"amount": "5", "of": "held"}, "/of", "invalid_choice"),
        ({"amount": 5, "of": "balance"}, "/amount", "amount_not_text"),
        ({"amount": "five", "of": "balance"}, "/amount", "amount_invalid"),
        ({"amount": "5.001", "of": "balance"}, "/amount", "amount_scale"),
        ({"amount": "1000000000000001", "of": "balance"}, "/amount", "amount_too_large"),
        ({"amount": "-1000000000000001", "of": "balance"}, "/amount", "amount_too_large"),
        ({"amount": "5", "of": "balance", "below": True}, "/below", "unknown_field"),
    ],
)
def test_what_is_malformed_is_refused(admin, account, body, pointer, code):
    answer = admin.post(f"{API}/accounts/{account.id}/thresholds", body)
    assert answer.status_code == 400, answer.json()
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]


def test_the_state_of_the_account_may_refuse_it(admin, account):
    problem = set_one(admin, account, "1", expected_sequence=1)
    assert (problem.status_code, problem.json()["code"]) == (412, "sequence_mismatch")
    for number in range(20):
        assert set_one(admin, account, str(number)).status_code == 201
    problem = set_one(admin, account, "20")
    assert (problem.status_code, problem.json()["code"]) == (422, "limit_reached")
    closed = AccountFactory()
    asking.close(id=closed.id, reason="over", request_id="")
    problem = set_one(admin, closed, "1")
    assert (problem.status_code, problem.json()["code"]) == (422, "account_closed")


def test_a_holder_sees_their_own_and_changes_none(admin, account):
    threshold = set_one(admin, account, "1").json()
    holder, stranger = make_client(user=account.user), make_client(user=AccountFactory().user)
    path = f"{API}/accounts/{account.id}/thresholds"
    assert holder.get(path).json()["results"] == [threshold]
    assert (
        stranger.get(path).status_code,
        holder.get(f"{API}/accounts/{new_id()}/thresholds").status_code,
    ) == (
        404,
        404,
    )
    assert set_one(holder, account, "2").status_code == 403
    assert holder.delete(f"{API}/thresholds/{threshold['id']}").status_code == 403

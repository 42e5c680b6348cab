"""Holds and rules expect the number of the account's last event, which the account shows."""

from decimal import Decimal

import pytest

from accounts.models import Account, Hold
from events import feed
from tests import asking
from tests.cast import AccountFactory, deposit, hold, hold_that_expires, new_id
from tests.conftest import make_client
from tests.refusals import take_stock
from tests.transactions.test_concurrency import run_at_once
from tests.transactions.told import read_events
from transactions.posting.commands import NewHold

pytestmark = pytest.mark.django_db

API = "/api/v1"
REASON = {"reason": "x"}
RULES = {
    "limits": ("accounts/{account}/limits", {"withdraw_max": "5.00"}),
    "freeze": ("accounts/{account}/freeze", REASON),
    "unfreeze": ("accounts/{frozen}/unfreeze", REASON),
    "close": ("accounts/{empty}/close", REASON),
    "release": ("holds/{hold}/release", {}),
}


@pytest.fixture
def admin(db):
    return make_client("api-admin")


@pytest.fixture
def ids(rich):
    frozen, empty = AccountFactory(), AccountFactory()
    asking.freeze(id=frozen.id, reason="x", request_id="test")
    return {"account": rich.id, "frozen": frozen.id, "empty": empty.id, "hold": hold(rich, "1").id}


def read_sequence(client, id):
    return client.get(f"{API}/accounts/{id}").json()["event_sequence"]


def find_account(name, ids):
    named = next(each for each in ids if f"{{{each}}}" in RULES[name][0])
    return ids["account" if named == "hold" else named]


@pytest.fixture
def change(admin, ids):
    """Sends the command that changes a rule, or releases a hold."""

    def change(name, **more):
        path, body = RULES[name]
        return admin.post(f"{API}/{path.format(**ids)}", {**body, **more})

    return change


def test_an_account_shows_the_number_of_its_last_event(admin, rich):
    assert read_sequence(admin, rich.id) == 2
    hold(rich, "1")
    asking.freeze(id=rich.id, reason="x", request_id="test")
    events = read_events(stream=rich.id)
    assert read_sequence(admin, rich.id) == events[-1].sequence == 4
    assert [event.data["event_sequence"] for event in events if event.type.startswith("account.")] == [1, 4]
    assert events[-1].before == {"status": "ACTIVE", "status_reason": ""}


def test_the_sequence_of_an_account_is_that_of_the_feed(admin, rich):
    while feed.place_pending():
        pass
    told = [event["account_sequence"] for event in feed.read().events if event["account"] == str(rich.id)]
    assert told[-1] == read_sequence(admin, rich.id)


@pytest.mark.parametrize("name", RULES)
def test_what_is_expected_and_so_is_changed(admin, change, ids, name):
    before = read_sequence(admin, find_account(name, ids))
    assert change(name, expected_sequence=before).status_code == 200
    assert read_sequence(admin, find_account(name, ids)) == before + 1


@pytest.mark.parametrize("away", [-1, 1])
@pytest.mark.parametrize("name", RULES)
def test_what_is_expected_otherwise_is_refused_and_nothing_is_written(admin, change, ids, name, away):
    sequence, before = read_sequence(admin, find_account(name, ids)), take_stock()
    answer = change(name, expected_sequence=sequence + away)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (412, "sequence_mismatch")
    assert (problem["expected_sequence"], problem["sequence"]) == (sequence + away, sequence)
    assert "id" not in problem
    assert take_stock() == before


@pytest.mark.parametrize("name", RULES)
def test_what_is_so_already_is_answered_whatever_sequence_is_expected(admin, change, ids, name):
    """Sent again after a network error, with the number that was right the first time."""
    sequence = read_sequence(admin, find_account(name, ids))
    first = change(name, expected_sequence=sequence)
    before = take_stock()
    again = change(name, expected_sequence=sequence)
    assert (again.status_code, again.json()) == (200, first.json())
    assert take_stock() == before


def test_what_is_final_is_told_before_what_was_expected(admin, change, ids):
    asking.close(id=ids["empty"], reason="x", request_id="test")
    answer = admin.post(f"{API}/accounts/{ids['empty']}/freeze", {**REASON, "expected_sequence": 9})
    assert answer.json()["code"] == "account_closed"
    asking.ask(asking.capture_of(asking.find_hold(ids["hold"])))
    assert change("release", expected_sequence=9).json()["code"] == "hold_not_open"


def test_a_hold_that_expects_another_sequence_is_declined_for_ever(service, rich):
    body = {"id": str(new_id()), "account": str(rich.id), "amount": "1.00", "expected_sequence": 1}
    first = service.post(f"{API}/holds", body)
    problem = first.json()
    assert (first.status_code, problem["code"], problem["id"]) == (412, "sequence_mismatch", body["id"])
    details = {"expected_sequence": 1, "sequence": 2}
    assert problem.items() >= details.items()
    shown = service.get(f"{API}/holds/{body['id']}").json()
    assert (shown["status"], shown["decline_reason"]) == ("DECLINED", "sequence_mismatch")
    assert shown["decline_details"] == details
    assert read_events(stream=rich.id)[-1].data == shown
    again = service.post(f"{API}/holds", {**body, "expected_sequence": 3})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (412, "true")
    assert {**again.json(), "request_id": 0} == {**problem, "request_id": 0}


def test_a_hold_that_expects_the_sequence_that_is_is_placed(service, rich):
    body = {"id": str(new_id()), "account": str(rich.id), "amount": "1.00", "expected_sequence": 2}
    assert service.post(f"{API}/holds", body).status_code == 201
    again = service.post(f"{API}/holds", {**body, "expected_sequence": 9})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")


@pytest.mark.parametrize(("atomic", "codes"), [(False, [None, "sequence_mismatch"]), (True, None)])
def test_two_holds_of_a_list_do_not_both_find_the_account_as_it_was(service, rich, atomic, codes):
    """The version, which counts money, is the same for both."""
    place = {"command": "hold", "account": str(rich.id), "amount": "1", "expected_sequence": 2}
    body = {"id": str(new_id()), "atomic": atomic, "commands": [place, place]}
    answer = service.post(f"{API}/batches", body)
    told = [result.get("problem", {}).get("code") for result in answer.json()["results"]]
    assert told == (codes or ["batch_declined", "sequence_mismatch"])
    assert Account.objects.get(id=rich.id).held == (0 if atomic else 1)


def test_a_release_that_expects_another_sequence_refuses_its_list(admin, ids):
    release = {"command": "release", "hold": str(ids["hold"]), "expected_sequence": 9}
    body = {"id": str(new_id()), "atomic": True, "commands": [release]}
    before = take_stock()
    answer = admin.post(f"{API}/batches", body)
    assert (answer.status_code, answer.json()["code"]) == (412, "sequence_mismatch")
    assert take_stock() == before


@pytest.mark.parametrize("name", ["freeze", "limits"])
def test_a_hold_whose_time_is_over_counts_as_ended_before_and_after_it_is_written(admin, change, rich, name):
    """Else the account could never be changed: a refusal does not write the end of the hold."""
    before = read_sequence(admin, rich.id)
    placed = hold_that_expires(rich, "1")
    shown = read_sequence(admin, rich.id)
    assert shown == before + 2
    assert Hold.objects.get(id=placed.id).status == "OPEN"
    assert change(name, expected_sequence=shown - 1).status_code == 412
    assert read_sequence(admin, rich.id) == shown
    assert change(name, expected_sequence=shown).status_code == 200
    types = [event.type for event in read_events(stream=rich.id)]
    assert types[-3:-1] == ["hold.placed", "hold.expired"]
    assert read_sequence(admin, rich.id) == shown + 1 == len(types)


@pytest.mark.django_db(transaction=True)
def test_of_many_holds_that_expect_one_sequence_at_once_one_is_placed(rich):
    def place():
        ids = {"id": new_id(), "account_id": rich.id}
        return asking.ask(NewHold(**ids, amount=Decimal(1), expected_sequence=2)).hold.decline_reason

    assert sorted(run_at_once(*[place] * 12), key=str) == [None] + ["sequence_mismatch"] * 11
    deposit(rich, "1")
    assert read_sequence(make_client("api-read"), rich.id) == 15

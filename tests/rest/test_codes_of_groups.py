"""The codes of what is more than one transaction: of a batch, of a hold, of the rules of an account."""

import pytest

from rest.codes import STATUS
from tests.cast import deposit, hold_that_expires, new_id
from tests.refusals import MEMBERS, take_stock
from tests.rest.test_every_code import BATCH, HOLDS, TRANSACTIONS, Asker

pytestmark = pytest.mark.django_db

DEPOSIT = {}


@pytest.fixture
def asker(service):
    return Asker(service)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"amount": "1e2"}, 400, "amount_invalid", "/amount"),
        ({"amount": "1.005"}, 400, "amount_scale", "/amount"),
        ({"amount": "-1"}, 400, "amount_not_positive", "/amount"),
        ({"type": None}, 400, "required", "/type"),
        ({"id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}, 400, "id_invalid", "/id"),
        ({"user": "01910000-0000-7000-8000-000000000001"}, 400, "conflicting_fields", "/account"),
        ({"effective_at": "2999-01-01"}, 400, "effective_at_in_future", "/effective_at"),
        ({"currency": "EUR"}, 422, "currency_mismatch", "/currency"),
        ({"account": "01910000-0000-7000-8000-000000000001"}, 404, "not_found", "/account"),
        ({"note": "x"}, 400, "unknown_field", "/note"),
    ],
)
@pytest.mark.parametrize("atomic", [True, False])
def test_what_is_wrong_in_a_batch_is_pointed_to(asker, change, status, code, field, atomic):
    before = take_stock()
    answer = asker.batch(*[DEPOSIT] * 3, change, atomic=atomic)
    problem = answer.json()
    if atomic:
        assert (answer.status_code, take_stock()) == (status, before)
    else:
        assert answer.status_code == 200
        assert [result["status"] for result in problem["results"]] == [201, 201, 201, status]
        problem = problem["results"][3]["problem"]
    assert problem["code"] == code
    [error] = problem["errors"]
    assert (error["pointer"], error["code"]) == (f"/commands/3{field}", code)
    assert problem["detail"].endswith(error["detail"])


def test_all_that_is_malformed_in_an_atomic_batch_is_told_at_once(asker):
    problem = asker.batch({"amount": "x", "type": "y"}, DEPOSIT, {"foo": 1}).json()
    assert [error["pointer"] for error in problem["errors"]] == [
        "/commands/0/type",
        "/commands/0/amount",
        "/commands/2/foo",
    ]


def test_an_item_that_is_no_object_is_pointed_to(asker):
    commands = [{"command": "transaction", **asker.make_body()}, []]
    answer = asker.client.post(BATCH, {"id": str(new_id()), "atomic": True, "commands": commands})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (400, "/commands/1", "invalid_type")


@pytest.mark.parametrize(
    ("code", "fields", "extensions"),
    [
        ("insufficient_funds", {}, {"available": "0.00", "required": "1.00"}),
        ("account_frozen", {"status": "FROZEN"}, {}),
        ("account_closed", {"status": "CLOSED"}, {}),
    ],
)
def test_a_declined_hold_is_recorded_under_its_own_id(asker, code, fields, extensions):
    id = str(new_id())
    answer = asker.set(**fields).hold(id=id)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["id"]) == (STATUS[code], code, id)
    assert problem.keys() == MEMBERS | {"id"} | extensions.keys()
    assert extensions.items() <= problem.items()
    told = {"status": "DECLINED", "decline_reason": code, "decline_details": extensions}
    assert asker.client.get(f"{HOLDS}/{id}").json().items() >= told.items()
    assert asker.client.get(f"{TRANSACTIONS}/{id}").status_code == 404
    again = asker.hold(id=id)
    assert again["Idempotency-Replayed"] == "true"
    assert {**again.json(), "request_id": problem["request_id"]} == problem


@pytest.mark.parametrize("status", ["CAPTURED", "EXPIRED", "DECLINED"])
def test_a_hold_that_is_not_open_is_not_released_and_nothing_is_recorded(asker, status):
    if status != "DECLINED":
        deposit(asker.account, "1")
    id = hold_that_expires(asker.account, "1").id if status == "EXPIRED" else asker.hold().json()["id"]
    if status == "CAPTURED":
        asker.client.post(f"{HOLDS}/{id}/capture", {"id": str(new_id())})
    before = take_stock()
    answer = asker.client.post(f"{HOLDS}/{id}/release")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["hold_status"]) == (422, "hold_not_open", status)
    assert "id" not in problem
    assert take_stock() == before


@pytest.mark.parametrize("name", ["limits", "freeze", "unfreeze"])
def test_the_rules_of_a_closed_account_are_not_changed_and_nothing_is_recorded(asker, name):
    asker.set(status="CLOSED")
    before = take_stock()
    answer = asker.rule(name, **({"credit_limit": "1"} if name == "limits" else {"reason": "x"}))
    assert (answer.status_code, answer.json()["code"]) == (422, "account_closed")
    assert answer.json().keys() == MEMBERS
    assert take_stock() == before

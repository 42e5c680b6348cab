"""The codes of what is more than one transaction: of a batch, of the legs of a transfer, of a hold."""

import pytest

from accounts.models import Account
from events.models import Event
from rest.errors import STATUS
from tests.cast import AccountFactory, deposit, hold_that_expires, new_id
from tests.rest.test_every_code import ACCOUNTS, BATCH, HOLDS, TRANSACTIONS, TRANSFERS, Asker, take_stock

pytestmark = pytest.mark.django_db

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
TOO_MUCH = {"type": "WITHDRAW", "amount": "9"}
DEPOSIT = {}


@pytest.fixture
def asker(service):
    return Asker(service)


def read_row(asker, id):
    return asker.client.get(f"{TRANSACTIONS}/{id}").json()


def test_a_declined_batch_is_recorded_row_by_row_with_the_culprit(asker):
    problem = asker.batch(DEPOSIT, TOO_MUCH, DEPOSIT).json()
    assert problem.keys() == MEMBERS | {"results"}
    problems = [result["problem"] for result in problem["results"]]
    culprit = problems[1]["id"]
    assert [each["code"] for each in problems] == ["batch_declined", "insufficient_funds", "batch_declined"]
    assert [each.get("culprit") for each in problems] == [culprit, None, culprit]
    for result, each in zip(problem["results"], problems, strict=True):
        assert each.keys() >= MEMBERS
        assert result["status"] == each["status"] == STATUS[each["code"]]
        row = read_row(asker, each["id"])
        assert (row["status"], row["decline_reason"]) == ("DECLINED", each["code"])
        assert row["decline_details"].items() <= each.items()
        assert Event.objects.get(type="transaction.declined", data__id=row["id"]).data == row


def test_of_a_batch_that_is_not_atomic_each_result_has_its_own_code(asker):
    answer = asker.batch(DEPOSIT, TOO_MUCH, {"amount": "0"}, {"currency": "EUR"}, {"note": "x"}, atomic=False)
    results = answer.json()["results"]
    codes = [result.get("problem", {}).get("code") for result in results]
    assert answer.status_code == 200
    assert [result["status"] for result in results] == [201, 402, 400, 422, 400]
    assert codes == [
        *(None, "insufficient_funds", "amount_not_positive", "currency_mismatch", "unknown_field"),
    ]
    assert [result["problem"].get("errors", [{}])[0].get("pointer") for result in results[1:]] == [
        *(None, "/transactions/2/amount", "/transactions/3/currency", "/transactions/4/note"),
    ]


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"amount": "1e2"}, 400, "amount_invalid", "/amount"),
        ({"amount": "1.005"}, 400, "amount_scale", "/amount"),
        ({"amount": "-1"}, 400, "amount_not_positive", "/amount"),
        ({"type": None}, 400, "required", "/type"),
        ({"id": None}, 400, "identity_required", "/id"),
        ({"id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}, 400, "id_invalid", "/id"),
        ({"user": "01910000-0000-7000-8000-000000000001"}, 400, "conflicting_fields", "/account"),
        ({"effective_at": "2999-01-01"}, 400, "effective_at_in_future", "/effective_at"),
        ({"currency": "EUR"}, 422, "currency_mismatch", "/currency"),
        ({"account": "01910000-0000-7000-8000-000000000001"}, 404, "not_found", ""),
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
        assert (answer.status_code, problem["results"][3]["status"]) == (200, status)
        assert [result["status"] for result in problem["results"][:3]] == [201] * 3
        problem = problem["results"][3]["problem"]
    assert problem["code"] == code
    assert problem["errors"] == [
        {"pointer": f"/transactions/3{field}", "code": code, "detail": problem["detail"]}
    ]


def test_all_that_is_malformed_in_an_atomic_batch_is_told_at_once(asker):
    problem = asker.batch({"amount": "x", "type": "y"}, DEPOSIT, {"foo": 1}).json()
    assert [error["pointer"] for error in problem["errors"]] == [
        *("/transactions/0/type", "/transactions/0/amount", "/transactions/2/foo"),
    ]


def test_an_item_that_is_no_object_is_pointed_to(asker):
    answer = asker.client.post(BATCH, {"atomic": True, "transactions": [asker.make_body(), []]})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (400, "/transactions/1", "invalid_type")


def test_an_id_used_before_refuses_an_atomic_batch_whole_and_says_where(asker):
    id = asker.post().json()["id"]
    before = take_stock()
    answer = asker.batch(DEPOSIT, {"id": id, "amount": "2"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "idempotency_key_reused")
    assert problem["differs"] == ["amount"]
    assert [error["pointer"] for error in problem["errors"]] == ["/transactions/1"]
    assert take_stock() == before


@pytest.mark.parametrize("culprit", ["source", "destination"])
def test_both_legs_of_a_declined_transfer_are_recorded_and_the_culprit_has_the_reason(asker, culprit):
    destination = AccountFactory()
    if culprit == "destination":
        deposit(asker.account, "5")
        Account.objects.filter(id=destination.id).update(status="CLOSED")
    code = {"source": "insufficient_funds", "destination": "account_closed"}[culprit]
    other = {"source": "destination", "destination": "source"}[culprit]
    answer = asker.transfer(destination)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (STATUS[code], code)
    legs = asker.client.get(f"{TRANSFERS}/{problem['transfer']}").json()
    assert legs[culprit]["id"] == problem["id"]
    assert legs[culprit]["decline_reason"] == code
    assert legs[other]["decline_reason"] == "transfer_declined"
    assert legs[other]["decline_details"] == {"culprit": problem["id"]}
    assert legs[culprit]["status"] == legs[other]["status"] == "DECLINED"
    assert Event.objects.filter(type="transaction.declined").count() == 2


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
    asker.set(**fields)
    answer = asker.hold(id=id)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (STATUS[code], code)
    assert problem.keys() == MEMBERS | {"id"} | extensions.keys()
    assert extensions.items() <= problem.items()
    stored = asker.client.get(f"{HOLDS}/{id}").json()
    assert (problem["id"], stored["status"]) == (id, "DECLINED")
    assert (stored["decline_reason"], stored["decline_details"]) == (code, extensions)
    assert read_row(asker, id)["code"] == "not_found"
    again = asker.hold(id=id)
    assert again["Idempotency-Replayed"] == "true"
    assert {**again.json(), "request_id": problem["request_id"]} == problem


def capture(asker, id, **body):
    return asker.client.post(f"{HOLDS}/{id}/capture", {"id": str(new_id()), **body})


@pytest.mark.parametrize("status", ["CAPTURED", "EXPIRED", "DECLINED"])
def test_a_hold_that_is_not_open_is_not_released_and_nothing_is_recorded(asker, status):
    if status != "DECLINED":
        deposit(asker.account, "1")
    id = hold_that_expires(asker.account, "1").id if status == "EXPIRED" else asker.hold().json()["id"]
    if status == "CAPTURED":
        capture(asker, id)
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
    assert take_stock()[1:] == before[1:]  # the first are users: the administrator is new


@pytest.mark.parametrize(
    ("limits", "amounts", "extensions"),
    [
        ({"withdraw_max": "5"}, ["6"], {"rule": "withdraw_max", "limit": "5.00", "required": "6.00"}),
        (
            {"withdraw_day_max": "5"},
            ["2", "4"],
            {"rule": "withdraw_day_max", "limit": "5.00", "required": "4.00", "withdrawn": "2.00"},
        ),
    ],
)
def test_a_limit_that_is_exceeded_says_which_and_by_what(asker, limits, amounts, extensions):
    deposit(asker.account, "50")
    asker.rule("limits", **limits)
    *_, problem = [asker.withdraw(amount).json() for amount in amounts]
    assert problem["code"] == "limit_exceeded"
    assert problem.keys() == MEMBERS | {"id"} | extensions.keys()
    assert extensions.items() <= problem.items()


def test_what_a_hold_has_left_limits_its_capture(asker):
    deposit(asker.account, "50")
    id = asker.hold("5").json()["id"]
    assert capture(asker, id, amount="2", final=False).status_code == 201
    problem = capture(asker, id, amount="3.01").json()
    assert problem["code"] == "limit_exceeded"
    assert {"rule": "hold", "limit": "3.00", "required": "3.01"}.items() <= problem.items()


def test_the_particulars_of_what_stands_in_the_way(asker):
    assert asker.post(amount="7").status_code == 201
    id = asker.post(amount="5").json()["id"]
    asker.hold("2")
    not_empty = asker.rule("close", reason="x").json()
    assert (not_empty["balance"], not_empty["held"]) == ("12.00", "2.00")
    reversal = asker.reverse(id).json()["id"]
    again = asker.reverse(id).json()
    assert (again["code"], again["reversed_by"]) == ("already_reversed", reversal)
    asker.rule("limits", credit_limit="20")
    asker.withdraw("25")
    in_use = asker.rule("limits", credit_limit="19.99").json()
    assert (in_use["code"], in_use["used"]) == ("credit_limit_in_use", "20.00")
    assert in_use["errors"][0]["pointer"] == "/credit_limit"
    assert asker.client.get(f"{ACCOUNTS}/{asker.account.id}").json()["credit_limit"] == "20.00"

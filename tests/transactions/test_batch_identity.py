"""A list has one identity for ever: repeated it replays, and another one under its id is refused."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account
from tests.cast import AccountFactory, deposit, new_id
from tests.conftest import make_client
from tests.transactions.conftest import require_clean
from tests.transactions.test_audit import harm, prove
from transactions.models import Batch, Transaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/batches"


@pytest.fixture
def body(account):
    deposit(account, "10")
    return {
        "id": str(new_id()),
        "atomic": True,
        "reference": "order 7",
        "commands": [
            {"command": "transaction", "type": "WITHDRAW", "account": str(account.id), "amount": "4.00"},
            {"command": "hold", "account": str(account.id), "amount": "3"},
            {"command": "release", "hold": "#1", "reason": "not needed"},
        ],
    }


def read_balance(account):
    return Account.objects.get(id=account.id).balance


def test_a_list_repeated_replays_and_moves_nothing(service, account, body):
    first = service.post(URL, body)
    assert first.status_code == 200
    written = Batch.objects.get()
    assert (str(written.id), written.reference, written.atomic) == (body["id"], "order 7", True)
    again = service.post(URL, body)
    assert (again.status_code, again["Idempotency-Replayed"]) == (200, "true")
    assert again.json()["results"][::2] == first.json()["results"][::2]
    assert again.json()["results"][1]["hold"]["status"] == "RELEASED"
    assert (read_balance(account), Batch.objects.count()) == (6, 1)


def test_a_list_is_the_same_however_its_values_are_written(service, account, body):
    body["commands"][0]["effective_at"] = "2023-01-04T10:00:00Z"
    deposit(account, "10", effective_at=None)
    assert service.post(URL, {**body, "atomic": False}).status_code == 200
    body["commands"][0] = {
        "amount": "4.000",
        "effective_at": "2023-01-04T12:00:00.000+02:00",
        **{name: body["commands"][0][name] for name in ("type", "command", "account")},
    }
    assert service.post(URL, {**body, "atomic": False}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(atomic=False),
        lambda body: body.update(reference="order 8"),
        lambda body: body.update(metadata={"k": "v"}),
        lambda body: body["commands"].pop(),
        lambda body: body["commands"].reverse(),
        lambda body: body["commands"][0].update(amount="4.01"),
        lambda body: body["commands"][2].update(reason="another"),
    ],
    ids=["atomic", "reference", "metadata", "shorter", "order", "amount", "reason"],
)
def test_another_list_under_the_same_id_is_refused(service, account, body, change):
    body["commands"][2]["hold"] = "#1"
    assert service.post(URL, body).status_code == 200
    change(body)
    if body["commands"][0]["command"] == "release":
        body["commands"][0]["hold"] = "#7"  # reversed, the number would be malformed first
        body["atomic"] = False
    answer = service.post(URL, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert (read_balance(account), Batch.objects.count()) == (6, 1)


def test_a_list_may_have_a_key_instead(service, body):
    del body["id"]
    first = service.post(URL, body, headers={"Idempotency-Key": "order 7"})
    again = service.post(URL, body, headers={"Idempotency-Key": "order 7"})
    assert (first.status_code, first.json()["id"]) == (200, again.json()["id"])
    assert again["Idempotency-Replayed"] == "true"
    assert service.post(URL, body).json()["code"] == "identity_required"


def test_what_was_refused_unrecorded_is_decided_anew(service, account, body):
    late = {"command": "transaction", "type": "DEPOSIT", "user": str(new_id()), "amount": "1"}
    body |= {"atomic": False, "commands": [body["commands"][0], late]}
    first = service.post(URL, body).json()["results"]
    assert [result["status"] for result in first] == [201, 404]
    assert service.post("/api/v1/users", {"id": late["user"], "name": "late"}).status_code == 201
    again = service.post(URL, body).json()["results"]
    assert [result["status"] for result in again] == [201, 201]
    assert {row.batch for row in Transaction.objects.exclude(batch=None)} == {Batch.objects.get().id}
    require_clean()


def test_a_list_of_nothing_but_wrong_items_has_its_row_and_is_answered_again(service):
    items = [{"command": "transaction", "reference": "\ud800"}, 7, {"command": "release", "hold": "#0"}]
    body = {"id": str(new_id()), "atomic": False, "commands": items}
    first, again = (service.post(URL, json.dumps(body), content_type="application/json") for _ in range(2))
    assert [result["status"] for result in first.json()["results"]] == [400, 400, 400]
    assert {**again.json(), "results": []} == {**first.json(), "results": []}
    assert service.post(URL, {**body, "commands": items[1:]}).json()["code"] == "idempotency_key_reused"
    assert Batch.objects.count() == 1
    require_clean()


def test_an_atomic_list_that_was_refused_burns_no_id(service, body):
    body["commands"][0]["amount"] = "4.001"
    assert service.post(URL, body).status_code == 400
    assert Batch.objects.count() == 0
    body["commands"][0]["amount"] = "4"
    assert service.post(URL, body).status_code == 200


def test_a_list_of_what_was_decided_before_has_its_row_too(service, account):
    alone = {"id": str(new_id()), "type": "DEPOSIT", "account": str(account.id), "amount": "1"}
    service.post("/api/v1/transactions", alone)
    body = {"id": str(new_id()), "atomic": True, "commands": [{"command": "transaction", **alone}]}
    assert service.post(URL, body)["Idempotency-Replayed"] == "true"
    shown = service.get(f"{URL}/{body['id']}").json()
    assert (shown["transactions"], shown["holds"]) == ([], [])
    assert Transaction.objects.get().batch is None
    require_clean()


def test_who_may_see_no_transactions_sees_only_the_lists_that_they_sent(service, body):
    service.post(URL, body)
    assert service.get(f"{URL}/{body['id']}").json()["id"] == body["id"]
    stranger = make_client("api-post", permissions=["transactions.add_transaction"])
    assert stranger.get(f"{URL}/{body['id']}").status_code == 404
    assert (
        stranger.post(f"{URL}/{body['id']}/reverse", {"id": str(new_id()), "reason": "x"}).status_code == 404
    )
    own = {**body, "id": str(new_id()), "atomic": False, "commands": body["commands"][:1]}
    assert stranger.post(URL, own).status_code == 200
    assert stranger.get(f"{URL}/{own['id']}").status_code == 200


def test_a_list_is_taken_back_in_reverse_order_and_its_holds_are_given_back(service, account):
    other = AccountFactory()
    deposit(account, "10")
    commands = [
        {"command": "transfer", "source": str(account.id), "destination": str(other.id), "amount": "10"},
        {"command": "transaction", "type": "WITHDRAW", "account": str(other.id), "amount": "6"},
        {"command": "hold", "account": str(other.id), "amount": "3"},
    ]
    body = {"id": str(new_id()), "atomic": True, "commands": commands}
    assert service.post(URL, body).status_code == 200
    undo = {"id": str(new_id()), "reason": "a mistake"}
    first = service.post(f"{URL}/{body['id']}/reverse", undo)
    assert first.status_code == 200, first.content
    results = first.json()["results"]
    assert [next(name for name in each if name != "status") for each in results] == [
        *("hold", "transaction", "transfer"),
    ]
    assert (read_balance(account), read_balance(other)) == (10, 0)
    assert Account.objects.get(id=other.id).held == 0
    again = service.post(f"{URL}/{body['id']}/reverse", undo)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert service.post(f"{URL}/{body['id']}/reverse", {**undo, "reason": "y"}).status_code == 422
    another = service.post(f"{URL}/{body['id']}/reverse", {**undo, "id": str(new_id())})
    assert (another.status_code, another.json()["results"]) == (
        200,
        [{"status": 200, "hold": results[0]["hold"]}],
    )
    shown = service.get(f"{URL}/{undo['id']}").json()
    assert shown["metadata"] == {"reason": "a mistake", "reverses": body["id"]}
    answer = service.post(f"{URL}/{undo['id']}/reverse", {**undo, "id": str(new_id())})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_reversible")
    require_clean()


def test_a_hold_whose_time_is_over_when_its_list_is_taken_back_is_shown_as_it_ended(service, account):
    """Nobody has written its end yet: what takes the list back does."""
    deposit(account, "10")
    answer, body = None, {}
    while answer is None or answer.json().get("code") == "expires_at_invalid":  # a busy machine is slow
        ends_at = (datetime.now(UTC) + timedelta(milliseconds=300)).isoformat()
        hold = {"command": "hold", "account": str(account.id), "amount": "3", "expires_at": ends_at}
        body = {"id": str(new_id()), "atomic": True, "commands": [hold]}
        answer = service.post(URL, body)
    assert answer.status_code == 200
    time.sleep(0.31)
    undone = service.post(f"{URL}/{body['id']}/reverse", {"id": str(new_id()), "reason": "x"})
    assert [each["hold"]["status"] for each in undone.json()["results"]] == ["EXPIRED"]
    assert Account.objects.get(id=account.id).held == 0


def test_only_what_is_left_of_a_list_is_taken_back(service, account):
    rows = [{"command": "transaction", "type": "DEPOSIT", "account": str(account.id), "amount": "5"}] * 2
    body = {"id": str(new_id()), "atomic": False, "commands": rows}
    first, _ = service.post(URL, body).json()["results"]
    one = f"/api/v1/transactions/{first['transaction']['id']}/reverse"
    assert service.post(one, {"id": str(new_id()), "reason": "x"}).status_code == 201
    undo = {"id": str(new_id()), "reason": "all of it"}
    for _ in range(2):
        answer = service.post(f"{URL}/{body['id']}/reverse", undo)
        assert len(answer.json()["results"]) == 1
    assert read_balance(account) == 0
    require_clean()


def test_an_atomic_list_that_is_repeated_decides_nothing_new(service, account, body):
    """Not even what has come to the list that it took back."""
    late = {"command": "transaction", "type": "DEPOSIT", "user": str(new_id()), "amount": "1"}
    body |= {"atomic": False, "commands": [body["commands"][0], late]}
    service.post(URL, body)
    undo = {"id": str(new_id()), "reason": "x"}
    first = service.post(f"{URL}/{body['id']}/reverse", undo).json()["results"]
    assert service.post("/api/v1/users", {"id": late["user"], "name": "late"}).status_code == 201
    assert [each["status"] for each in service.post(URL, body).json()["results"]] == [201, 201]
    again = service.post(f"{URL}/{body['id']}/reverse", undo)
    assert (again.json()["results"], again["Idempotency-Replayed"]) == (first, "true")
    assert Account.objects.get(user_id=late["user"]).balance == 1
    require_clean()


def test_a_list_that_was_changed_is_named(service, body):
    service.post(URL, body)
    harm("UPDATE transactions_batch SET reference = 'order 8'")
    assert [(each.check, each.row) for each in prove().findings] == [("batches", body["id"])]


def test_a_list_whose_money_is_gone_is_not_taken_back_and_stays_so(service, account):
    other = AccountFactory()
    rows = [
        {"command": "transaction", "type": "DEPOSIT", "account": str(each.id), "amount": "5"}
        for each in (account, other)
    ]
    body = {"id": str(new_id()), "atomic": True, "commands": rows}
    service.post(URL, body)
    spent = {"id": str(new_id()), "type": "WITHDRAW", "account": str(account.id), "amount": "1"}
    service.post("/api/v1/transactions", spent)
    undo = {"id": str(new_id()), "reason": "x"}
    for _ in range(2):
        answer = service.post(f"{URL}/{body['id']}/reverse", undo)
        assert (answer.status_code, answer.json()["code"]) == (422, "batch_declined")
        deposit(account, "100")
    assert read_balance(other) == 5
    require_clean()


def test_a_hold_that_was_placed_before_is_not_declined_with_the_list_that_sends_it_again(service, account):
    deposit(account, "10")
    place = {"id": str(new_id()), "account": str(account.id), "amount": "3.00"}
    assert service.post("/api/v1/holds", place).status_code == 201
    much = {"command": "transaction", "type": "WITHDRAW", "account": str(account.id), "amount": "50"}
    commands = [{"command": "hold", **place}, much]
    answer = service.post(URL, {"id": str(new_id()), "atomic": True, "commands": commands})
    placed, declined = answer.json()["results"]
    assert (placed["status"], placed["hold"]["status"]) == (201, "OPEN")
    assert declined["problem"]["code"] == "insufficient_funds"
    assert Account.objects.get(id=account.id).held == 3


def test_a_hold_that_a_list_captures_and_releases_is_closed_after_the_capture(service, account):
    deposit(account, "10")
    commands = [
        {"command": "hold", "account": str(account.id), "amount": "3.00"},
        {"command": "capture", "hold": "#0", "amount": "1.00", "final": False},
        {"command": "release", "hold": "#0", "reason": "the rest is not needed"},
    ]
    answer = service.post(URL, {"id": str(new_id()), "atomic": True, "commands": commands})
    _, captured, released = answer.json()["results"]
    assert released["hold"]["closed_at"] >= captured["transaction"]["recorded_at"]
    assert released["hold"]["captured"] == "1.00"
    require_clean()


def test_a_number_names_the_hold_of_its_item_and_no_other(service, account):
    deposit(account, "10")
    place = {"command": "hold", "account": str(account.id)}
    commands = [
        {**place, "amount": "3.00"},
        {"command": "transaction", "type": "DEPOSIT", "account": str(account.id), "amount": "1"},
        {**place, "amount": "4.00"},
        {"command": "capture", "hold": "#0"},
        {"command": "release", "hold": "#2", "reason": "not needed"},
    ]
    answer = service.post(URL, {"id": str(new_id()), "atomic": True, "commands": commands})
    first, _, second, captured, released = answer.json()["results"]
    assert captured["transaction"].items() >= {"hold": first["hold"]["id"], "amount": "3.00"}.items()
    assert released["hold"]["id"] == second["hold"]["id"]

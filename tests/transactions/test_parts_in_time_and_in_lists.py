"""Parts of a transaction that were taken back in the past, and parts in lists and within a token's bounds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.cast import day, deposit, new_id, withdraw
from tests.conftest import make_client
from tests.transactions.conftest import require_clean
from tests.transactions.test_parts_taken_back import URL, read
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

# Late


def test_a_part_may_be_effective_when_it_was_taken_in_the_world(service, reverse, account):
    row = deposit(account, "100", effective_at=day("2023-01-04"))
    body = reverse(row.id, "40", effective_at="2023-01-06T00:00:00Z").json()
    assert (body["effective_at"], body["late"]) == ("2023-01-06T00:00:00.000000Z", False)
    body = reverse(row.id, "40", effective_at="2023-01-05T00:00:00Z").json()
    assert (body["effective_at"], body["late"]) == ("2023-01-05T00:00:00.000000Z", True)
    then = service.get(f"/api/v1/accounts/{account.id}/balance", {"at": "2023-01-05"}).json()["balance"]
    assert then == "60.00"
    require_clean()


def test_a_late_part_must_be_covered_at_every_later_moment(reverse, account):
    row = deposit(account, "100", effective_at=day("2023-01-04"))
    withdraw(account, "70", effective_at=day("2023-01-06"))
    deposit(account, "50", effective_at=day("2023-01-08"))
    answer = reverse(row.id, "40", effective_at="2023-01-05T00:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds_at")
    assert answer.json()["instant"] == "2023-01-06T00:00:00.000000Z"
    assert reverse(row.id, "30", effective_at="2023-01-05T00:00:00Z").status_code == 201
    require_clean()


def test_nothing_is_taken_back_before_it_moved(reverse, account):
    row = deposit(account, "100", effective_at=day("2023-01-04T12:00"))
    answer = reverse(row.id, effective_at="2023-01-04T11:59:59.999999Z")
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (
        400,
        "/effective_at",
        "effective_at_too_early",
    )
    assert answer.json()["earliest"] == "2023-01-04T12:00:00.000000Z"
    assert reverse(row.id, "50", effective_at="2023-01-04T12:00:00Z").status_code == 201
    assert reverse(row.id, "50", effective_at="2023-01-04").status_code == 201  # the end of that day


def test_today_is_now_and_tomorrow_is_refused(reverse, account):
    row = deposit(account, "100")
    today = datetime.now(UTC).date()
    if today != Transaction.objects.get(id=row.id).recorded_at.date():
        pytest.skip("it was midnight")
    id = str(new_id())
    body = reverse(row.id, "10", id=id, effective_at=today.isoformat()).json()
    assert body["effective_at"] == body["recorded_at"]
    assert reverse(row.id, "10", id=id, effective_at=today.isoformat())["Idempotency-Replayed"] == "true"
    answer = reverse(row.id, "10", id=id, effective_at=body["effective_at"])
    assert answer.json()["differs"] == ["effective_at"]
    later = (today + timedelta(days=2)).isoformat()
    assert reverse(row.id, effective_at=later).json()["errors"][0]["code"] == "effective_at_in_future"


# Lists


def test_several_parts_of_one_transaction_stand_in_one_list(service, account):
    row = deposit(account, "100")

    def send(*amounts, atomic=True):
        items = [
            {"command": "reversal", "transaction": str(row.id), "reason": "r"}
            | ({"amount": amount} if amount else {})
            for amount in amounts
        ]
        return service.post("/api/v1/batches", {"id": str(new_id()), "atomic": atomic, "commands": items})

    declined = send("60", "50")
    assert declined.status_code == 422
    [first, second] = declined.json()["results"]
    assert (first["problem"]["code"], second["problem"]["code"]) == ("batch_declined", "reversal_too_large")
    assert second["problem"]["left"] == "40.00"
    results = send("30", "30", "50", None, atomic=False).json()["results"]
    assert [result["status"] for result in results] == [201, 201, 422, 201]
    assert results[3]["transaction"]["amount"] == "40.00"
    assert read(account) == [0]
    require_clean()


def test_a_list_taken_back_takes_what_is_left_of_each(service, reverse, account):
    items = [
        {"command": "transaction", "account": str(account.id), "type": "DEPOSIT", "amount": amount}
        for amount in ("10", "20", "30")
    ]
    id = str(new_id())
    made = service.post("/api/v1/batches", {"id": id, "atomic": True, "commands": items}).json()["results"]
    first, second, third = [result["transaction"]["id"] for result in made]
    reverse(first)
    reverse(second, "5")
    undo = {"id": str(new_id()), "reason": "over"}
    answer = service.post(f"/api/v1/batches/{id}/reverse", undo)
    taken = {
        each["transaction"]["reverses"]: each["transaction"]["amount"] for each in answer.json()["results"]
    }
    assert taken == {third: "30.00", second: "15.00"}
    again = service.post(f"/api/v1/batches/{id}/reverse", undo)
    assert (again.json(), again["Idempotency-Replayed"]) == (answer.json(), "true")
    require_clean()


# What tokens are bound to


def test_a_token_that_is_bound_to_amounts_takes_back_parts_up_to_them(account):
    row, id = deposit(account, "100"), str(new_id())
    bound = make_client("api-post", "api-read", amount_max=Decimal(40))

    def send(amount=None, id=None):
        body = {"id": id or str(new_id()), "reason": "r"} | ({"amount": amount} if amount else {})
        return bound.post(f"{URL}/{row.id}/reverse", body)

    assert send().json()["code"] == "token_bound"
    assert send("40.01").json()["code"] == "token_bound"
    assert send("40").status_code == 201
    assert send().json()["code"] == "token_bound"
    assert send("40").status_code == 201
    assert send(id=id).status_code == 201  # 20 are left
    again = send(id=id)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")

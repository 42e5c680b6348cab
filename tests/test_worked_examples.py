"""Stories an accountant can follow, over HTTP."""

import pytest

from tests.cast import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def petya(service):
    return create_user(service)


def create_user(service):
    answer = service.post("/api/v1/users", {"id": str(new_id()), "name": "petya"})
    assert answer.status_code == 201, answer.content
    return answer.json()


def send(service, user, type, amount, **fields):
    body = {"id": str(new_id()), "user": user["id"], "type": type, "amount": amount, **fields}
    return service.post("/api/v1/transactions", body)


def balance(service, user, **query):
    answer = service.get(f"/api/v1/users/{user['id']}/balance", query)
    assert answer.status_code == 200, answer.content
    return answer.json()["balance"]


def test_the_story_of_the_original_service(service, petya):
    assert balance(service, petya) == "0.00"

    send(service, petya, "DEPOSIT", "100.0", effective_at="2023-01-04T00:00:00Z")
    assert balance(service, petya) == "100.00"

    body = {"id": str(new_id()), "user": petya["id"], "type": "WITHDRAW", "amount": "50.0"}
    body["effective_at"] = "2023-01-05T00:00:00Z"
    first = service.post("/api/v1/transactions", body)
    second = service.post("/api/v1/transactions", body)
    assert (first.status_code, first.get("Idempotency-Replayed")) == (201, None)
    assert (second.status_code, second.get("Idempotency-Replayed")) == (201, "true")
    assert first.json() == second.json()
    assert balance(service, petya) == "50.00"

    declined = send(service, petya, "WITHDRAW", "60.0")
    assert (declined.status_code, declined.json()["code"]) == (402, "insufficient_funds")
    assert balance(service, petya) == "50.00"

    third = send(service, petya, "WITHDRAW", "10.0", effective_at="2023-02-05T00:00:00Z")
    assert third.json()["late"] is False  # nothing posted is effective after it: the 60.00 was declined
    assert balance(service, petya, at="2023-01-30T00:00:00") == "50.00"
    assert balance(service, petya) == "40.00"

    assert create_user(service)["id"] != petya["id"]


def test_a_transaction_is_read_by_its_id(service, petya):
    posted = send(service, petya, "DEPOSIT", "12.50", reference="invoice 7", metadata={"campaign": "spring"})
    read = service.get(f"/api/v1/transactions/{posted.json()['id']}").json()
    assert read == posted.json()
    assert (read["amount"], read["metadata"]) == ("12.50", {"campaign": "spring"})


def test_a_late_deposit_changes_the_past_but_not_what_was_known_then(service, petya):
    first = send(service, petya, "DEPOSIT", "100.00", effective_at="2023-03-01T00:00:00Z").json()
    send(service, petya, "DEPOSIT", "20.00", effective_at="2023-02-01T00:00:00Z")
    assert balance(service, petya, at="2023-02-15") == "20.00"
    assert balance(service, petya, at="2023-02-15", known_at=first["recorded_at"]) == "0.00"
    assert balance(service, petya, at="2023-03-15", known_at=first["recorded_at"]) == "100.00"
    assert balance(service, petya) == "120.00"


def test_a_withdrawal_from_before_the_deposit_is_declined_and_names_the_instant(service, petya):
    send(service, petya, "DEPOSIT", "100.00", effective_at="2023-02-01T00:00:00Z")
    declined = send(service, petya, "WITHDRAW", "60.00", effective_at="2023-01-01T00:00:00Z")
    problem = declined.json()
    assert (declined.status_code, problem["code"]) == (402, "insufficient_funds_at")
    assert problem["instant"] == "2023-01-01T00:00:00.000000Z"
    assert (problem["available"], problem["required"]) == ("0.00", "60.00")
    assert balance(service, petya) == "100.00"


def test_a_late_withdrawal_may_not_break_a_later_moment_either(service, petya):
    send(service, petya, "DEPOSIT", "100.00", effective_at="2023-01-01T00:00:00Z")
    send(service, petya, "WITHDRAW", "80.00", effective_at="2023-01-10T00:00:00Z")
    send(service, petya, "DEPOSIT", "500.00", effective_at="2023-01-20T00:00:00Z")
    problem = send(service, petya, "WITHDRAW", "50.00", effective_at="2023-01-05T00:00:00Z").json()
    assert (problem["code"], problem["available"]) == ("insufficient_funds_at", "20.00")
    assert problem["instant"] == "2023-01-10T00:00:00.000000Z"
    accepted = send(service, petya, "WITHDRAW", "20.00", effective_at="2023-01-05T00:00:00Z")
    assert (accepted.status_code, accepted.json()["late"]) == (201, True)


def test_a_withdrawal_is_answered_again_after_the_money_is_spent(service, petya):
    send(service, petya, "DEPOSIT", "100.00")
    body = {"id": str(new_id()), "user": petya["id"], "type": "WITHDRAW", "amount": "80.00"}
    first = service.post("/api/v1/transactions", body)
    send(service, petya, "WITHDRAW", "20.00")
    again = service.post("/api/v1/transactions", body)
    assert (again.status_code, again.json()) == (201, first.json())
    assert balance(service, petya) == "0.00"


def test_a_declined_withdrawal_stays_declined_after_a_top_up(service, petya):
    body = {"id": str(new_id()), "user": petya["id"], "type": "WITHDRAW", "amount": "80.00"}
    first = service.post("/api/v1/transactions", body)
    send(service, petya, "DEPOSIT", "100.00")
    again = service.post("/api/v1/transactions", body)
    assert first.status_code == again.status_code == 402
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["available"] == first.json()["available"] == "0.00"
    assert balance(service, petya) == "100.00"
    stored = service.get(f"/api/v1/transactions/{body['id']}").json()
    assert (stored["status"], stored["decline_reason"]) == ("DECLINED", "insufficient_funds")
    assert (stored["version"], stored["balance_after"]) == (None, "0.00")


def test_a_user_with_two_currencies_says_which_one(service, petya):
    service.post("/api/v1/accounts", {"user": petya["id"], "currency": "EUR"})
    unclear = service.get(f"/api/v1/users/{petya['id']}/balance")
    for refused in (send(service, petya, "DEPOSIT", "5.00"), unclear):
        assert (refused.status_code, refused.json()["code"]) == (400, "currency_required")
    assert send(service, petya, "DEPOSIT", "5.00", currency="EUR").status_code == 201
    assert balance(service, petya, currency="EUR") == "5.00"
    assert balance(service, petya, currency="USD") == "0.00"

"""A transaction is taken back in parts: together never more than it was, and of a transfer of both legs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts import operations
from accounts.models import Account
from tests.cast import CALLER, AccountFactory, day, deposit, hold, new_id, transfer, withdraw
from tests.conftest import make_client
from tests.transactions.conftest import require_clean
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/transactions"


@pytest.fixture
def reverse(service):
    def send(pk, amount=None, **changes):
        asked = {"id": str(new_id()), "reason": "a mistake", "amount": amount, **changes}
        body = {name: value for name, value in asked.items() if value is not None}
        return service.post(f"{URL}/{pk}/reverse", body)

    return send


@pytest.fixture
def yen(petya):
    made, _ = operations.create_account(user_id=petya.id, currency="JPY", caller=CALLER)
    return made


@pytest.fixture
def exchange(account, yen):
    """3.00 USD became 100 JPY: a cent is a third of a yen."""
    deposit(account, "3")
    return transfer(account, yen, "3", destination_amount=Decimal(100))


def read(*accounts):
    return [Account.objects.get(id=account.id).balance for account in accounts]


def show(service, pk):
    return service.get(f"{URL}/{pk}").json()


def require_declined(answer, code, **extensions):
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, code)
    assert {name: body[name] for name in extensions} == extensions
    assert Transaction.objects.get(id=body["id"]).decline_reason == code


def test_a_deposit_is_taken_back_in_parts_and_shows_how_much_and_by_which(service, reverse, account):
    row = deposit(account, "100")
    assert (show(service, row.id)["reversed"], show(service, row.id)["reversed_by"]) == ("0.00", [])
    parts = [reverse(row.id, amount).json() for amount in ("30.00", "20.00", None)]
    assert [part["amount"] for part in parts] == ["30.00", "20.00", "50.00"]
    shown = show(service, row.id)
    assert (shown["reversed"], shown["reversed_by"]) == ("100.00", [part["id"] for part in parts])
    [listed] = [each for each in service.get(URL).json()["results"] if each["id"] == str(row.id)]
    assert listed == shown
    assert read(account) == [0]
    require_clean()


def test_more_than_is_left_is_declined_and_recorded_with_what_is_left(service, reverse, account):
    row = deposit(account, "100")
    reverse(row.id, "70")
    id = str(new_id())
    answer = reverse(row.id, "30.01", id=id)
    require_declined(answer, "reversal_too_large", left="30.00")
    assert show(service, id)["amount"] == "30.01"
    assert reverse(row.id, "30").status_code == 201
    again = reverse(row.id, "30.01", id=id)
    assert (again.json()["left"], again["Idempotency-Replayed"]) == ("30.00", "true")


def test_of_what_has_nothing_left_nothing_is_taken_however_much_is_asked_for(reverse, account):
    row = deposit(account, "100")
    reverse(row.id, "40")
    last = reverse(row.id).json()["id"]
    asked = {None: "100.00", "5.00": "5.00", "500.00": "500.00"}  # and the amount of the declined row
    for amount, stands in asked.items():
        answer = reverse(row.id, amount)
        require_declined(answer, "already_reversed", reversed_by=last)
        assert Transaction.objects.get(id=answer.json()["id"]).to_dict()["amount"] == stands


def test_a_repetition_is_compared_with_what_was_asked_and_not_with_what_was_taken(reverse, account):
    row = deposit(account, "10")
    part, rest = str(new_id()), str(new_id())
    first = reverse(row.id, "5.00", id=part)
    assert reverse(row.id, id=rest).json()["amount"] == "5.00"
    again = reverse(row.id, "5", id=part)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert reverse(row.id, id=rest)["Idempotency-Replayed"] == "true"
    for id, amount in ((part, None), (rest, "5.00"), (part, "5.01")):
        answer = reverse(row.id, amount, id=id)
        assert (answer.json()["code"], answer.json()["differs"]) == ("idempotency_key_reused", ["amount"])
    changed = reverse(row.id, "5", id=part, effective_at="2026-01-01T00:00:00Z")
    assert changed.status_code in (400, 422)  # it is earlier than the deposit


def test_an_id_of_a_reversal_is_none_for_a_transaction(service, reverse, account):
    row, id = deposit(account, "10"), str(new_id())
    reverse(row.id, "5.00", id=id)
    body = {"id": id, "account": str(account.id), "type": "WITHDRAW", "amount": "5.00"}
    answer = service.post(URL, body)
    assert answer.json()["code"] == "idempotency_key_reused"
    assert set(answer.json()["differs"]) == {"amount", "metadata", "reverses"}


def test_a_part_needs_the_funds_and_what_is_held_is_none(reverse, account):
    row = deposit(account, "100")
    hold(account, "60")
    answer = reverse(row.id, "40.01")
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    assert reverse(row.id, "40").status_code == 201


def test_an_amount_that_is_none_is_refused(reverse, account):
    row = deposit(account, "100")
    for amount, code in {
        "0": "amount_not_positive",
        "1e2": "amount_invalid",
        "0.001": "amount_scale",
    }.items():
        answer = reverse(row.id, amount)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/amount")
        assert answer.json()["errors"][0]["code"] == code
    assert Transaction.objects.filter(reverses__isnull=False).count() == 0


def test_a_part_of_a_transfer_moves_as_much_on_both_accounts(service, reverse, account):
    deposit(account, "100")
    other = AccountFactory()
    moved = transfer(account, other, "30")
    answer = reverse(moved.id, "10").json()
    assert {leg: answer[leg]["amount"] for leg in ("source", "destination")} == {
        "source": "10.00",
        "destination": "10.00",
    }
    assert read(account, other) == [80, 20]
    deposit_leg = service.get(f"/api/v1/transfers/{moved.id}").json()["destination"]
    assert (deposit_leg["reversed"], deposit_leg["reversed_by"]) == ("10.00", [answer["source"]["id"]])
    require_declined(reverse(deposit_leg["id"], "20.01"), "reversal_too_large", left="20.00")
    assert reverse(deposit_leg["id"]).json()["source"]["amount"] == "20.00"
    assert read(account, other) == [100, 0]
    require_clean()


def test_the_other_leg_is_at_the_rate_of_the_original_rounded_down(reverse, exchange, account, yen):
    answer = reverse(exchange.id, "1.00").json()  # 33.3 JPY
    assert (answer["source"]["amount"], answer["destination"]["amount"]) == ("33", "1.00")
    assert read(account, yen) == [1, 67]
    require_clean()


def test_named_by_the_deposit_leg_the_amount_is_in_its_currency(service, reverse, exchange, account, yen):
    to = service.get(f"/api/v1/transfers/{exchange.id}").json()["destination"]["id"]
    answer = reverse(to, "50").json()
    assert (answer["source"]["amount"], answer["destination"]["amount"]) == ("50", "1.50")
    too_large = reverse(to, "51")
    require_declined(too_large, "reversal_too_large", left="50")
    assert read(account, yen) == [Decimal("1.5"), 50]
    assert reverse(to, "0.5").json()["errors"][0]["code"] == "amount_scale"
    require_clean()


def test_the_part_that_takes_all_that_is_left_takes_all_of_both_legs(
    service, reverse, exchange, account, yen
):
    for amount in ("1.00", "1.00"):
        assert reverse(exchange.id, amount).json()["source"]["amount"] == "33"
    assert reverse(exchange.id, "1.00").json()["source"]["amount"] == "34"  # of which 33.3 is the rate
    assert read(account, yen) == [3, 0]
    shown = service.get(f"/api/v1/transfers/{exchange.id}").json()
    assert [shown[leg]["reversed"] for leg in ("source", "destination")] == ["3.00", "100"]
    require_clean()


def test_a_part_whose_other_leg_would_be_nothing_is_declined_and_recorded(reverse, exchange, account, yen):
    id = str(new_id())
    answer = reverse(exchange.id, "0.02", id=id)
    require_declined(answer, "reversal_too_small", left="3.00")
    assert read(account, yen) == [0, 100]
    assert reverse(exchange.id, "2.98").json()["source"]["amount"] == "99"
    assert reverse(exchange.id, "0.02", id=id)["Idempotency-Replayed"] == "true"
    assert reverse(exchange.id, "0.02").json()["source"]["amount"] == "1"  # all that is left
    require_clean()


def test_a_part_leaves_something_of_the_other_leg_for_the_last_one(service, reverse, account, yen):
    """Rounding has left more of one leg than the rate says: named by that one, the other must not run out."""
    deposit(account, "0.03")
    moved = transfer(account, yen, "0.03", destination_amount=Decimal(1000))
    to = service.get(f"/api/v1/transfers/{moved.id}").json()["destination"]["id"]
    assert reverse(moved.id, "0.01").json()["source"]["amount"] == "333"
    assert reverse(to, "666").json()["destination"]["amount"] == "0.01"  # at the rate: 0.0199
    rest = reverse(moved.id).json()
    assert (rest["source"]["amount"], rest["destination"]["amount"]) == ("1", "0.01")
    require_clean()


def test_a_transfer_whose_money_is_spent_in_part_gives_back_the_part(reverse, account):
    deposit(account, "100")
    other = AccountFactory()
    moved = transfer(account, other, "30")
    withdraw(other, "20")
    assert reverse(moved.id).json()["code"] == "insufficient_funds"
    assert reverse(moved.id, "10").status_code == 201
    assert read(account, other) == [80, 0]


def test_what_is_asked_for_of_the_other_leg_is_an_amount_even_if_it_is_declined(reverse, account, petya):
    """At the rate it would be more than any amount may be."""
    points, _ = operations.create_account(user_id=petya.id, currency="POINTS", caller=CALLER)
    deposit(account, "0.01")
    moved = transfer(account, points, "0.01", destination_amount=Decimal(10) ** 12)
    require_declined(reverse(moved.id, "1000000000000"), "reversal_too_large", left="0.01")
    assert reverse(moved.id).status_code == 201
    require_declined(reverse(moved.id, "1000000000000"), "already_reversed")
    require_clean()


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
    results = send("60", "50", None, atomic=False).json()["results"]
    assert [result["status"] for result in results] == [201, 422, 201]
    assert results[2]["transaction"]["amount"] == "40.00"
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

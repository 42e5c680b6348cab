"""A transaction is taken back in parts: together never more than it was, and of a transfer of both legs."""

from decimal import Decimal

import pytest

from accounts import operations
from accounts.models import Account
from tests.cast import CALLER, AccountFactory, deposit, hold, new_id, transfer, withdraw
from tests.transactions.conftest import require_clean
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/transactions"


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
    deposit(account, "0.04")
    moved = transfer(account, yen, "0.04", destination_amount=Decimal(7))
    to = service.get(f"/api/v1/transfers/{moved.id}").json()["destination"]["id"]
    for _ in range(2):
        assert reverse(moved.id, "0.01").json()["source"]["amount"] == "1"  # at the rate: 1.75
    assert reverse(to, "4").json()["destination"]["amount"] == "0.01"  # at the rate: 0.02, all there is
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

"""Every currency has its own decimals, from ISO 4217 or from the settings; nothing is rounded."""

from decimal import Decimal

import pytest

from tests.cast import AccountFactory, new_id
from tests.conftest import make_client

# One step, and one that is too fine.
STEPS = {"JPY": ("1", "0.1"), "USD": ("0.01", "0.001"), "BHD": ("0.001", "0.0001"), "POINTS": ("1", "0.5")}

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("currency", STEPS)]


@pytest.fixture
def account(currency):
    return AccountFactory(currency=currency)


@pytest.fixture
def post(service, account):
    def send(path, **body):
        return service.post(f"/api/v1/{path}", {"id": str(new_id()), **body})

    return send


def test_amounts_go_out_in_the_decimals_of_their_currency(service, post, account, currency):
    step, _ = STEPS[currency]
    zeros = Decimal(step) * 0
    row = post("transactions", account=str(account.id), type="DEPOSIT", amount=step).json()
    assert (row["amount"], row["balance_after"], row["currency"]) == (step, step, currency)
    balance = service.get(f"/api/v1/accounts/{account.id}/balance").json()
    assert (balance["balance"], balance["held"], balance["available"]) == (step, str(zeros), step)
    hold = post("holds", account=str(account.id), amount=step).json()
    assert (hold["amount"], hold["captured"], hold["remaining"]) == (step, str(zeros), step)
    declined = post("transactions", account=str(account.id), type="WITHDRAW", amount=step).json()
    assert (declined["available"], declined["required"]) == (str(zeros), step)


def test_finer_amounts_are_refused_everywhere(service, post, account, currency):
    _, fine = STEPS[currency]
    accounts = {"source": str(account.id), "destination": str(AccountFactory(currency=currency).id)}
    answers = [
        post("transactions", account=str(account.id), type="DEPOSIT", amount=fine),
        post("transfers", **accounts, amount=fine),
        post("holds", account=str(account.id), amount=fine),
        make_client("api-admin").post(f"/api/v1/accounts/{account.id}/limits", {"credit_limit": fine}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "amount_scale")] * 4


def test_a_tenth_of_a_hold_cannot_be_captured_finer_than_the_currency(service, post, account, currency):
    step, fine = STEPS[currency]
    post("transactions", account=str(account.id), type="DEPOSIT", amount=step)
    hold = post("holds", account=str(account.id), amount=step).json()
    answer = post(f"holds/{hold['id']}/capture", amount=fine)
    assert (answer.status_code, answer.json()["code"]) == (400, "amount_scale")
    assert service.get(f"/api/v1/holds/{hold['id']}").json()["status"] == "OPEN"


def test_a_user_has_an_account_in_every_currency(service, account, currency):
    for other in STEPS:
        service.post("/api/v1/accounts", {"user": str(account.user_id), "currency": other})
    shown = service.get(f"/api/v1/users/{account.user_id}").json()
    assert {each["currency"] for each in shown["accounts"]} == set(STEPS)
    balance = service.get(f"/api/v1/users/{account.user_id}/balance", {"currency": currency}).json()
    assert balance["account"] == str(account.id)

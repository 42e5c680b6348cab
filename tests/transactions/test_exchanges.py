"""Transfers between two currencies: both amounts are named, and each comes back as it went."""

from decimal import Decimal

import pytest

from accounts import operations
from accounts.models import Account
from tests.cast import CALLER, AccountFactory, deposit, new_id, transfer
from tests.transactions.conftest import require_clean
from tests.transactions.test_audit import harm, prove
from transactions.exchange.exports import write_journal
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/transfers"


@pytest.fixture
def yen(petya):
    made, _ = operations.create_account(user_id=petya.id, currency="JPY", caller=CALLER)
    return made


@pytest.fixture
def exchange(service, account, yen):
    deposit(account, "100")

    def send(**changes):
        body = {"id": str(new_id()), "source": str(account.id), "destination": str(yen.id)}
        body |= {"amount": "10.50", "destination_amount": "1600", **changes}
        return service.post(URL, {name: value for name, value in body.items() if value is not None})

    return send


def read(*accounts):
    return [Account.objects.get(id=account.id).balance for account in accounts]


def test_an_exchange_moves_both_amounts_and_the_audit_finds_nothing_wrong(service, exchange, account, yen):
    answer = exchange()
    assert answer.status_code == 201
    legs = [answer.json()[name] for name in ("source", "destination")]
    assert [(leg["amount"], leg["currency"]) for leg in legs] == [("10.50", "USD"), ("1600", "JPY")]
    assert service.get(f"{URL}/{answer.json()['id']}").json() == answer.json()
    assert read(account, yen) == [Decimal("89.50"), 1600]
    require_clean()


def test_taken_back_each_account_has_its_own_amount_back(service, exchange, account, yen):
    id = exchange().json()["id"]
    undo = {"id": str(new_id()), "reason": "a mistake"}
    answer = service.post(f"/api/v1/transactions/{id}/reverse", undo)
    assert answer.status_code == 201
    assert [answer.json()[name]["amount"] for name in ("source", "destination")] == ["1600", "10.50"]
    assert read(account, yen) == [100, 0]
    require_clean()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"destination_amount": None}, 422, "currency_mismatch"),
        ({"destination_amount": "0.5"}, 400, "amount_scale"),
        ({"destination_amount": "0"}, 400, "amount_not_positive"),
        ({"destination_currency": "USD"}, 422, "currency_mismatch"),
        ({"currency": "JPY"}, 422, "currency_mismatch"),
        ({"amount": "1000"}, 402, "insufficient_funds"),
    ],
)
def test_two_currencies_need_two_amounts_and_one_currency_has_one(exchange, changes, status, code):
    answer = exchange(**changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if changes == {"destination_amount": None}:
        assert answer.json()["errors"][0]["pointer"] == "/destination_amount"
    other = str(AccountFactory().id)
    one = exchange(destination=other, destination_amount="10.51")
    assert (one.status_code, one.json()["code"]) == (422, "amounts_differ")
    assert one.json()["errors"][0]["pointer"] == "/destination_amount"
    assert exchange(destination=other, destination_amount="10.50").status_code == 201


def test_an_exchange_repeated_replays_and_another_amount_is_another_exchange(exchange):
    id = str(new_id())
    first = exchange(id=id)
    assert exchange(id=id).json() == first.json()
    for changes, differs in (
        ({"amount": "10.51"}, "amount"),
        ({"destination_amount": "1601"}, "destination_amount"),
        ({"destination_amount": None}, "destination_amount"),
    ):
        assert exchange(id=id, **changes).json()["differs"] == [differs]


def test_users_may_be_named_instead_of_accounts(exchange, petya, account, yen):
    users = {"source": None, "source_user": str(petya.id), "destination": None}
    users |= {"destination_user": str(petya.id)}
    assert exchange(**users).json()["code"] == "currency_required"
    assert exchange(**users, currency="USD").json()["code"] == "currency_required"
    id = str(new_id())
    answer = exchange(**users, id=id, currency="USD", destination_currency="JPY")
    assert (answer.status_code, read(account, yen)) == (201, [Decimal("89.50"), 1600])
    assert exchange(**users, id=id).json() == answer.json()  # a repetition finds the accounts that were meant
    for wrong in ({"source": str(account.id)}, {"destination_user": None}):
        assert exchange(**(users | wrong), currency="USD").status_code == 400


def test_a_leg_whose_amount_was_changed_is_found(exchange, account):
    row = transfer(account, AccountFactory(), "5")
    harm("UPDATE transactions_transaction SET amount = 6 WHERE id = %s", row.id)
    assert "transfers" in {finding.check for finding in prove().findings}


@pytest.mark.django_db(transaction=True)
def test_the_journal_has_an_exchange_as_one_transaction_of_two_commodities(exchange):
    exchange()
    [entry] = [piece for piece in write_journal() if "TRANSFER" in piece]
    assert [line.split()[1:3] for line in entry.splitlines()[2:]] == [["-10.50", "USD"], ["1600", "JPY"]]
    assert Transaction.objects.filter(transfer__isnull=False).count() == 2

"""In one list the deposits of a moment cover its withdrawals, whichever stands first."""

from decimal import Decimal

import pytest

from ledger.callers import Caller
from tests.cast import AccountFactory, day, deposit, hold, new_id, withdraw
from tests.transactions.test_concurrency import rows_of
from transactions import posting
from transactions.posting.commands import NewTransaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/batches"
DAY = "2024-03-01"
RENT, SALARY = ("WITHDRAW", "50.00", DAY), ("DEPOSIT", "100.00", DAY)


def make_item(account, type, amount, **fields):
    about = {"command": "transaction", "id": str(new_id()), "account": str(account.id)}
    return {**about, "type": type, "amount": amount, **fields}


@pytest.fixture
def send(service, account):
    """A batch of these movements on an account; the status, or the code, of each."""

    def send(*moves, atomic=False, **fields):
        items = [
            make_item(account, type, amount) | ({"effective_at": moment} if moment else {})
            for type, amount, moment in moves
        ]
        items[-1] |= fields
        answer = service.post(URL, {"id": str(new_id()), "atomic": atomic, "commands": items}).json()
        shown = [result.get("transaction") or result["problem"] for result in answer["results"]]
        assert [each["id"] for each in shown] == [item["id"] for item in items]
        return [each.get("code", each["status"]) for each in shown]

    return send


def amounts_of(account):
    return [f"{row.signed_amount:+.0f}" for row in rows_of(account) if row.version]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_withdrawal_waits_for_the_deposits_of_its_day_behind_it(send, account, atomic):
    assert send(RENT, SALARY, atomic=atomic) == ["POSTED", "POSTED"]
    assert amounts_of(account) == ["+100", "-50"]


def test_an_order_that_covers_is_kept(send, account):
    deposit(account, "50", effective_at=day("2024-02-01"))
    assert send(RENT, SALARY, ("WITHDRAW", "70", DAY)) == ["POSTED"] * 3
    assert amounts_of(account) == ["+50", "-50", "+100", "-70"]


def test_all_deposits_of_the_day_come_first_where_it_fails_and_the_rest_stays(send, account):
    assert (
        send(("DEPOSIT", "10", DAY), RENT, ("DEPOSIT", "15", DAY), ("WITHDRAW", "1", DAY), SALARY)
        == ["POSTED"] * 5
    )
    assert amounts_of(account) == ["+10", "+15", "+100", "-50", "-1"]


def test_a_backdated_withdrawal_waits_too(send, account):
    for amount, moment in (("60", "2024-02-01"), ("40", "2024-04-01")):
        deposit(account, amount, effective_at=day(moment))
    withdraw(account, "60", effective_at=day("2024-02-02"))
    assert send(RENT, ("DEPOSIT", "50", DAY)) == ["POSTED", "POSTED"]
    assert rows_of(account)[-1].late


def test_what_the_day_does_not_cover_is_declined(send, account):
    assert send(("WITHDRAW", "101", DAY), RENT, SALARY) == ["insufficient_funds", "POSTED", "POSTED"]
    assert amounts_of(account) == ["+100", "-50"]
    assert send(("WITHDRAW", "151", DAY), SALARY, atomic=True) == ["insufficient_funds", "batch_declined"]


@pytest.mark.parametrize(
    "moves",
    [
        [RENT, ("DEPOSIT", "100", "2024-03-02")],
        [RENT, ("DEPOSIT", "100", None)],
        [("WITHDRAW", "50", None), SALARY],
        [("WITHDRAW", "50", None), ("DEPOSIT", "100", None)],
    ],
)
def test_moments_that_are_not_said_to_be_the_same_are_in_the_given_order(send, moves):
    assert send(*moves) == ["insufficient_funds", "POSTED"]


def test_who_asks_for_a_version_asks_for_the_order(send):
    assert send(RENT, SALARY, expected_version=0) == ["insufficient_funds", "POSTED"]
    assert send(
        ("WITHDRAW", "150", DAY), SALARY, ("WITHDRAW", "1", None), atomic=False, expected_version=2
    ) == ["insufficient_funds", "POSTED", "POSTED"]


def test_the_deposits_of_another_account_cover_nothing(service, account):
    other = AccountFactory()
    items = [
        make_item(each, type, amount, effective_at=DAY)
        for each, (type, amount, _) in ((account, RENT), (other, SALARY))
    ]
    answer = service.post(URL, {"id": str(new_id()), "atomic": False, "commands": items})
    assert [result["status"] for result in answer.json()["results"]] == [402, 201]


def test_a_list_that_was_covered_is_answered_again_in_its_order(service, account):
    items = [make_item(account, type, amount, effective_at=DAY) for type, amount, _ in (RENT, SALARY)]
    body = {"id": str(new_id()), "atomic": True, "commands": items}
    first, again = service.post(URL, body), service.post(URL, body)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")


def test_funds_that_are_held_are_no_cover(send, account):
    deposit(account, "60")
    hold(account, "60")
    assert send(RENT, ("DEPOSIT", "49", DAY)) == ["insufficient_funds", "POSTED"]


@pytest.mark.parametrize("atomic", [False, True])
def test_in_a_list_of_every_kind_a_withdrawal_waits_and_a_transfer_does_not(service, account, atomic):
    other = AccountFactory()
    rent, salary = (make_item(account, type, amount, effective_at=DAY) for type, amount, _ in (RENT, SALARY))
    place = {"command": "hold", "account": str(account.id), "amount": "30"}
    move = {"command": "transfer", "source": str(account.id), "destination": str(other.id), "amount": "20"}

    def send(*items):
        answer = service.post(URL, {"id": str(new_id()), "atomic": atomic, "commands": items}).json()
        return [result.get("problem", {}).get("code") for result in answer["results"]]

    expected = ["insufficient_funds", "batch_declined" if atomic else None]
    assert send({**move, "effective_at": DAY}, salary) == expected
    account.refresh_from_db()
    assert account.balance == (0 if atomic else 100)
    rent["amount"], salary["id"] = str(account.balance + 50), str(new_id())
    assert send(rent, place, {"command": "capture", "hold": "#1"}, salary) == [None] * 4
    assert sum(row.signed_amount for row in rows_of(account) if row.version) == 20


def test_in_process_it_is_the_same(account):
    moves = [
        NewTransaction(
            id=new_id(), account_id=account.id, type=type, amount=Decimal(amount), effective_at=day(DAY)
        )
        for type, amount, _ in (RENT, SALARY)
    ]
    posting.post(moves, caller=Caller(account.user_id))
    assert amounts_of(account) == ["+100", "-50"]

"""There is no edit and no delete: a transaction is taken back by its opposite."""

import pytest

from accounts.models import Account
from tests import asking
from tests.cast import AccountFactory, deposit, hold, new_id, transfer, withdraw

pytestmark = pytest.mark.django_db

URL = "/api/v1/transactions"


@pytest.fixture
def reverse(service):
    def send(pk, reason="a mistake", **changes):
        return service.post(f"{URL}/{pk}/reverse", {"id": str(new_id()), "reason": reason, **changes})

    return send


def read_balance(account):
    return Account.objects.get(id=account.id).balance


def test_a_deposit_is_taken_back_and_both_know_of_each_other(service, reverse, account):
    row = deposit(account, "100", reference="invoice 7")
    answer = reverse(row.id, "typed twice")
    body = answer.json()
    assert (answer.status_code, body["type"], body["amount"], body["reverses"]) == (
        201,
        "WITHDRAW",
        "100.00",
        str(row.id),
    )
    assert body["metadata"] == {"reason": "typed twice"}
    shown = service.get(f"{URL}/{row.id}").json()
    assert (shown["reversed"], shown["reversed_by"]) == ("100.00", [body["id"]])
    assert (body["reversed"], body["reversed_by"]) == ("0.00", [])
    assert read_balance(account) == 0


def test_a_reversal_repeated_is_answered_again(reverse, account):
    row, id = deposit(account, "100"), str(new_id())
    first, again = reverse(row.id, id=id), reverse(row.id, id=id)
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    changed = reverse(row.id, "another reason", id=id)
    assert (changed.status_code, changed.json()["differs"]) == (422, ["reason"])


def test_a_transaction_is_reversed_once(service, reverse, account):
    row = deposit(account, "100")
    first, second = reverse(row.id).json(), reverse(row.id)
    problem = second.json()
    assert (second.status_code, problem["code"]) == (422, "already_reversed")
    assert problem["reversed_by"] == first["id"]
    assert service.get(f"{URL}/{problem['id']}").json()["status"] == "DECLINED"


def test_reversing_a_deposit_needs_the_funds_and_may_be_tried_again(reverse, account):
    row = deposit(account, "100")
    withdraw(account, "1")
    answer = reverse(row.id)
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    deposit(account, "1")
    assert reverse(row.id).status_code == 201


def test_what_is_held_cannot_be_reversed_away(reverse, account):
    row = deposit(account, "100")
    hold(account, "1")
    assert reverse(row.id).json()["code"] == "insufficient_funds"


def test_a_withdrawal_is_given_back(reverse, account):
    deposit(account, "100")
    row = withdraw(account, "40")
    assert reverse(row.id).json()["type"] == "DEPOSIT"
    assert read_balance(account) == 100


def test_neither_a_reversal_nor_a_decline_can_be_reversed(reverse, account):
    reversal = reverse(deposit(account, "100").id).json()
    for id in (reversal["id"], withdraw(account, "500").id):
        answer = reverse(id)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_reversible")
    assert reverse(new_id()).status_code == 404


def test_either_leg_takes_the_whole_transfer_back(service, reverse, account):
    deposit(account, "100")
    other = AccountFactory()
    for leg in ("source", "destination"):
        moved = transfer(account, other, "30")
        sent = service.get(f"/api/v1/transfers/{moved.id}").json()
        back = reverse(sent[leg]["id"]).json()
        for here, there in (("source", "destination"), ("destination", "source")):
            assert (back[here]["reverses"], back[here]["transfer"]) == (sent[there]["id"], back["id"])
        assert (read_balance(account), read_balance(other)) == (100, 0)
        assert reverse(sent["id"]).json()["code"] == "already_reversed"
        assert reverse(back["destination"]["id"]).json()["code"] == "not_reversible"
        assert service.get(f"/api/v1/transfers/{back['id']}").json() == back


def test_a_transfer_whose_money_is_spent_stays(service, reverse, account):
    deposit(account, "100")
    other = AccountFactory()
    moved = transfer(account, other, "30")
    withdraw(other, "1")
    answer = reverse(moved.id)
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    assert (read_balance(account), read_balance(other)) == (70, 29)


def test_a_frozen_account_gives_nothing_back_but_receives(reverse, account):
    out, back = deposit(account, "100"), withdraw(account, "40")
    asking.freeze(id=account.id, reason="look", request_id="r")
    assert reverse(out.id).json()["code"] == "account_frozen"
    assert reverse(back.id).status_code == 201


def test_a_reason_is_required(reverse, account):
    row = deposit(account, "100")
    for reason in (None, ""):
        answer = reverse(row.id, reason)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/reason")
    assert reverse(row.id, "r" * 501).json()["code"] == "too_long"

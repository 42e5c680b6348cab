"""Captures into accounts beside other commands, and as items of a list."""

from decimal import Decimal

import pytest

from accounts import operations
from ledger.callers import Caller
from tests.cast import CALLER, AccountFactory, deposit, hold, new_id
from tests.reference_commands import derive_id
from tests.transactions.conftest import require_clean
from tests.transactions.test_captures_into_accounts import read, split
from transactions import posting
from transactions.posting.commands import Capture, NewTransaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def sellers():
    return [AccountFactory(), AccountFactory(), AccountFactory()]


def test_in_a_list_captures_go_into_accounts_and_are_taken_back_with_it(service, rich, sellers):
    main = AccountFactory()
    seller = main.user
    operations.create_account(user_id=seller.id, currency="EUR", caller=CALLER)
    commands = [
        {"command": "hold", "account": str(rich.id), "amount": "50"},
        {
            "command": "capture",
            "hold": "#0",
            "final": False,
            "destinations": split((sellers[0], "15"), (sellers[1], "5")),
        },
        {"command": "capture", "hold": "#0", "amount": "10", "destination_user": str(seller.id)},
    ]
    id = str(new_id())
    body = {"id": id, "atomic": True, "commands": commands}
    answer, again = (service.post("/api/v1/batches", body) for _ in range(2))
    assert again.json()["results"][1:] == answer.json()["results"][1:]  # the hold is shown as it is now
    _, parts, one = answer.json()["results"]
    first = derive_id(f"{id}\0item\0" + "1")
    ids = [str(first), str(derive_id(f"{first}\0part\0" + "1"))]
    assert [transfer["id"] for transfer in parts["transfers"]] == ids
    assert one["transfer"]["destination"]["account"] == str(main.id)
    assert (read(rich), [read(each) for each in (*sellers, main)]) == (70, [15, 5, 0, 10])
    other = [*commands[:2], commands[2] | {"amount": "9"}]
    refused = service.post("/api/v1/batches", body | {"commands": other})
    assert refused.json()["code"] == "idempotency_key_reused"
    back = service.post(f"/api/v1/batches/{id}/reverse", {"id": str(new_id()), "reason": "cancelled"})
    assert (back.status_code, read(rich)) == (200, 100)
    require_clean()


def test_a_list_that_is_declined_declines_all_parts(service, rich, sellers):
    commands = [
        {"command": "hold", "account": str(rich.id), "amount": "50"},
        {"command": "capture", "hold": "#0", "destinations": split((sellers[0], "15"), (sellers[1], "5"))},
        {"command": "transaction", "account": str(rich.id), "type": "WITHDRAW", "amount": "500"},
    ]
    for last in range(2, 4):  # first because of the withdrawal, then because of a part
        body = {"id": str(new_id()), "atomic": True, "commands": commands[: last + (last == 2)]}
        answer = service.post("/api/v1/batches", body).json()
        assert answer["code"] == "batch_declined"
        commands[1]["destinations"][1]["amount"] = "45"
    codes = [result["problem"]["code"] for result in answer["results"]]
    assert codes == ["batch_declined", "limit_exceeded", "batch_declined"]
    assert (read(rich), read(sellers[0])) == (100, 0)
    require_clean()


def test_a_hold_that_grew_meanwhile_is_still_within_the_bounds_of_a_token(rich):
    """What was compared before the lock was less."""
    placed = hold(rich, "40")
    command = Capture(id=new_id(), hold_id=placed.id, account_id=rich.id)
    command.amount_max = Decimal(39)
    refused = posting.post_request(
        posting.PostingRequest(commands=[command], caller=Caller(rich.user_id), each=True)
    )
    assert refused[0].code == "token_bound"


def test_it_is_one_posting_beside_others(rich, sellers):
    """The legs of a split capture stand between other rows of the same commit."""
    placed = hold(rich, "40")
    parts = [(sellers[0].id, Decimal(3)), (sellers[1].id, Decimal(4))]
    others = [
        NewTransaction(id=new_id(), account_id=id, type="DEPOSIT", amount=Decimal(1))
        for id in (rich.id, sellers[0].id, sellers[1].id)
    ]
    capture = Capture(id=new_id(), hold_id=placed.id, account_id=rich.id, destinations=parts)
    posting.post([*others[:2], capture, others[2]], caller=Caller(rich.user_id))
    assert [read(each) for each in (rich, *sellers)] == [94, 4, 5, 0]
    deposit(rich, "1")
    require_clean()

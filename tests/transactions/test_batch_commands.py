"""Every money command in one list: what they make, what they name, and who may give them."""

import hashlib
from decimal import Decimal
from uuid import UUID

import pytest

from accounts.models import Account, Hold
from tests.cast import AccountFactory, deposit, hold, new_id, transfer
from tests.conftest import make_client
from tests.transactions.conftest import require_clean
from transactions.models import Batch, Transaction, derive_item_id

pytestmark = pytest.mark.django_db

URL = "/api/v1/batches"


@pytest.fixture
def send(service):
    def post(*commands, atomic=True, client=service, **fields):
        id = fields.pop("id", str(new_id()))
        return client.post(URL, {"id": id, "atomic": atomic, "commands": commands, **fields})

    return post


def order(type, account, amount, **fields):
    return {"command": "transaction", "type": type, "account": str(account.id), "amount": amount, **fields}


def move(source, destination, amount, **fields):
    ids = {"source": str(source.id), "destination": str(destination.id)}
    return {"command": "transfer", **ids, "amount": amount, **fields}


def place(account, amount, **fields):
    return {"command": "hold", "account": str(account.id), "amount": amount, **fields}


def list_codes(answer):
    return [result.get("problem", {}).get("code") for result in answer.json()["results"]]


def read(account):
    account = Account.objects.get(id=account.id)
    return account.balance, account.held


def test_every_command_stands_in_one_list_and_all_of_it_names_the_list(service, send, account):
    seller = AccountFactory()
    held, taken = hold(deposit(account, "100").account, "10"), deposit(account, "5")
    answer = send(
        order("DEPOSIT", account, "50", reference="a"),
        move(account, seller, "20"),
        place(account, "30"),
        {"command": "capture", "hold": "#2", "amount": "12"},
        {"command": "release", "hold": str(held.id), "reason": "not needed"},
        {"command": "reversal", "transaction": str(taken.id), "reason": "twice"},
        reference="order 7",
        metadata={"k": "v"},
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    kinds = [next(name for name in result if name != "status") for result in body["results"]]
    assert kinds == ["transaction", "transfer", "hold", "transaction", "hold", "transaction"]
    assert [result["status"] for result in body["results"]] == [201, 201, 201, 201, 200, 201]
    assert body["results"][3]["transaction"]["hold"] == body["results"][2]["hold"]["id"]
    assert read(account) == (Decimal(118), 0)
    assert read(seller) == (20, 0)
    shown = service.get(f"{URL}/{body['id']}").json()
    assert shown.items() >= {"atomic": True, "reference": "order 7", "metadata": {"k": "v"}}.items()
    assert len(shown["transactions"]) == 5
    assert [each["id"] for each in shown["holds"]] == [body["results"][2]["hold"]["id"]]
    made = [*shown["transactions"], *shown["holds"]]
    assert {each["batch"] for each in made} == {body["id"]}
    found = service.get(f"/api/v1/transactions?batch={body['id']}").json()["results"]
    assert {row["id"] for row in found} == {row["id"] for row in shown["transactions"]}
    found = service.get(f"/api/v1/holds?batch={body['id']}").json()["results"]
    assert found == shown["holds"]
    require_clean()


def test_an_item_without_an_id_has_one_derived_from_the_list_and_its_place(send, account):
    id = str(new_id())
    body = send(order("DEPOSIT", account, "1"), place(account, "1"), id=id).json()
    batch = Batch.objects.get(id=id)
    assert body["results"][0]["transaction"]["id"] == str(derive_item_id(batch.id, 0))
    assert body["results"][1]["hold"]["id"] == str(derive_item_id(batch.id, 1))
    alone = {"id": body["results"][0]["transaction"]["id"], **order("DEPOSIT", account, "1")}
    assert send(alone).json()["code"] == "id_invalid"


def test_derived_ids_are_what_the_documentation_says():
    batch = UUID("01930000-0000-7000-8000-000000000001")
    digest = bytearray(hashlib.sha256(str(batch).encode() + b"\0item\0" + b"12").digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
    assert derive_item_id(batch, 12) == UUID(bytes=bytes(digest))


@pytest.mark.parametrize("named", ["#1", "#2", "#7"])
def test_a_number_names_a_hold_that_was_placed_before(send, account, named):
    deposit(account, "10")
    answer = send(
        place(account, "1"),
        order("DEPOSIT", account, "1"),
        {"command": "capture", "hold": named},
        place(account, "1"),
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "item_unknown")
    assert answer.json()["errors"][0]["pointer"] == "/commands/2/hold"
    assert Batch.objects.count() == 0


def test_one_decline_declines_every_command_of_an_atomic_list(send, account):
    deposit(account, "10")
    kept, other = hold(account, "4"), AccountFactory()
    commands = [
        place(account, "1"),
        {"command": "release", "hold": str(kept.id), "reason": "x"},
        move(account, other, "3"),
        order("WITHDRAW", account, "50"),
        {"command": "capture", "hold": "#0"},
    ]
    first = send(*commands, id=(id := str(new_id())))
    assert (first.status_code, first.json()["id"]) == (422, id)
    expected = ["batch_declined"] * 3 + ["insufficient_funds", "batch_declined"]
    assert list_codes(first) == expected
    assert read(account) == (10, 4)
    assert Hold.objects.get(id=kept.id).status == "OPEN"
    declined = Hold.objects.exclude(id=kept.id).get()
    assert (declined.status, declined.decline_reason) == ("DECLINED", "batch_declined")
    deposit(account, "100")
    again = send(*commands, id=id)
    assert (again.status_code, list_codes(again)) == (422, expected)
    assert again["Idempotency-Replayed"] == "true"
    assert Hold.objects.get(id=kept.id).status == "OPEN"
    require_clean()


def test_what_was_released_once_is_not_released_again_by_a_list_that_is_repeated(send, account):
    """A declined list releases nothing when it is sent again either."""
    deposit(account, "10")
    kept = hold(account, "4")
    commands = [
        {"command": "release", "hold": str(kept.id), "reason": "x"},
        order("WITHDRAW", account, "50"),
    ]
    id = str(new_id())
    for _ in range(2):
        assert list_codes(send(*commands, id=id)) == ["batch_declined", "insufficient_funds"]
        assert read(account) == (10, 4)
    deposit(account, "100")
    assert list_codes(send(*commands, id=id)) == ["batch_declined", "insufficient_funds"]
    assert read(account) == (110, 4)


def test_a_hold_that_is_declined_declines_the_list(send, account):
    commands = [
        order("DEPOSIT", account, "1"),
        place(account, "5"),
        {"command": "release", "hold": "#1", "reason": "x"},
    ]
    for _ in range(2):
        answer = send(*commands, id="01930000-0000-7000-8000-000000000001")
        assert list_codes(answer) == ["batch_declined", "insufficient_funds", "batch_declined"]
    assert Transaction.objects.get().decline_details == {"culprit": str(Hold.objects.get().id)}
    require_clean()


def test_a_release_that_is_refused_refuses_an_atomic_list_and_only_itself_otherwise(send, account):
    deposit(account, "10")
    gone = hold(account, "4")
    release = {"command": "release", "hold": str(gone.id), "reason": "x"}
    assert send({"command": "capture", "hold": str(gone.id)}).status_code == 200
    answer = send(order("DEPOSIT", account, "1"), release)
    assert (answer.status_code, answer.json()["code"]) == (422, "hold_not_open")
    assert answer.json()["errors"][0]["pointer"] == "/commands/1"
    assert list_codes(send(order("DEPOSIT", account, "1"), release, atomic=False)) == [None, "hold_not_open"]


def test_a_transaction_and_a_hold_may_have_one_id(send, account):
    id = str(new_id())
    answer = send(order("DEPOSIT", account, "5", id=id), place(account, "1", id=id))
    assert list_codes(answer) == [None, None]
    twice = [place(account, "1", id=id) for _ in range(2)]
    assert send(*twice).json()["code"] == "duplicate_id"


def test_a_transfer_counts_as_two_rows(send, account):
    other = AccountFactory()
    moves = [move(account, other, "1") for _ in range(500)]
    answer = send(order("DEPOSIT", account, "1"), *moves)
    assert (answer.status_code, answer.json()["code"]) == (400, "batch_too_large")
    assert answer.json()["errors"][0]["pointer"] == "/commands"
    deposit(account, "500")
    assert send(*moves).status_code == 200


@pytest.mark.parametrize(
    ("permission", "command"),
    [
        ("transactions.add_transaction", "transaction"),
        ("transactions.add_transaction", "transfer"),
        ("transactions.add_transaction", "capture"),
        ("transactions.add_transaction", "reversal"),
        ("accounts.add_hold", "hold"),
        ("accounts.change_hold", "release"),
    ],
)
def test_a_list_needs_the_permission_of_each_of_its_commands(send, account, permission, command):
    deposit(account, "10")
    row = deposit(account, "1")
    commands = {
        "transaction": order("DEPOSIT", account, "1"),
        "transfer": move(account, AccountFactory(), "1"),
        "capture": {"command": "capture", "hold": str(hold(account, "1").id)},
        "reversal": {"command": "reversal", "transaction": str(row.id), "reason": "x"},
        "hold": place(account, "1"),
        "release": {"command": "release", "hold": str(hold(account, "1").id), "reason": "x"},
    }
    looking = ["accounts.view_hold", "transactions.view_transaction"]
    moving = ["transactions.add_transaction", "accounts.add_hold", "accounts.change_hold"]
    may, may_not = (
        make_client("api-post", permissions=[*looking, *permissions])
        for permissions in ([permission], [each for each in moving if each != permission])
    )
    refused = send(commands[command], client=may_not)
    assert (refused.status_code, refused.json()["permission"]) == (403, permission)
    assert send(commands[command], client=may).status_code == 200


def test_what_somebody_else_has_cannot_be_named(send, account, petya):
    deposit(account, "10")
    row, held = deposit(account, "1"), hold(account, "1")
    stranger = make_client("api-post", permissions=["transactions.add_transaction"])
    for command in (
        {"command": "capture", "hold": str(held.id)},
        {"command": "reversal", "transaction": str(row.id), "reason": "x"},
    ):
        assert list_codes(send(command, atomic=False, client=stranger)) == ["not_found"]


def test_of_a_transfer_both_legs_are_taken_back(send, account):
    other = AccountFactory()
    deposit(account, "10")
    row = transfer(account, other, "4")
    leg = Transaction.objects.get(transfer=row.id, type="DEPOSIT")
    [result] = send({"command": "reversal", "transaction": str(leg.id), "reason": "x"}).json()["results"]
    assert result["transfer"]["source"]["reverses"] == str(leg.id)
    assert (read(account), read(other)) == ((10, 0), (0, 0))


def test_commands_of_a_list_may_name_users(send, account, petya):
    other = AccountFactory()
    answer = send(
        {"command": "transaction", "type": "DEPOSIT", "user": str(petya.id), "amount": "10"},
        {
            "command": "transfer",
            "source_user": str(petya.id),
            "destination_user": str(other.user_id),
            "amount": "4",
        },
        {"command": "hold", "user": str(petya.id), "currency": "USD", "amount": "1"},
    )
    assert list_codes(answer) == [None, None, None]
    assert (read(account), read(other)) == ((6, 1), (4, 0))


def test_a_command_that_is_none_is_refused_by_its_name(send):
    answer = send({"command": "gift"}, {"amount": "1"}, "x", {"command": 7})
    pointers = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert pointers == {
        "/commands/0/command": "invalid_choice",
        "/commands/1/command": "required",
        "/commands/2": "invalid_type",
        "/commands/3/command": "invalid_choice",
    }


def test_a_capture_in_a_list_says_what_it_is_for(send, account):
    deposit(account, "10")
    capture = {"command": "capture", "hold": "#0", "reference": "order 7"}
    [_, result] = send(place(account, "4"), {**capture, "metadata": {"k": "v"}}).json()["results"]
    assert result["transaction"].items() >= {"reference": "order 7", "metadata": {"k": "v"}}.items()
    answer = send(place(account, "4"), {**capture, "metadata": {"k": 1}})
    [error] = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("metadata_invalid", "/commands/1/metadata")


@pytest.mark.parametrize("atomic", [True, False])
def test_amounts_in_a_list_are_text(send, account, atomic):
    moved = move(account, AccountFactory(), "1", destination_amount=1)
    answer = send(order("DEPOSIT", account, 100), moved, atomic=atomic)
    problems = [answer.json()] if atomic else [result["problem"] for result in answer.json()["results"]]
    errors = [(error["code"], error["pointer"]) for problem in problems for error in problem["errors"]]
    pointers = ["/commands/0/amount", "/commands/1/destination_amount"]
    assert errors == [("amount_not_text", pointer) for pointer in pointers]

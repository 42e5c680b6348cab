"""What a command expects of its account: the version of every command that moves money."""

from decimal import Decimal

import pytest

from accounts.models import Hold
from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, day, deposit, hold, new_id, transfer, withdraw
from tests.transactions.test_concurrency import rows_of, run_at_once
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import (
    NewHold,
    NewTransaction,
    Release,
    Reversal,
    SetLimits,
    Transfer,
)

pytestmark = pytest.mark.django_db

API = "/api/v1"
DAY = "2024-03-01"


class Sender:
    """Commands about two accounts, the first of which is at version 2, the other one at 1."""

    def __init__(self, client):
        self.client = client
        self.account, self.other = AccountFactory(funds="100"), AccountFactory()
        self.moved = transfer(self.account, self.other, "10")
        self.hold = hold(self.account, "20")
        self.version = {"source": 2, "destination": 1}

    def make(self, kind):
        """The command as an item of a list, its path when it is posted alone, and whose version it asks."""
        legs = {"source": str(self.account.id), "destination": str(self.other.id)}
        moves = {"transfer": {**legs, "amount": "1"}, "reversal": {"reason": "x"}, "capture": {"amount": "1"}}
        match kind:
            case "transaction":
                item = {"account": legs["source"], "type": "WITHDRAW", "amount": "1"}
                return {"command": kind, **item}, "transactions", self.account
            case "transfer" | "transfer's destination":
                account = self.account if kind == "transfer" else self.other
                return {"command": "transfer", **moves["transfer"]}, "transfers", account
            case "capture":
                item = {"command": kind, "hold": str(self.hold.id), **moves[kind]}
                return item, f"holds/{self.hold.id}/capture", self.account
            case "reversal":
                row = deposit(self.account, "1")
            case _:
                row = self.moved
        account = self.account if kind == "reversal" else self.other
        item = {"command": "reversal", "transaction": str(row.id), **moves["reversal"]}
        return item, f"transactions/{row.id}/reverse", account

    def send(self, kind, change, *, in_list=False):
        """What is answered to the command, which expects what is, or so much more; and its id."""
        item, path, account = self.make(kind)
        account.refresh_from_db()
        name = "expected_destination_version" if kind == "transfer's destination" else "expected_version"
        item |= {"id": str(new_id()), name: account.version + change}
        if not in_list:
            named = ("command", "transaction", "hold")
            body = {name: value for name, value in item.items() if name not in named}
            return self.client.post(f"{API}/{path}", body), body, path
        body = {"id": str(new_id()), "atomic": False, "commands": [item]}
        return self.client.post(f"{API}/batches", body), body, "batches"


MONEY = ["transaction", "transfer", "transfer's destination", "capture", "reversal", "reversal of a transfer"]


@pytest.fixture
def sender(service):
    return Sender(service)


@pytest.mark.parametrize("in_list", [False, True], ids=["alone", "in a list"])
@pytest.mark.parametrize("kind", MONEY)
def test_a_command_that_expects_the_version_that_is_moves_money(sender, kind, in_list):
    answer, _, _ = sender.send(kind, 0, in_list=in_list)
    [result] = answer.json().get("results", [{"status": answer.status_code}])
    assert result["status"] == 201


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("in_list", [False, True], ids=["alone", "in a list"])
@pytest.mark.parametrize("kind", MONEY)
def test_a_command_that_expects_another_version_is_declined_for_ever(sender, kind, in_list, change):
    answer, body, path = sender.send(kind, change, in_list=in_list)
    before = {account.id: account.balance for account in (sender.account, sender.other)}
    problem = answer.json()
    if in_list:
        [result] = problem["results"]
        problem = result["problem"]
        assert result["status"] == 412
    else:
        assert answer.status_code == 412
    command = body["commands"][0] if in_list else body
    expected = command.get("expected_version", command.get("expected_destination_version"))
    assert (problem["code"], problem["expected_version"]) == ("version_mismatch", expected)
    assert problem["version"] == expected - change
    row = Transaction.objects.get(id=problem["id"])
    assert row.decline_details == {"expected_version": expected, "version": expected - change}
    for account in (sender.account, sender.other):
        deposit(account, "5")  # it comes to be as it was expected
    again = sender.client.post(f"{API}/{path}", body)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (answer.status_code, "true")
    told = again.json()["results"][0]["problem"] if in_list else again.json()
    assert {**told, "request_id": 0} == {**problem, "request_id": 0}
    for account in (sender.account, sender.other):
        account.refresh_from_db()
        assert account.balance >= before[account.id]
    if "transfer" in kind:
        [leg] = Transaction.objects.filter(transfer=row.transfer).exclude(id=row.id)
        assert (leg.decline_reason, leg.decline_details) == ("transfer_declined", {"culprit": str(row.id)})


def test_the_version_of_a_transfers_source_is_asked_first(sender):
    moving = Transfer(
        id=new_id(),
        source_id=sender.account.id,
        destination_id=sender.other.id,
        amount=Decimal(1),
        expected_version=7,
        expected_destination_version=8,
    )
    rows = asking.ask(moving).transactions
    assert [row.decline_reason for row in rows] == ["version_mismatch", "transfer_declined"]
    assert rows[0].decline_details == {"expected_version": 7, "version": 2}


def test_a_transfer_taken_back_expects_the_version_of_the_account_that_pays_back(sender):
    legs = list(Transaction.objects.filter(transfer=sender.moved.transfer))
    taken = Reversal(id=new_id(), reason="x", rows=legs, expected_version=sender.version["destination"])
    source, destination = asking.ask(taken).transactions
    assert (source.account_id, source.type, source.version) == (sender.other.id, "WITHDRAW", 2)
    assert (destination.account_id, destination.version) == (sender.account.id, 3)


def test_what_a_command_expects_is_no_part_of_it(sender):
    """A repetition is answered, whatever it expects by now."""
    for kind in MONEY:
        answer, body, path = sender.send(kind, 0)
        name = next(name for name in body if name.startswith("expected_"))
        again = sender.client.post(f"{API}/{path}", {**body, name: 10**6})
        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true"), kind
        assert again.json() == answer.json()


def test_a_list_that_is_taken_back_has_no_one_account(sender):
    _, body, _ = sender.send("transaction", 0, in_list=True)
    asked = {"id": str(new_id()), "reason": "x", "expected_version": 3}
    answer = sender.client.post(f"{API}/batches/{body['id']}/reverse", asked)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")


def test_a_declined_capture_leaves_its_hold_as_it_is(sender):
    sender.send("capture", 1)
    assert Hold.objects.get(id=sender.hold.id).status == "OPEN"


def test_an_atomic_list_is_declined_for_what_one_of_its_commands_expects(sender):
    items = [sender.make("transaction")[0], {**sender.make("transfer")[0], "expected_version": 2}]
    body = {"id": str(new_id()), "atomic": True, "commands": items}  # the first one makes it version 3
    answer = sender.client.post(f"{API}/batches", body).json()
    codes = [result["problem"]["code"] for result in answer["results"]]
    assert codes == ["batch_declined", "version_mismatch"]


# The order within a moment


def post_in_order(account, guard):
    """A withdrawal, a deposit of the same day that would cover it, and a guard; why the first is declined."""
    moves = [
        NewTransaction(
            id=new_id(), account_id=account.id, type=type, amount=Decimal(50), effective_at=day(DAY)
        )
        for type in (Transaction.Type.WITHDRAW, Transaction.Type.DEPOSIT)
    ]
    results = posting.post([*moves, guard], caller=Caller(account.user_id))
    return results[0].transaction.decline_reason


@pytest.mark.parametrize(
    ("name", "other_name"),
    [
        ("expected_version", "expected_destination_version"),
        ("expected_destination_version", "expected_version"),
    ],
)
def test_a_transfer_guards_the_account_whose_version_it_expects_and_no_other(name, other_name):
    other = AccountFactory(funds="10")

    def move(account, name):
        ends = (account, other) if name == "expected_version" else (other, account)
        source, destination = (each.id for each in ends)
        guard = {name: 1, "amount": Decimal(1)}
        return Transfer(id=new_id(), source_id=source, destination_id=destination, **guard)

    guarded, free = AccountFactory(), AccountFactory()
    assert post_in_order(guarded, move(guarded, name)) == "insufficient_funds"
    ends = (free, other) if other_name == "expected_destination_version" else (other, free)
    other.refresh_from_db()
    unguarded = Transfer(
        id=new_id(),
        source_id=ends[0].id,
        destination_id=ends[1].id,
        amount=Decimal(1),
        **{other_name: other.version},
    )
    assert post_in_order(free, unguarded) is None


@pytest.mark.parametrize("kind", ["hold", "capture", "reversal", "release", "limits"])
def test_whatever_expects_something_of_an_account_guards_its_order(kind):
    account = AccountFactory()
    row = deposit(account, "1")
    placed = hold(account, "1")
    ids = {"id": new_id(), "account_id": account.id}
    guards = {
        "hold": lambda: NewHold(**ids, amount=Decimal(1), expected_sequence=9),
        "capture": lambda: asking.capture_of(placed, expected_version=9),
        "reversal": lambda: Reversal(id=new_id(), reason="x", rows=[row], expected_version=9),
        "release": lambda: Release(hold_id=placed.id, account_id=account.id, expected_sequence=5),
        "limits": lambda: SetLimits(
            account_id=account.id, limits={"withdraw_max": Decimal(500)}, expected_sequence=5
        ),
    }
    assert post_in_order(account, guards[kind]()) == "insufficient_funds"
    assert [row.version for row in rows_of(account)][:3] == [1, None, 2]


def test_who_expects_nothing_guards_nothing():
    account = AccountFactory()
    assert post_in_order(account, NewHold(id=new_id(), account_id=account.id, amount=Decimal(1))) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_that_expect_one_version_at_once_one_moves_money():
    account, other = AccountFactory(funds="100"), AccountFactory()

    def move():
        return transfer(account, other, "1", expected_version=1).decline_reason

    assert sorted(run_at_once(*[move] * 12), key=str) == [None] + ["version_mismatch"] * 11
    assert withdraw(account, "99").status == "POSTED"

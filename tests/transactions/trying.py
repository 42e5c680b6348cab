"""Every money command as it is sent, in a small world, for tests of dry runs."""

from decimal import Decimal

from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, OrderFactory, deposit, hold, new_id, transfer
from transactions import posting

API = "/api/v1"


class World:
    """A rich account, another one, and what can be sent about them."""

    def __init__(self, account):
        self.account, self.other = account, AccountFactory(funds=Decimal(5))
        self.yen = AccountFactory(currency="JPY")
        self.hold = hold(account, "30")
        self.row, self.transfer = deposit(account, "7"), transfer(account, self.other, "2")
        self.batch = new_id()
        asking.post(
            [OrderFactory(account=account, amount=Decimal(4))],
            caller=Caller(new_id()),
            all_or_nothing=True,
            batch=posting.NewBatch(id=self.batch, asked=[], atomic=True),
        )

    def order(self, type, amount, **fields):
        return {"account": str(self.account.id), "type": type, "amount": amount, **fields}

    def move(self, amount, to=None, **fields):
        ids = {"source": str(self.account.id), "destination": str((to or self.other).id)}
        return {**ids, "amount": amount, **fields}

    def place(self, amount, **fields):
        return {"account": str(self.account.id), "amount": amount, **fields}

    def list_commands(self, amount):
        return [
            {"command": "transaction", **self.order("DEPOSIT", "50", reference="a")},
            {"command": "transfer", **self.move("20")},
            {"command": "hold", **self.place(amount)},
            {"command": "capture", "hold": "#2", "amount": "12"},
            {"command": "release", "hold": str(self.hold.id), "reason": "not needed"},
            {"command": "reversal", "transaction": str(self.row.id), "reason": "twice"},
        ]


WHY = {"reason": "a mistake"}
COMMANDS = {
    "deposit": lambda w: ("transactions", w.order("DEPOSIT", "10.5", metadata={"k": "v"})),
    "withdrawal": lambda w: ("transactions", w.order("WITHDRAW", "10")),
    "withdrawal of too much": lambda w: ("transactions", w.order("WITHDRAW", "1000")),
    "backdated withdrawal": lambda w: (
        "transactions",
        w.order("WITHDRAW", "1", effective_at="2020-01-01T00:00:00Z"),
    ),
    "withdrawal at a version": lambda w: ("transactions", w.order("WITHDRAW", "1", expected_version=1)),
    "deposit for a user": lambda w: (
        "transactions",
        {"user": str(w.account.user_id), "type": "DEPOSIT", "amount": "1"},
    ),
    "in no currency of the account": lambda w: ("transactions", w.order("DEPOSIT", "1", currency="JPY")),
    "on no account": lambda w: ("transactions", {**w.order("DEPOSIT", "1"), "account": str(new_id())}),
    "malformed": lambda w: ("transactions", w.order("DEPOSIT", "x")),
    "transfer": lambda w: ("transfers", w.move("10")),
    "transfer of too much": lambda w: ("transfers", w.move("1000")),
    "exchange": lambda w: ("transfers", w.move("10", w.yen, destination_amount="1500")),
    "transfer to itself": lambda w: ("transfers", w.move("10", w.account)),
    "hold": lambda w: ("holds", w.place("10", expires_at="2999-01-01")),
    "hold of too much": lambda w: ("holds", w.place("1000")),
    "capture": lambda w: (f"holds/{w.hold.id}/capture", {"amount": "10", "final": False}),
    "whole capture": lambda w: (f"holds/{w.hold.id}/capture", {}),
    "capture of too much": lambda w: (f"holds/{w.hold.id}/capture", {"amount": "31"}),
    "release": lambda w: (f"holds/{w.hold.id}/release", WHY),
    "reversal": lambda w: (f"transactions/{w.row.id}/reverse", WHY),
    "reversal of a transfer": lambda w: (f"transactions/{w.transfer.id}/reverse", WHY),
    "reversal of nothing": lambda w: (f"transactions/{new_id()}/reverse", WHY),
    "atomic list": lambda w: ("batches", {"atomic": True, "commands": w.list_commands("30")}),
    "list": lambda w: ("batches", {"atomic": False, "commands": w.list_commands("30")}),
    "atomic list, declined": lambda w: ("batches", {"atomic": True, "commands": w.list_commands("1000")}),
    "list, partly declined": lambda w: ("batches", {"atomic": False, "commands": w.list_commands("1000")}),
    "list with something malformed": lambda w: (
        "batches",
        {"atomic": False, "commands": [*w.list_commands("30"), {"command": "hold"}]},
    ),
    "list of nothing that fits": lambda w: ("batches", {"atomic": False, "commands": [{"command": "hold"}]}),
    "reversal of a list": lambda w: (f"batches/{w.batch}/reverse", WHY),
}
# A refusal is none, and a hold is released by no id.
DECIDED_ANEW = {
    "list",
    "list, partly declined",
    "list with something malformed",
    "list of nothing that fits",
}
REFUSED = {
    "in no currency of the account": 422,
    "on no account": 404,
    "malformed": 400,
    "transfer to itself": 422,
    "reversal of nothing": 404,
}


def identify(path, body):
    """The body with an id of its own, but of what has none."""
    return body if path.endswith("release") else {"id": str(new_id()), **body}

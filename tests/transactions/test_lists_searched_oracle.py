"""Lists by what no index of the ledger finds, compared with a plain reading of all rows.

Where things are rare, where they are common and few rows are looked at for a page, and where the ledger finds
the rows without the search; in both orders.
"""

from datetime import timedelta
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from random import Random
from urllib.parse import urlencode

import pytest

from accounts import operations
from ledger.callers import Caller
from tests import asking
from tests.cast import CALLER, AccountFactory, UserFactory, day, hold, new_id
from tests.conftest import make_client
from tests.database import empty_the_ledger
from tests.searching import follow
from tests.transactions.test_filters_oracle import read_pages, require_exact_pages, write_down
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction
from transactions.search import listing

pytestmark = pytest.mark.django_db

LIST = "/api/v1/transactions"
MICROSECOND = timedelta(microseconds=1)


class Oracle:
    """Movements on four accounts of two currencies, many with the same things on them, and all filters."""

    def __init__(self):
        self.random = random = Random("searched")
        self.owner = UserFactory()
        self.accounts = [self.owner.accounts.get(), AccountFactory(), AccountFactory()]
        euros, _ = operations.create_account(user_id=self.owner.id, currency="EUR", caller=CALLER)
        self.accounts.append(euros)
        for number in range(40):
            orders = [self.make_order(number) for _ in range(2)]
            asking.post(orders, caller=Caller(new_id(), request_id=f"request {number % 7}"))
        hold(self.accounts[0], "5")
        follow()
        self.rows = list(Transaction.objects.select_related("account"))
        assert len({row.decline_reason for row in self.rows}) == 3
        self.clients = {None: make_client("api-read"), self.owner.id: make_client(user=self.owner)}
        random.shuffle(self.rows)

    def make_order(self, number):
        random = self.random
        metadata = {"order": str(number), "channel": random.choice(["web", "shop"]), "a.b": "x=y & ☃"}
        effective_at = day("2023-03-01") + timedelta(hours=random.randrange(72))
        return NewTransaction(
            id=new_id(),
            account_id=random.choice(self.accounts).id,
            type=random.choice(["DEPOSIT", "DEPOSIT", "WITHDRAW"]),
            amount=Decimal(random.choice(["1", "5", "12.5", "700"])),
            effective_at=random.choice([None, effective_at]),
            reference=random.choice(["", "a"]),
            metadata={key: metadata[key] for key in random.sample([*metadata], random.randrange(4))},
        )

    def choose(self, name, row):
        """A value of the filter that the row passes, nearly always."""
        other = self.random.choice(self.rows)
        if name == "metadata":
            key, value = self.random.choice([*row.metadata.items()] or [("order", "none")])
            return f"metadata.{key}", value
        if name.startswith("amount"):
            least, most = sorted([row.amount, other.amount])
            return name, {"amount": row.amount, "amount_min": least, "amount_max": most}[name]
        if name in ("currency", "account", "type"):
            return name, getattr(row, {"account": "account_id"}.get(name, name))
        if name.endswith(("after", "before")):
            field = name.partition("_")[0]
            moments = getattr(row, f"{field}_at"), getattr(other, f"{field}_at")
            return name, min(moments) - MICROSECOND if name.endswith("after") else max(moments)
        return name, getattr(row, name) or {"decline_reason": "insufficient_funds", "reference": "a"}[name]

    def find(self, wanted, order, caller):
        """The ids of what passes, in order."""
        found = [
            row
            for row in self.rows
            if caller in (None, row.account.user_id) and all(passes(row, *each) for each in wanted.items())
        ]
        found.sort(key=attrgetter(order.lstrip("-"), "id"), reverse=order.startswith("-"))
        return [str(row.id) for row in found]


def passes(row, name, value):
    field, _, side = name.partition("_")
    if field.startswith("metadata."):
        return row.metadata.get(name.removeprefix("metadata.")) == value
    if side in ("after", "before"):
        moment = getattr(row, f"{field}_at")
        return moment > value if side == "after" else moment <= value
    if side in ("min", "max"):
        return row.amount >= value if side == "min" else row.amount <= value
    return getattr(row, {"account": "account_id"}.get(name, name)) == value


FILTERS = (
    *("metadata", "metadata", "metadata", "amount", "amount_min", "amount_max", "currency", "decline_reason"),
    *("request_id", "account", "type", "reference"),
    *("recorded_after", "recorded_before", "effective_after", "effective_before"),
)
ORDERS = ("-recorded_at", "recorded_at", "-effective_at", "effective_at")


@pytest.fixture(scope="module")
def oracle(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        yield Oracle()
        empty_the_ledger()


@pytest.mark.parametrize(
    ("few", "looked_at_max", "caller"),
    [(500, 5000, "service"), (0, 5000, "service"), (0, 20, "service"), (6, 20, "service"), (6, 20, "holder")],
)
def test_any_filters_in_any_order_find_what_a_plain_reading_finds(
    oracle, monkeypatch, few, looked_at_max, caller
):
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "LOOKED_AT_MAX", looked_at_max)
    oracle.random = random = Random(f"{few} {looked_at_max} {caller}")
    owner = oracle.owner.id if caller == "holder" else None
    found = 0
    for number in range(20):
        row = random.choice([row for row in oracle.rows if owner in (None, row.account.user_id)])
        names = random.sample(FILTERS, random.choice([0, 1, 1, 2, 3]))
        wanted = dict(oracle.choose(name, row) for name in names)
        order = ORDERS[number % 4]
        expected = oracle.find(wanted, order, owner)
        query = {name: write_down(value, random) for name, value in wanted.items()}
        size = random.choice([7, 30])
        address = f"{LIST}?{urlencode({**query, 'order': order, 'page_size': size})}"
        client = oracle.clients[owner]
        if few and looked_at_max > len(oracle.rows):
            require_exact_pages(client, address, expected, size)
        pages, last = read_pages(client, address, "next")
        assert [*chain(*pages)] == expected, address
        if last["previous"]:
            back, first = read_pages(client, last["previous"], "previous")
            assert [*chain(*reversed(back)), *pages[-1]] == expected, address
            again, _ = read_pages(client, first["next"], "next") if first["next"] else ([], first)
            assert [*back[-1], *chain(*again)] == expected, address
        found += bool(expected)
    assert found > 12

"""Lists against a plain reading of all rows: every subset of the filters, every page, there and back.

`LEDGER_EXAMPLES` makes more of them (`make soak` does).
"""

import os
from collections import namedtuple
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import chain, combinations
from operator import attrgetter
from random import Random
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from accounts import operations
from accounts.models import Account, User
from ledger.callers import Caller
from tests import asking
from tests.cast import CALLER, UserFactory, day, deposit, new_id
from tests.conftest import make_client
from tests.database import empty_the_ledger
from tests.transactions.test_audit import harm
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction, Transfer

pytestmark = pytest.mark.django_db

ROUNDS = max(1, int(os.environ.get("LEDGER_EXAMPLES", "40")) // 40)
MICROSECOND = timedelta(microseconds=1)
CHOICES = ("account", "user", "type", "status")
REST = ("reference", "transfer", "recorded_after", "recorded_before", "effective_after", "effective_before")
REFERENCES = ("", "a", "A", "order 7 ☃", "100%", "a_b")
PAGE_SIZES = (1, 2, 3, 7, 20, 500)
PAGES_MAX = 5

# A transaction, as far as lists know it: they are in the order of the first two.
Row = namedtuple("Row", "recorded_at id account user type status reference transfer effective_at")
COLUMNS = "recorded_at id account_id account.user_id type status reference transfer effective_at"
READ_ROW = attrgetter(*COLUMNS.split())


def subsets(names):
    return [*chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))]


def make_world():
    """Five accounts of three users; and who asks, by the user whose rows they see, None for everybody's."""
    users = [UserFactory() for _ in range(3)]
    accounts = [user.accounts.get() for user in users]
    for user in users[:2]:
        account, _ = operations.create_account(user_id=user.id, currency="EUR", caller=CALLER)
        accounts.append(account)
    return accounts, {None: make_client("api-read"), **{user.id: make_client(user=user) for user in users}}


class Oracle:
    """All that was written, filtered and ordered in plain Python."""

    def __init__(self, random):
        self.random, self.rows = random, []
        self.accounts, self.clients = make_world()

    def add(self, count):
        """So many new transactions in one commit: of different accounts, they are recorded at one moment."""
        random = self.random
        orders = []
        for _ in range(count):
            moment = day("2023-03-01") + timedelta(hours=12 * random.randrange(60))
            orders.append(
                NewTransaction(
                    id=random.choice([new_id, uuid4])(),
                    account_id=random.choice(self.accounts).id,
                    type=random.choice(["DEPOSIT", "DEPOSIT", "WITHDRAW"]),
                    amount=Decimal(random.randrange(1, 60)),
                    effective_at=random.choice([None, moment, moment]),
                    reference=random.choice(REFERENCES),
                )
            )
        dollars = [account.id for account in self.accounts if account.currency == "USD"]
        source, destination = random.sample(dollars, 2)
        orders.append(Transfer(id=new_id(), source_id=source, destination_id=destination, amount=Decimal(1)))
        for result in asking.post(orders, caller=Caller(new_id(), request_id="test")):
            self.rows += [Row(*READ_ROW(row)) for row in result.transactions]

    def find(self, wanted, caller=None):
        """The ids of the rows that pass, newest first."""
        seen = [row for row in self.rows if caller in (None, row.user)]
        found = [row for row in seen if all(passes(row, *each) for each in wanted.items())]
        return [str(row.id) for row in sorted(found, reverse=True)]

    def choose(self, names, caller):
        """A value for each filter: mostly one that a certain row passes, or just fails to pass."""
        seen = [row for row in self.rows if caller in (None, row.user)]
        if "transfer" in names:
            seen = [row for row in seen if row.transfer]
        if "reference" in names:
            seen = [row for row in seen if row.reference] or seen
        anchor = self.random.choice(seen)
        return {name: self.choose_value(name, anchor) for name in names}

    def choose_value(self, name, anchor):
        random = self.random
        other = random.choice(self.rows)
        if name in CHOICES:
            return getattr(anchor if random.random() < 0.8 else other, name)
        if name == "reference":
            return anchor.reference or random.choice(REFERENCES[1:])
        if name == "transfer":
            return anchor.transfer if random.random() < 0.9 else other.transfer or uuid4()
        field, _, side = name.partition("_")
        moments = getattr(anchor, f"{field}_at"), getattr(other, f"{field}_at")
        moment = min(moments) if side == "after" else max(moments)
        moment += random.choice([-1, 0, 0, 1]) * MICROSECOND
        if random.random() < 0.15:
            moment += timedelta(days=-1 if side == "after" else 0)
            moment = datetime.combine(moment.date(), time.max, UTC)
        return moment


def passes(row, name, value):
    field, _, side = name.partition("_")
    if side == "after":
        return getattr(row, f"{field}_at") > value
    if side == "before":
        return getattr(row, f"{field}_at") <= value
    return getattr(row, name) == value


def write_down(value, random):
    """The value as a parameter; a moment in any of the ways to write it."""
    if not isinstance(value, datetime):
        text = str(value)
        return text.upper() if isinstance(value, UUID) and random.random() < 0.2 else text
    if value.time() == time.max and random.random() < 0.8:
        return value.date().isoformat()
    zone = timezone(timedelta(minutes=random.choice([-570, 180, 345])))
    return random.choice(
        [
            value.isoformat().replace("+00:00", "Z"),
            value.isoformat(),
            value.astimezone(zone).isoformat(),
            value.replace(tzinfo=None).isoformat(timespec="microseconds") + "000",
        ]
    )


def choose_page_size(random, count):
    """Any that does not make too many pages of so many rows."""
    return random.choice([size for size in PAGE_SIZES if size * PAGES_MAX >= count])


def make_address(kind, query, size):
    return f"/api/v1/{kind}?{urlencode({**query, 'page_size': size})}"


def read_pages(client, address, link, between=lambda: None):
    """The ids page by page, following one of the two links to its end, and the last page itself."""
    pages = []
    while True:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.content)
        page = answer.json()
        pages.append([item["id"] for item in page["results"]])
        if page[link] is None:
            return pages, page
        address = page[link]
        between()


def cut(ids, size):
    return [ids[start : start + size] for start in range(0, len(ids), size)] or [[]]


def require_exact_pages(client, address, expected, size):
    """There, the pages are the rows in order and nothing else; back, they are the same pages again."""
    pages, last = read_pages(client, address, "next")
    assert pages == cut(expected, size), address
    if len(pages) > 1:
        back, first = read_pages(client, last["previous"], "previous")
        assert back == pages[-2::-1], address
        assert first["next"], address
    else:
        assert last["previous"] is None


@pytest.fixture(scope="module")
def oracle(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        oracle = Oracle(Random("filters"))
        for _ in range(30):
            oracle.add(oracle.random.randrange(1, 6))
        yield oracle
        empty_the_ledger()


def test_the_rows_are_of_every_kind(oracle):
    stored = Transaction.objects.all()
    assert {row.id for row in stored} == {row.id for row in oracle.rows}
    assert len(oracle.rows) >= 120
    assert sum(row.late for row in stored) > 20
    assert sum(row.status == "DECLINED" for row in oracle.rows) > 5
    moments = [row.recorded_at for row in oracle.rows]
    assert len(moments) - len(set(moments)) > 30  # shared by rows of different accounts
    assert {row.reference for row in oracle.rows} == set(REFERENCES)
    assert len({account.currency for account in oracle.accounts}) == 2


@pytest.mark.parametrize("chosen", subsets(CHOICES), ids=lambda names: "-".join(names) or "none")
def test_every_subset_of_the_filters_finds_exactly_the_rows_page_by_page(oracle, chosen):
    oracle.random = random = Random(f"page by page {chosen}")
    found = 0
    for names in subsets(REST) * ROUNDS:
        caller = random.choice([None, None, *oracle.clients])
        wanted = oracle.choose(chosen + names, caller)
        expected = oracle.find(wanted, caller)
        size = choose_page_size(random, len(expected))
        query = {name: write_down(value, random) for name, value in wanted.items()}
        address = make_address("transactions", query, size)
        require_exact_pages(oracle.clients[caller], address, expected, size)
        found += bool(expected)
    assert found > len(subsets(REST)) * ROUNDS / 4  # else it would prove little


@pytest.mark.parametrize("chosen", subsets(CHOICES), ids=lambda names: "-".join(names) or "none")
def test_rows_added_between_pages_are_neither_seen_twice_nor_in_the_way(oracle, chosen, monkeypatch):
    oracle.random = random = Random(f"added {chosen}")
    monkeypatch.setattr(oracle, "rows", [*oracle.rows])  # the database forgets what is added, too
    for name in ("", *random.sample(REST, 3)):
        wanted = oracle.choose((*chosen, name) if name else chosen, None)
        expected = oracle.find(wanted)
        size = random.choice([1, 2, 5]) if len(expected) < 10 else 20
        query = {name: write_down(value, random) for name, value in wanted.items()}
        address = make_address("transactions", query, size)
        client = oracle.clients[None]
        pages, last = read_pages(client, address, "next", between=lambda: oracle.add(2))
        assert pages == cut(expected, size), address
        if len(pages) > 1:
            back, _ = read_pages(client, last["previous"], "previous")
            everything = oracle.find(wanted)
            assert [*chain(*reversed(back)), *pages[-1]] == everything, address


def make_people(random):
    """Users and accounts that share names, currencies and moments of creation."""
    for _ in range(20):
        external_id = random.choice([None, f"crm-{new_id()}"])
        name = random.choice(["petya", "Petya", "masha", "p%"])
        user = UserFactory(id=uuid4(), name=name, external_id=external_id)
        others = random.sample(["EUR", "JPY", "GBP"], random.randrange(4))
        Account.objects.bulk_create(  # one statement, one moment
            Account(id=uuid4(), user=user, currency=other, name=random.choice(["savings", "Savings", "main"]))
            for other in others
        )
    harm("UPDATE accounts_user SET created_at = date_trunc('second', created_at)")
    for change in (asking.freeze, asking.close):
        for id in random.sample([*Account.objects.filter(version=0).values_list("id", flat=True)], 6):
            change(id=id, reason="look", request_id="")


HOLDERS = User.objects.filter(is_holder=True)
USER_FIELDS = {"external_id": "external_id", "name": "name"}
ACCOUNT_FIELDS = {"user": "user_id", "currency": "currency", "status": "status", "name": "name"}


@pytest.mark.parametrize(
    ("kind", "shown", "fields"),
    [("users", HOLDERS, USER_FIELDS), ("accounts", Account.objects, ACCOUNT_FIELDS)],
)
def test_users_and_accounts_are_filtered_and_paged_exactly(oracle, kind, shown, fields):
    random = Random(kind)
    make_people(random)
    rows = sorted(shown.all(), key=lambda row: (row.created_at, row.id), reverse=True)
    assert len(rows) - len({row.created_at for row in rows}) > 5
    for names in subsets(fields) * 4 * ROUNDS:
        anchor = random.choice(rows)
        wanted = {}
        for name in names:
            row = random.choice([anchor, anchor, anchor, random.choice(rows)])
            wanted[name] = getattr(row, fields[name]) or "nobody's"
        found = [row for row in rows if all(getattr(row, fields[name]) == wanted[name] for name in wanted)]
        size = choose_page_size(random, len(found))
        address = make_address(kind, wanted, size)
        require_exact_pages(oracle.clients[None], address, [str(row.id) for row in found], size)


@pytest.mark.parametrize("text", ["B", "bb", "b b", "b\u00a0b", "b.", "%", "\uff42", "\u0432", "b"])
def test_a_text_is_found_by_exactly_the_text_that_it_is(service, text):
    people = {name: UserFactory(name=name, external_id=name) for name in {"b", text}}
    for user in people.values():
        account = user.accounts.get()
        operations.create_account(user_id=user.id, currency="EUR", name=user.name, caller=CALLER)
        deposit(account, "1", reference=user.name)
    for kind, field in [("users", "name"), ("users", "external_id"), ("accounts", "name")]:
        [found] = service.get(f"/api/v1/{kind}", {field: text}).json()["results"]
        assert found[field] == text
    [found] = service.get("/api/v1/transactions", {"reference": text}).json()["results"]
    assert found["reference"] == text

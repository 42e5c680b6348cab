"""Lists of holds against a plain reading of all: every subset of the filters, every page, there and back.

A hold whose time is over counts as expired, whether or not anybody has written its end.
"""

import time
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random

import pytest

from accounts.models import Hold
from tests import asking
from tests.cast import AccountFactory, day, deposit, hold
from tests.database import empty_the_ledger
from tests.transactions.test_filters_oracle import (
    choose_page_size,
    cut,
    make_address,
    make_world,
    read_pages,
    require_exact_pages,
    subsets,
)
from transactions.posting.commands import Expiry

pytestmark = pytest.mark.django_db

FILTERS = ("account", "user", "status")
ROUNDS = 12
SHORT = timedelta(seconds=3)  # in which all that shall be due is placed, on a slow machine too
FATES = ("OPEN", "OPEN", "CAPTURED in part", "CAPTURED", "RELEASED", "DECLINED", "EXPIRED", "EXPIRED")
CAPTURED = {"CAPTURED in part": ("OPEN", False), "CAPTURED": ("CAPTURED", True)}


class Oracle:
    """All that was held, with what has become of it, in plain Python."""

    def __init__(self, random):
        self.random, self.rows = random, []
        self.accounts, self.clients = make_world()
        for account in self.accounts:
            deposit(account, "1000")
        self.soon = datetime.now(UTC) + SHORT
        for fate in FATES * 8:
            self.place(random.choice(self.accounts), fate)
        time.sleep(max(0.0, (self.soon - datetime.now(UTC)).total_seconds()) + 0.01)
        for account in self.accounts[::2]:  # whose due holds are ended; nobody touches the others any more
            asking.ask(Expiry(account_id=account.id))

    def place(self, account, fate):
        expires_at = {"EXPIRED": self.soon}.get(fate, self.random.choice([None, day("2999-01-01")]))
        placed = hold(account, "2000" if fate == "DECLINED" else "2", expires_at=expires_at)
        if fate == "RELEASED":
            asking.release_hold(id=placed.id)
        if fate in CAPTURED:
            fate, final = CAPTURED[fate]
            asking.ask(asking.capture_of(placed, placed.amount / 2, final=final))
        self.rows.append(
            {
                "moment": (placed.created_at, placed.id),
                "id": str(placed.id),
                "account": str(account.id),
                "user": str(account.user_id),
                "status": fate,
            }
        )

    def find(self, wanted, caller=None):
        """The rows that pass and that the caller may see, newest first."""
        seen = [row for row in self.rows if caller is None or row["user"] == str(caller)]
        found = [row for row in seen if all(row[name] == value for name, value in wanted.items())]
        return sorted(found, key=itemgetter("moment"), reverse=True)


@pytest.fixture(scope="module")
def oracle(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        yield Oracle(Random("holds"))
        empty_the_ledger()


def test_the_holds_are_of_every_kind_and_some_are_due_but_not_ended(oracle):
    stored = {str(id): status for id, status in Hold.objects.values_list("id", "status")}
    assert {row["status"] for row in oracle.rows} == set(Hold.Status)
    assert stored.keys() == {row["id"] for row in oracle.rows}
    differ = [(row["status"], stored[row["id"]]) for row in oracle.rows if stored[row["id"]] != row["status"]]
    assert set(differ) == {("EXPIRED", "OPEN")}
    assert "EXPIRED" in stored.values()


@pytest.mark.parametrize("names", subsets(FILTERS), ids=lambda names: "-".join(names) or "none")
def test_every_subset_of_the_filters_finds_exactly_the_holds_page_by_page(oracle, names):
    random, found = Random(f"holds {names}"), 0
    for _ in range(ROUNDS):
        caller = random.choice([None, None, *oracle.clients])
        anchor = random.choice(oracle.find({}, caller))
        other = random.choice(oracle.rows)
        wanted = {name: random.choice([anchor, anchor, anchor, other])[name] for name in names}
        expected = oracle.find(wanted, caller)
        size = choose_page_size(random, len(expected))
        address = make_address("holds", wanted, size)
        require_exact_pages(oracle.clients[caller], address, [row["id"] for row in expected], size)
        found += bool(expected)
    assert found > ROUNDS / 4


@pytest.mark.parametrize("status", Hold.Status)
def test_each_hold_is_shown_with_the_status_that_it_is_found_by(oracle, status):
    client = oracle.clients[None]
    shown = client.get(make_address("holds", {"status": status}, 500)).json()["results"]
    assert [row["id"] for row in shown] == [row["id"] for row in oracle.find({"status": status})]
    assert {row["status"] for row in shown} == {status}
    assert all((row["remaining"] == "0.00") == (status != "OPEN") for row in shown)
    assert all((row["closed_at"] is None) == (status == "OPEN") for row in shown)
    for row in shown[:3]:
        assert client.get(f"/api/v1/holds/{row['id']}").json() == row


@pytest.mark.parametrize("status", [None, "OPEN"])
def test_holds_placed_between_pages_are_neither_seen_twice_nor_in_the_way(oracle, status, monkeypatch):
    monkeypatch.setattr(oracle, "rows", [*oracle.rows])  # the database forgets what is added, too
    account = AccountFactory(funds="1000")
    wanted = {"status": status} if status else {}
    expected = [row["id"] for row in oracle.find(wanted)]
    address = make_address("holds", wanted, 5)
    client = oracle.clients[None]
    pages, last = read_pages(client, address, "next", between=lambda: oracle.place(account, "OPEN"))
    assert pages == cut(expected, 5)
    back, _ = read_pages(client, last["previous"], "previous")
    seen = [id for page in reversed(back) for id in page] + pages[-1]
    assert seen == [row["id"] for row in oracle.find(wanted)]


@pytest.mark.parametrize(
    "query", ["status=open", "status=DUE", "status=", "account=x", "user=", "reference=a"]
)
def test_what_no_hold_can_be_found_by_is_refused(reader, query):
    answer = reader.get(f"/api/v1/holds?{query}")
    wrong = "unknown_parameter" if query.startswith("reference") else "invalid_parameter"
    assert (answer.status_code, answer.json()["code"]) == (400, wrong)

"""Right of access: a person gets everything that the ledger has of them, in a file that is theirs alone."""

import csv
import json
import tracemalloc

import pytest
from django.core.management.base import CommandError

from accounts import operations
from events.models import RecordEntry
from tests import asking
from tests.accounts.erasing import forget
from tests.accounts.noting import note_about
from tests.cast import CALLER, UserFactory, deposit, hold, issue_token, new_id, withdraw
from tests.office.account_pages import find_address
from tests.office.staff import make_staff, open_office
from tests.transactions.conftest import run_command
from tests.transactions.correcting import adjust
from transactions.exchange import people

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = [
    "user",
    "accounts",
    "transactions",
    "holds",
    "claims",
    "events",
    "tokens",
    "corrections",
    "erasures",
    "record",
]
NAME = "Ivan Konstantinov"


@pytest.fixture
def ivan():
    ivan = UserFactory(name=NAME, external_id="crm-4711-x", metadata={"mail": "ivan@konstantinov.example"})
    account = ivan.accounts.with_held_due().get()
    for amount in ("100", "5"):
        deposit(account, amount, reference="=1+1")
    withdraw(account, "1000")
    hold(account, "10", reference="order 7")
    asking.freeze(id=account.id, reason="lost his card", request_id="")
    operations.change_user(id=ivan.id, changes={"name": "Ivan K."}, caller=CALLER)
    adjust(account, make_staff("operations"), "99999")
    issue_token(user=ivan)
    browser = open_office(make_staff("support"))
    assert browser.get(find_address(account)).status_code == 200
    assert browser.get("/admin/accounts/user/", {"q": NAME}).status_code == 200
    return ivan


def run(ivan, path, *arguments):
    return run_command("export_person", str(ivan.id), "--output", str(path), *arguments)


def test_all_of_it_as_json(ivan, tmp_path):
    path = tmp_path / "ivan.json"
    other = UserFactory(name="Somebody Else")
    deposit(other.accounts.with_held_due().get(), "7")
    assert run(ivan, path)[0] == 0
    assert path.stat().st_mode & 0o777 == 0o600
    told = json.loads(path.read_text())
    assert list(told) == TABLES
    [user], [account] = told["user"], told["accounts"]
    assert (user["name"], user["external_id"], account["status"]) == ("Ivan K.", "crm-4711-x", "FROZEN")
    assert [row["amount"] for row in told["transactions"]] == ["100.00", "5.00", "1000.00"]
    assert [row["reference"] for row in told["holds"]] == ["order 7"]
    assert [event["type"] for event in told["events"]] == [
        *("user.created", "user.changed", "account.opened", "hold.placed", "account.frozen")
    ]
    assert told["events"][0]["data"]["name"] == NAME
    assert told["events"][-1]["reason"] == "lost his card"
    assert len(told["tokens"]) == 1
    assert [row["reason"] for row in told["corrections"]] == ["a lost deposit"]
    seen = [(entry["action"], entry["subject"]) for entry in told["record"]]
    assert ("VIEW", "account") in seen
    assert ("SEARCH", "user") in seen
    assert ("CHANGE", "correction") in seen
    assert ("EXPORT", "user") in seen
    assert str(other.id) not in path.read_text()
    assert "Somebody Else" not in path.read_text()


def test_what_staff_have_noted_about_them_is_theirs_to_know(ivan, tmp_path):
    note_about(ivan, text="He called on Monday.")
    note_about(UserFactory(), text="Somebody called on Tuesday.")
    path = tmp_path / "ivan.json"
    assert run(ivan, path)[0] == 0
    written = [
        row["told"]["words"] for row in json.loads(path.read_text())["record"] if row["subject"] == "note"
    ]
    assert written == ["He called on Monday."]


def test_all_of_it_as_tables(ivan, tmp_path):
    path = tmp_path / "ivan"
    assert run(ivan, path, "--format", "csv")[0] == 0
    assert path.stat().st_mode & 0o777 == 0o700
    assert sorted(each.stem for each in path.iterdir()) == sorted(TABLES)
    assert {each.stat().st_mode & 0o777 for each in path.iterdir()} == {0o600}
    rows = list(csv.DictReader((path / "transactions.csv").read_text().splitlines()))
    assert [row["amount"] for row in rows] == ["100.00", "5.00", "1000.00"]
    assert rows[0]["reference"] == "'=1+1"


def test_it_is_in_the_record(ivan, tmp_path):
    run(ivan, tmp_path / "ivan.json")
    entry = RecordEntry.objects.get(type="person.exported")
    assert (entry.actor_kind, entry.action, entry.subject_id) == ("command", "EXPORT", str(ivan.id))


@pytest.mark.parametrize("format", ["json", "csv"])
def test_nothing_is_overwritten_and_nobody_is_nobody(ivan, tmp_path, format):
    path = tmp_path / "ivan"
    path.write_text("mine")
    with pytest.raises(CommandError, match="is there already"):
        run(ivan, path, "--format", format)
    assert path.read_text() == "mine"
    nobody = tmp_path / "nobody"
    with pytest.raises(CommandError, match="There is no such user"):
        run_command("export_person", str(new_id()), "--output", str(nobody), "--format", format)
    assert not nobody.exists()
    assert RecordEntry.objects.filter(type="person.exported").count() == 0


def test_of_who_was_forgotten_there_are_placeholders(ivan, tmp_path):
    forget(ivan)
    path = tmp_path / "ivan.json"
    assert run(ivan, path)[0] == 0
    text = path.read_text()
    for gone in (NAME, "Ivan K.", "crm-4711-x", "konstantinov.example", "lost his card"):
        assert gone not in text
    assert [row["status"] for row in json.loads(text)["erasures"]] == ["DONE"]


def test_memory_stays_small(ivan, monkeypatch):
    """Ten times as many rows need no more memory than a page of them."""
    monkeypatch.setattr(people, "ROWS_AT_ONCE", 20)
    account = ivan.accounts.with_held_due().get()

    def measure():
        tracemalloc.start()
        for _, rows in people.export(user_id=ivan.id, caller=CALLER):
            for _ in rows:
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    def fill(count):
        for _ in range(count):
            deposit(account, "1", metadata={"note": "x" * 400})

    fill(40)
    measure()
    small = measure()
    fill(400)
    assert measure() < small * 1.5

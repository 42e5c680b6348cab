"""Files of transactions: read strictly, posted in the order of their effect, exactly once."""

import csv
import io
import json
import random
import re
import sys
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.db import OperationalError

from accounts import operations
from accounts.models import Account, User
from events.models import Event
from tests import asking
from tests.cast import CALLER, UserFactory, day, deposit, hold, hold_that_expires, new_id
from tests.transactions.conftest import COLUMNS, make_history
from tests.transactions.test_concurrency import rows_of
from transactions import posting
from transactions.errors import CommitNotConfirmed, RequestInProgress
from transactions.exchange import imports
from transactions.models import Transaction


def read_report(path):
    with open(path, newline="") as file:
        return sorted(csv.DictReader(file), key=lambda line: int(line["line"]))


def count_written():
    return Transaction.objects.count(), User.objects.count(), Account.objects.count(), Event.objects.count()


HISTORY = [
    (3, "anna", "WITHDRAW", "30.00", "2023-01-06T12:00:00+02:00", "third"),
    (1, "anna", "DEPOSIT", "100.00", "2023-01-04T00:00:00.123456Z", 'first, "quoted"; and  more'),
    (4, "anna", "WITHDRAW", "70", "2023-01-06T10:00:00Z", "fourth"),
    (2, "anna", "DEPOSIT", "0.01", "2023-01-05", "second"),
]


def test_rows_are_posted_in_the_order_of_their_effect_and_of_the_file(anna, write, run):
    assert "4    │ posted" in run(write(HISTORY), 0)
    rows = rows_of(anna)
    assert [row.reference[:5] for row in rows] == ["first", "secon", "third", "fourt"]
    assert [f"{row.balance_after:.2f}" for row in rows] == ["100.00", "100.01", "70.01", "0.01"]
    assert not any(row.late for row in rows)
    assert rows[0].reference == 'first, "quoted"; and  more'
    assert rows[0].effective_at == day("2023-01-04T00:00:00.123456")
    assert rows[1].effective_at == day("2023-01-06") - timedelta(microseconds=1)
    [name] = {row.request_id for row in rows}
    assert re.fullmatch("import-old-[0-9a-f]{12}", name)
    assert {row.actor for row in rows} == {User.objects.get(username="import").id}


def test_running_it_again_changes_nothing_and_says_so(anna, write, run):
    path = write(HISTORY)
    run(path, 0)
    before = count_written()
    assert "4    │ there already, posted" in run(path, 0)
    assert count_written() == before
    run(write([*HISTORY, (5, "anna", "DEPOSIT", "1", "2023-02-01", "")]), 0)
    assert count_written()[0] == before[0] + 1


def test_a_key_of_another_source_is_another(anna, write, run):
    run(write(HISTORY[1:2]), 0, source="old")
    run(write(HISTORY[1:2]), 0, source="older")
    assert Transaction.objects.count() == 2
    # For ever: whoever runs an old file once more must find what it posted.
    assert str(imports.derive_id("old", "1")) == "02f5ceab-c91a-8e92-973e-2b42b4b52837"


def test_json_lines_say_the_same(anna, write, run):
    rows = [dict(zip(COLUMNS, map(str, row), strict=True)) for row in HISTORY]
    run(write(HISTORY), 0)
    assert "4    │ there already, posted" in run(write(rows, name="rows.jsonl"), 0)
    new = {**rows[1], "key": "new", "amount": "30", "metadata": {"campaign": "7"}, "reference": None}
    run(write([new], name="rows.jsonl"), 0)
    row = Transaction.objects.get(id=imports.derive_id("old", "new"))
    assert (row.amount, row.metadata, row.reference) == (30, {"campaign": "7"}, "")


def test_accounts_are_named_by_id_or_by_their_user(anna, write, run):
    savings, _ = operations.create_account(
        user_id=anna.user_id, currency="EUR", name="savings", caller=CALLER
    )
    columns = [
        "id",
        "account",
        "user",
        "external_id",
        "currency",
        "account_name",
        "type",
        "amount",
        "metadata",
    ]
    rows = [
        (new_id(), anna.id, "", "", "", "", "DEPOSIT", "1", ""),
        (new_id(), anna.id, "", "", "USD", "", "DEPOSIT", "1", '{"a": "b"}'),
        (new_id(), "", anna.user_id, "", "", "", "DEPOSIT", "1", ""),
        (new_id(), "", "", "anna", "", "savings", "DEPOSIT", "5", ""),
        (new_id(), "", anna.user_id, "", "EUR", "savings", "WITHDRAW", "2", ""),
    ]
    run(write(rows, columns), 0)
    assert [row.metadata for row in rows_of(anna)] == [{}, {"a": "b"}, {}]
    assert [row.change for row in rows_of(savings)] == [5, -2]
    assert rows_of(anna)[0].effective_at_asked is None


def test_times_and_days_without_a_zone_are_of_the_one_that_is_named(anna, write, run):
    path = write(
        [
            (1, "anna", "DEPOSIT", "1", "2023-03-26", ""),
            (2, "anna", "DEPOSIT", "1", "2023-01-01T00:00:00", ""),
        ]
    )
    run(path, 0, tz="Europe/Berlin")
    first, last = rows_of(anna)
    assert first.effective_at == day("2022-12-31T23:00")
    assert last.effective_at == day("2023-03-26T22:00") - timedelta(microseconds=1)
    assert "with another effective_at" in run(path, 2)
    assert "time zone" in run(path, 2, tz="Mars/Base")


def test_users_and_accounts_are_made_on_the_way_when_asked_to(anna, write, run):
    columns = ("key", "external_id", "currency", "account_name", "type", "amount")
    rows = [
        (1, "olga", "", "", "DEPOSIT", "1"),
        (2, "ivan", "EUR", "", "DEPOSIT", "2"),
        (3, "ivan", "EUR", "savings", "DEPOSIT", "3"),
        (4, "anna", "JPY", "", "DEPOSIT", "4"),
        (5, "anna", "USD", "", "DEPOSIT", "5"),
    ]
    path = write(rows, columns)
    before = count_written()
    assert "not_found" in run(path, 2)
    assert "4    │ accounts made" in run(path, 0, create_users=True, dry_run=True)
    assert count_written() == before
    assert "4    │ accounts made" in run(path, 0, create_users=True)
    found = Account.objects.filter(balance__gt=0).order_by("balance")
    assert [(a.user.external_id, a.user.name, a.currency, a.name, int(a.balance)) for a in found] == [
        ("olga", "olga", "USD", "main", 1),
        ("ivan", "ivan", "EUR", "main", 2),
        ("ivan", "ivan", "EUR", "savings", 3),
        ("anna", "Anna", "JPY", "main", 4),
        ("anna", "Anna", "USD", "main", 5),
    ]
    after = count_written()
    assert "made" not in run(path, 0, create_users=True)
    assert count_written() == after
    rows = [(6, "lev", "", "", "DEPOSIT", "1"), (7, "lev", "EUR", "", "DEPOSIT", "1")]
    assert "line 2, currency: currency_required" in run(write(rows, columns), 2, create_users=True)
    for currency, code in (("XXX", "currency_unknown"), ("CHF", "currency_closed")):
        path = write([(8, "lev", currency, "", "DEPOSIT", "1")], columns)
        assert f"line 2, currency: {code}" in run(path, 2, create_users=True)


def test_a_decline_is_listed_and_stays_one(anna, write, run, tmp_path):
    rows = [(1, "anna", "DEPOSIT", "10", "2023-01-01", ""), (2, "anna", "WITHDRAW", "11", "2023-01-02", "")]
    path, report = write(rows), str(tmp_path / "declined.csv")
    for said in ("│ declined: insufficient_funds", "│ there already, declined: insufficient_funds"):
        assert said in run(path, 1, declined=report, allow_declines=True)
        [line] = read_report(report)
        assert (line["line"], line["reason"]) == ("3", "insufficient_funds")
        assert line["id"] == str(imports.derive_id("old", "2"))
        assert json.loads(line["details"]) == {"available": "10.00", "required": "11.00"}
        deposit(anna, "100")


def test_what_comes_from_stdin_needs_a_format(anna, run, monkeypatch):
    text = "key,external_id,type,amount\n1,anna,DEPOSIT,5\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    run("-", 0, format="csv")
    anna.refresh_from_db()
    assert anna.balance == 5


@pytest.mark.parametrize("seed", range(3))
def test_a_dry_run_foretells_every_decline_and_writes_nothing(write, run, tmp_path, seed, db, monkeypatch):
    monkeypatch.setattr(imports, "SLICE", 5)  # an account's rows are in several, an account is not in all
    chance = random.Random(seed)
    names = [f"user-{number}" for number in range(8)]
    accounts = [UserFactory(external_id=name).accounts.get() for name in names[:6]]
    for account in accounts[1:]:
        deposit(account, "30", effective_at=day("2023-03-01"))
    for number in range(20):  # so that what is imported comes late
        deposit(accounts[1], "10", effective_at=day("2023-02-01") + timedelta(days=2 * number))
    hold(accounts[2], "20")
    hold_that_expires(accounts[2], "5")
    hold(accounts[2], "1")
    asking.set_limits(id=accounts[3].id, limits={"credit_limit": Decimal(40)}, request_id="test")
    asking.set_limits(id=accounts[4].id, limits={"withdraw_day_max": Decimal(90)}, request_id="test")
    asking.freeze(id=accounts[5].id, reason="test", request_id="test")
    path = write(make_history(chance, names, 700))
    foretold, declined = str(tmp_path / "foretold.csv"), str(tmp_path / "declined.csv")
    before = count_written()
    assert "Nothing is posted." in run(path, 1, dry_run=True, create_users=True, declined=foretold)
    assert count_written() == before
    run(path, 1, create_users=True, declined=declined, allow_declines=True)
    reasons = {line["reason"] for line in read_report(declined)}
    assert {"insufficient_funds", "insufficient_funds_at", "limit_exceeded", "account_frozen"} <= reasons
    assert read_report(foretold) == read_report(declined)


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), RequestInProgress("in hand"), CommitNotConfirmed()]
)
def test_what_ends_it_in_the_middle_is_told_with_what_to_do(anna, write, run, monkeypatch, error):
    post, slices = posting.post_request, count()

    def fail_at_the_second(request):
        if next(slices) == 1:
            raise error
        return post(request)

    monkeypatch.setattr(imports, "SLICE", 3)  # of two moments; the third moment has two rows
    monkeypatch.setattr(posting, "post_request", fail_at_the_second)
    path = write(HISTORY)
    assert "Run it again" in run(path, 2)
    assert Transaction.objects.count() == 2
    run(path, 0)
    assert Transaction.objects.count() == 4


def test_a_row_refused_at_the_last_moment_is_listed_and_the_others_are_posted(
    anna, write, run, tmp_path, monkeypatch
):
    rows = [(1, "anna", "DEPOSIT", "1", "2023-01-01", ""), (2, "anna", "DEPOSIT", "2", "2023-01-02", "")]
    check = imports.check_rows

    def check_then_lose_the_race(staging):
        yield from check(staging)
        deposit(anna, "7", id=imports.derive_id("old", "1"))

    monkeypatch.setattr(imports, "check_rows", check_then_lose_the_race)
    report = str(tmp_path / "declined.csv")
    run(write(rows), 1, declined=report, allow_declines=True)
    assert [(line["line"], line["reason"]) for line in read_report(report)] == [
        ("2", "idempotency_key_reused")
    ]
    anna.refresh_from_db()
    assert anna.balance == 9

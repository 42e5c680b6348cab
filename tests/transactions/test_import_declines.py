"""A decline is for ever: an import finds it before it posts anything, and takes it up again when asked to."""

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from uuid import UUID

import pytest

from tests.cast import AccountFactory, day, deposit, hold_that_expires, withdraw
from tests.database import execute
from tests.transactions.conftest import COLUMNS
from tests.transactions.test_concurrency import rows_of, run_at_once
from tests.transactions.test_import import count_written, read_report
from transactions import posting
from transactions.exchange import imports
from transactions.models import Transaction

RENT, SALARY = (
    ("f2", "anna", "WITHDRAW", "50.00", "2024-03-01", "rent"),
    ("f1", "anna", "DEPOSIT", "100.00", "2024-03-01", "salary"),
)


def signs_of(account):
    return [f"{row.signed_amount:+.0f}" for row in rows_of(account)]


def test_a_file_of_days_may_name_what_was_spent_before_what_came_in(anna, write, run):
    assert "2    │ posted" in run(write([RENT, SALARY]), 0)
    assert signs_of(anna) == ["+100", "-50"]


def test_nothing_is_posted_or_made_when_a_row_would_be_declined(anna, write, run, tmp_path):
    other = ("f3", "new-1", "DEPOSIT", "1", "2024-03-01", "")
    path, report = write([other, RENT]), str(tmp_path / "declined.csv")
    before = count_written()
    said = run(path, 2, create_users=True, declined=report)
    assert 'line 3: declined: insufficient_funds: {"available": "0.00", "required": "50.00"}' in said
    assert "1 rows would be declined, for ever. Nothing is posted" in said
    assert count_written() == before
    assert [(line["line"], line["reason"]) for line in read_report(report)] == [("3", "insufficient_funds")]
    deposit(anna, "50", effective_at=day("2024-02-01"))
    run(path, 0, create_users=True, declined=report)
    assert read_report(report) == []


def test_a_row_that_would_be_declined_meanwhile_stops_the_import_before_its_list(
    anna, write, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(imports, "SLICE", 2)
    deposit(anna, "50", effective_at=day("2022-01-01"))
    amounts = ("10", "10", "5", "20", "1", "1")
    path = write(
        [(n, "anna", "WITHDRAW", amount, f"2024-03-0{n + 1}", "") for n, amount in enumerate(amounts)]
    )
    make = imports.make_accounts

    def spend_then_make(*args, **options):
        withdraw(anna, "10")
        return make(*args, **options)

    monkeypatch.setattr(imports, "make_accounts", spend_then_make)
    report = str(tmp_path / "declined.csv")
    said = run(path, 2, declined=report)
    assert 'line 5: declined: insufficient_funds: {"available": "15.00", "required": "20.00"}' in said
    assert "Run it again" in said
    assert [line["line"] for line in read_report(report)] == ["5"]
    assert signs_of(anna) == ["+50", "-10", "-10", "-10"]
    monkeypatch.undo()
    run(path, 2)
    deposit(anna, "20", effective_at=day("2022-01-01"))
    run(path, 0)
    assert sorted(signs_of(anna)[5:]) == ["-1", "-1", "-20", "-5"]


def test_a_row_that_is_refused_meanwhile_stops_it_too(anna, write, run, monkeypatch):
    check = imports.check_rows

    def check_then_lose_the_race(staging):
        yield from check(staging)
        deposit(anna, "7", id=imports.derive_id("old", "f1"))

    monkeypatch.setattr(imports, "check_rows", check_then_lose_the_race)
    assert "line 2: declined: idempotency_key_reused" in run(write([SALARY]), 2)


def test_what_was_declined_is_taken_up_again_once_each_by_its_run(anna, write, run, command):
    columns = (*COLUMNS, "metadata")
    rows = [
        (*RENT, '{"a": "b"}'),
        ("f4", "anna", "WITHDRAW", "7", "", "", ""),
        (*SALARY[:4], "2024-03-02", "", ""),
    ]
    said = run(write(rows, columns), 1, allow_declines=True)
    [name] = re.findall(r"--retry-declined (import-old-[0-9a-f]{12})", said)
    declined = {row.id: row for row in rows_of(anna) if row.decline_reason}
    assert {row.reference for row in declined.values()} == {"rent"}

    def retry(status, **options):
        return command(status, "import_transactions", retry_declined=name, **options)

    withdraw(anna, "60")
    assert "line 1: declined: insufficient_funds" in retry(2)
    deposit(anna, "50", effective_at=day("2024-02-01"))
    retry(0, dry_run=True)
    assert "1    │ posted" in retry(0)
    [old] = declined
    again = Transaction.objects.get(id=imports.derive_retry_id(old))
    asked = ("account_id", "type", "amount", "reference", "metadata", "effective_at_asked")
    assert [getattr(again, part) for part in asked] == [getattr(declined[old], part) for part in asked]
    assert re.fullmatch("import-retry-[0-9a-f]{12}", again.request_id)
    assert "1    │ there already, posted" in retry(0)
    assert Transaction.objects.get(id=old).decline_reason == "insufficient_funds"


def test_what_is_declined_again_is_taken_up_by_the_run_that_declined_it_last(anna, write, run, command):
    said = run(write([RENT]), 1, allow_declines=True)
    for _ in range(2):
        [name] = re.findall(r"--retry-declined (\S+)", said)
        said = command(1, "import_transactions", retry_declined=name, allow_declines=True)
    deposit(anna, "50", effective_at=day("2024-02-01"))
    [name] = re.findall(r"--retry-declined (\S+)", said)
    command(0, "import_transactions", retry_declined=name)
    assert signs_of(anna) == ["-50", "-50", "-50", "+50", "-50"]


def test_a_retry_needs_a_run_and_no_file(anna, write, command):
    assert "No row was declined by a run import-old-0" in command(
        2, "import_transactions", retry_declined="import-old-0"
    )
    path = write([SALARY])
    for arguments in ((), (path, "--retry-declined", "import-old-0")):
        assert "Name a file, or a run" in command(2, "import_transactions", *arguments)
    # For ever: whoever takes a row up again must find what became of it.
    old = UUID("02f5ceab-c91a-8e92-973e-2b42b4b52837")
    assert str(imports.derive_retry_id(old)) == "bfeca902-9f82-8336-a7bd-c3f630e7d738"


def test_holds_whose_time_is_over_do_not_count_while_it_is_decided(anna, write, run):
    deposit(anna, "50", effective_at=day("2024-02-01"))
    hold_that_expires(anna, "20")
    run(write([RENT]), 0)


def test_rows_of_a_moment_are_posted_at_once_and_a_moment_of_too_many_deposits_first(
    anna, write, run, monkeypatch
):
    monkeypatch.setattr(imports, "SLICE", 3)
    few = [("WITHDRAW", 5, 1), ("DEPOSIT", 9, 1), ("WITHDRAW", 9, 2), ("WITHDRAW", 1, 2), ("DEPOSIT", 6, 2)]
    many = [("DEPOSIT", 4, 3), ("WITHDRAW", 2, 3), ("WITHDRAW", 1, 3), ("DEPOSIT", 3, 3), ("WITHDRAW", 4, 3)]
    moves = enumerate([*few, *many])
    path = write([(n, "anna", type, amount, f"2024-03-0{on}", "") for n, (type, amount, on) in moves])
    assert "10   │ posted" in run(path, 0)
    assert signs_of(anna) == ["+9", "-5", "+6", "-9", "-1", "+4", "+3", "-2", "-1", "-4"]


ASSERTIONS = 45
MOVEMENTS = 303


@pytest.fixture
def bank():
    """A made-up account of a bank: the rows of its file, days only, and what it held after some of the days.

    What is spent on a day stands before what comes in. Every other week that is more than there is.
    """
    chance, rows, balances = Random(2013), [], {}
    balance, today = Decimal(0), date(2012, 1, 6)
    while len(rows) < MOVEMENTS:
        salary = Decimal(chance.randint(200_000, 260_000)) / 100 if len(balances) % 2 == 0 else Decimal(0)
        left = balance + salary
        spent = []
        for _ in range(min(chance.randint(2, 7), MOVEMENTS - len(rows) - bool(salary))):
            spent.append(min(left, Decimal(chance.randint(100, 40_000)) / 100))
            left -= spent[-1]
        moves = [("WITHDRAW", amount) for amount in spent if amount] + [("DEPOSIT", salary)] * bool(salary)
        rows += [(f"{today}-{n}", "anna", type, amount, today, "") for n, (type, amount) in enumerate(moves)]
        balance = balances[today] = left
        today += timedelta(days=7)
    return rows, balances


def test_every_balance_that_a_bank_asserts_holds_after_an_import_of_its_days(anna, bank, write, run, command):
    rows, balances = bank
    asserted = sorted(balances)[:: len(balances) // ASSERTIONS][:ASSERTIONS]
    assert (len(rows), len(asserted)) == (MOVEMENTS, ASSERTIONS)
    changes = [amount if type == "DEPOSIT" else -amount for _, _, type, amount, *_ in rows]
    assert min(accumulate(changes)) < 0  # in the order of the file some of it is not covered
    run(write(rows), 0)
    assert not any(row.late or row.decline_reason for row in rows_of(anna))
    for moment in asserted:
        path = write([("anna", balances[moment])], ("external_id", "balance"), f"{moment}.csv")
        command(0, "compare_balances", path, at=str(moment), all=True)


@pytest.mark.django_db(transaction=True)
def test_a_whole_file_is_decided_as_of_one_moment(write, run, monkeypatch):
    """What somebody spends while it is being decided is not seen, in whatever order the accounts are read."""
    monkeypatch.setattr(imports, "SLICE", 1)
    accounts = sorted((AccountFactory(funds="10") for _ in range(2)), key=lambda account: str(account.id))
    decide = posting.Rehearsal.decide

    def decide_and_spend(*arguments):
        decided = decide(*arguments)
        if not Transaction.objects.filter(type="WITHDRAW").exists():
            run_at_once(lambda: withdraw(accounts[1], "10"))
        return decided

    monkeypatch.setattr(posting.Rehearsal, "decide", decide_and_spend)
    columns = ("key", "account", "type", "amount")
    path = write([(n, account.id, "WITHDRAW", "10") for n, account in enumerate(accounts)], columns)
    assert "2    │ posted" in run(path, 0, dry_run=True)
    assert "1    │ declined: insufficient_funds" in run(path, 1, dry_run=True)


@pytest.mark.django_db(transaction=True)
def test_a_file_is_decided_for_as_long_as_it_takes():
    """A transaction of the service's role has few seconds."""
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
    known = [name for name in names if execute("SELECT current_setting(%s, true)", name)[0][0] is not None]
    assert len(known) >= 2
    try:
        for name in known:
            execute(f"SET {name} = '10s'")
        with posting.reading_one_moment():
            assert {execute(f"SHOW {name}")[0][0] for name in known} == {"0"}
        assert {execute(f"SHOW {name}")[0][0] for name in known} == {"10s"}
    finally:
        for name in known:
            execute(f"RESET {name}")

"""The audit: clean on every kind of history, and a finding for every kind of harm, by the row's name."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.transaction import atomic, set_rollback

from accounts import operations
from accounts.models import Account
from events import feed
from events.models import Event, Placement
from tests import asking
from tests.cast import AccountFactory, day, deposit, hold, hold_that_expires, new_id, transfer, withdraw
from tests.database import execute
from tests.events.test_upkeep import age
from tests.scraping import scrape_relay
from tests.transactions.conftest import run_command
from transactions.models import AuditRun, Transaction
from transactions.posting.commands import Reversal
from transactions.proof import audit

pytestmark = pytest.mark.django_db


def make_history():
    """Two accounts with all that can happen to one; the first of them is given back."""
    account, other, empty = (AccountFactory() for _ in range(3))
    first = deposit(account, "100", metadata={"b": "ü\\\t\n\"'", "a": "1"}, reference='a\\tb\\\\c"d é')
    withdraw(account, "1000")
    withdraw(account, "10", effective_at=day("2023-01-05"))  # declined: before the deposit
    deposit(account, "50", effective_at=day("2023-01-04"))
    withdraw(account, "20", effective_at=day("2023-01-06"), metadata={"why": "late"})
    moved = transfer(account, other, "5")
    transfer(account, other, "5000")
    for rows in (Transaction.objects.filter(transfer=moved.transfer), [deposit(account, "3")]):
        asking.ask(Reversal(id=new_id(), reason="wrong", rows=list(rows)))
    placed = hold(account, "30")
    for amount, final in ((10, False), (5, True)):
        asking.ask(asking.capture_of(placed, Decimal(amount), final=final))
    hold(account, "7")
    hold_that_expires(account, "2")
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(40)}, request_id="")
    account.refresh_from_db()
    withdraw(account, account.balance + 30 - 7)
    asking.freeze(id=other.id, reason="x", request_id="")
    asking.close(id=empty.id, reason="x", request_id="")
    assert first.status == "POSTED"
    return account


def prove(**scope):
    result, _ = audit.run(audit.Scope(**scope))
    return result


def run(*arguments):
    """The audit's exit status and what it prints."""
    return run_command("audit_balances", "--workers", "1", *arguments)


def test_a_history_of_everything_is_clean():
    make_history()
    result = prove()
    assert result.findings == []
    assert (result.accounts, result.rows) == (3, Transaction.objects.count())
    feed.read()  # with their places, too
    assert prove().findings == []


def test_an_empty_ledger_is_clean():
    assert prove().findings == []


def test_it_is_clean_after_old_events_were_pruned():
    make_history()
    feed.read()
    age(100, up_to=Transaction.objects.count() // 2)
    while feed.prune(days=90):
        pass
    assert {finding.check for finding in prove().findings} <= {"events"}  # whose moments the test has moved
    old = Event.objects.filter(recorded_at__lt=operations.read_clock() - timedelta(days=90))
    assert {event.about for event in old} == {None}
    assert old.count() > 3


def test_an_event_that_must_stay_is_missed_after_pruning_too():
    """Then numbers of a stream may be missing; but how many events must be there is known."""
    account = make_history()
    feed.read()
    age(100, up_to=Placement.objects.filter(stream=account.id).earliest("position").position)
    while feed.prune(days=90):
        pass
    assert prove().findings == []
    placed = Event.objects.filter(stream=account.id, type="hold.placed").earliest("sequence")
    harm("DELETE FROM events_event WHERE stream = %s AND sequence = %s", placed.stream, placed.sequence)
    counted = [finding.row for finding in prove().findings if finding.check == "event_sequence"]
    assert counted == [str(account.id)]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_slices_of_any_size_find_the_same(monkeypatch, size):
    make_history()
    monkeypatch.setattr(audit, "ROWS_A_SLICE", size)
    result = prove()
    assert (result.count, result.accounts, result.rows) == (0, 3, Transaction.objects.count())


def test_since_a_moment_only_what_is_newer_is_walked_and_it_is_clean():
    account = make_history()
    for row in Transaction.objects.filter(account=account).order_by("recorded_at"):
        result = prove(since=row.recorded_at)
        assert result.findings == [], row
        assert (
            result.rows
            == Transaction.objects.filter(
                recorded_at__gt=row.recorded_at, account__last_recorded_at__gt=row.recorded_at
            ).count()
        )


GUARDED = (
    "transactions_batch",
    "transactions_transaction",
    "accounts_account",
    "accounts_hold",
    "accounts_claim",
    "accounts_user",
    "events_event",
    "events_text",
    "events_pending",
    "events_placement",
    "events_feed_state",
    "accounts_erasure",
    "events_recordentry",
    "events_recordhead",
    "transactions_correction",
)


def harm(statement, *parameters):
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in GUARDED:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    execute(statement, *parameters)
    for table, name in execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
        " WHERE tgrelid = ANY(%s::regclass[]) AND NOT tgisinternal",
        list(GUARDED),
    ):
        execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def test_since_a_moment_harm_to_what_is_newer_is_found_and_to_what_is_older_is_not():
    account = make_history()
    rows = list(Transaction.objects.filter(account=account, status="POSTED").order_by("recorded_at"))
    moment = rows[3].recorded_at
    for row, wanted in ((rows[1], 0), (rows[-2], 1)):
        with atomic():
            harm("UPDATE transactions_transaction SET reference = 'x' WHERE id = %s", row.id)
            found = [finding.row for finding in prove(since=moment).findings if finding.check == "chain"]
            assert found == [str(row.id)] * wanted
            set_rollback(True)


def test_one_account_or_one_users_accounts_are_audited_alone():
    account = make_history()
    result = prove(accounts=(account.id,))
    assert (result.accounts, result.rows) == (1, Transaction.objects.filter(account=account).count())
    assert run("--account", str(account.id))[0] == 0
    assert "1 accounts" in run("--user", str(account.user_id))[1]
    assert run("--account", str(new_id()))[0] == 2


def test_one_check_looks_for_nothing_else():
    account = make_history()
    harm("UPDATE accounts_account SET held = held + 1 WHERE id = %s", account.id)
    assert {finding.check for finding in prove().findings} == {"held"}
    assert run("--check", "chain")[0] == 0
    assert run("--check", "held")[0] == 1


def test_a_guard_that_was_taken_away_or_switched_off_is_found():
    execute("ALTER TABLE accounts_account ENABLE TRIGGER balance_has_its_transactions")
    execute("DROP TRIGGER transaction_is_never_changed ON transactions_transaction")
    execute("ALTER TABLE accounts_account DROP CONSTRAINT account_balance_covers_holds")
    found = {finding.row: finding.found for finding in prove().findings}
    assert found.pop("balance_has_its_transactions").startswith("trigger O CREATE TRIGGER")  # not always
    assert found == {
        "transaction_is_never_changed": "trigger missing",
        "account_balance_covers_holds": "constraint missing",
    }


def test_the_command_says_what_is_wrong_where_and_what_to_do(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    account = make_history()
    row = Transaction.objects.filter(account=account, status="POSTED").earliest("recorded_at")
    harm("UPDATE transactions_transaction SET amount = 90 WHERE id = %s", row.id)
    status, text = run()
    assert status == 1
    assert str(row.id) in text
    assert "Restore the row" in text
    status, text = run("--json")
    *findings, summary = [json.loads(line) for line in text.splitlines()]
    assert {(each["check"], each["row"]) for each in findings if each["row"] == str(row.id)} >= {
        ("chain", str(row.id)),
        ("running", str(row.id)),
    }
    assert all(each["remedy"] for each in findings)
    assert summary["findings"] == len(findings) == AuditRun.objects.latest("finished_at").findings


def test_runs_are_stored_exported_and_gone_on_from(client):
    account = make_history()
    assert run("--since", "last")[0] == 0  # the first one is of everything
    stored = AuditRun.objects.get()
    assert (stored.is_whole, stored.findings, stored.accounts) == (True, 0, 3)
    assert stored.rows == Transaction.objects.count()
    AuditRun.objects.update(seen_through=account.created_at - timedelta(days=1))
    deposit(account, "1")
    for since in ("last", str(stored.id), "2020-01-01T00:00:00+00:00", "2020-01-01"):
        assert run("--since", since)[0] == 0
    assert run("--since", "yesterday")[0] == 2
    assert run("--since", str(new_id()))[0] == 2
    harm("UPDATE accounts_account SET balance = balance + 1 WHERE id = %s", account.id)
    assert run()[0] == 1
    found = scrape_relay()
    assert found["ledger_audit_findings"] == 2  # the account, and the money of its currency
    assert 0 <= found["ledger_audit_clean_timestamp_seconds"] - stored.finished_at.timestamp() < 60


def test_what_cannot_run_says_so():
    assert run("--workers", "0") == (2, "The audit could not run: --workers is at least 1.\n")


@pytest.mark.django_db(transaction=True)
def test_worker_processes_see_the_same_snapshot_and_postings_go_on(monkeypatch):
    monkeypatch.setattr(audit, "ROWS_A_SLICE", 1)
    monkeypatch.setattr(audit, "WORTH_WORKERS", 1)
    account, seen = make_history(), []
    result, moment = audit.run(audit.Scope(), workers=2, progress=lambda *done: seen.append(done))
    assert (result.findings, result.rows) == ([], Transaction.objects.count())
    assert seen[-1][0] == seen[-1][1] > 0
    assert moment < Account.objects.get(id=account.id).last_recorded_at + timedelta(seconds=60)
    assert operations.read_clock() > moment

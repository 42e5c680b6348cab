"""How the books stand by the audits that were made, and one of an account while somebody waits for it."""

from datetime import timedelta

import pytest

from accounts import operations
from events.errors import Busy
from tests.cast import AccountFactory, deposit
from tests.office.dashboards import make_run
from tests.scraping import scrape_relay
from tests.transactions.conftest import run_command
from tests.transactions.test_audit import harm, make_history
from transactions import audits
from transactions.models import AuditRun, Transaction

pytestmark = pytest.mark.django_db


def break_balance(account):
    row = Transaction.objects.filter(account=account, status="POSTED").latest("recorded_at")
    harm("UPDATE transactions_transaction SET balance_after = balance_after + 1 WHERE id = %s", row.id)
    return row


def test_an_audit_of_an_account_is_noted_as_one_of_a_part():
    account, other = make_history(), AccountFactory(funds="5")
    account.refresh_from_db()
    run = audits.audit_account(id=account.id)
    assert (run.account, run.accounts, run.rows, run.findings, run.found) == (account, 1, account.seq, 0, [])
    assert (run.is_whole, run.since) == (False, None)
    assert run.started_at <= run.finished_at
    assert not AuditRun.objects.filter(account=other).exists()


def test_what_it_finds_is_kept_by_its_rows_and_without_what_stood_there():
    account = make_history()
    row = break_balance(account)
    run = audits.audit_account(id=account.id)
    assert run.findings == len(run.found) > 0
    assert {each["row"] for each in run.found} >= {str(row.id)}
    assert {tuple(sorted(each)) for each in run.found} == {("account", "check", "row", "table")}
    assert {each["account"] for each in run.found} == {str(account.id)}
    assert audits.audit_account(id=AccountFactory(funds="5").id).findings == 0


def test_the_command_notes_what_it_covered_and_found():
    account = make_history()
    assert run_command("audit_balances", "--workers", "1")[0] == 0
    whole = AuditRun.objects.get()
    assert (whole.is_whole, whole.since, whole.account, whole.found) == (True, None, None, [])
    assert run_command("audit_balances", "--workers", "1", "--since", "last")[0] == 0
    assert AuditRun.objects.latest("finished_at").since == whole.seen_through
    row = break_balance(account)
    assert run_command("audit_balances", "--workers", "1", "--account", str(account.id))[0] == 1
    run = AuditRun.objects.latest("finished_at")
    assert (run.account, run.is_whole) == (account, False)
    assert str(row.id) in {each["row"] for each in run.found}


def test_more_findings_than_are_kept_are_counted(monkeypatch):
    monkeypatch.setattr(audits, "FOUND_KEPT", 1)
    account = make_history()
    break_balance(account)
    run = audits.audit_account(id=account.id)
    assert run.findings > len(run.found) == 1


def test_one_is_audited_at_a_time():
    account = AccountFactory(funds="5")
    with audits.running, pytest.raises(Busy):
        audits.audit_account(id=account.id)
    assert audits.audit_account(id=account.id).findings == 0


@pytest.mark.parametrize(
    ("runs", "findings"),
    [
        ([], 0),
        ([{}], 0),
        ([{"findings": 3, "days": 2}, {"is_whole": False, "days": 1}], 3),
        ([{"days": 2}, {"is_whole": False, "findings": 4, "days": 1}, {"is_whole": False}], 4),
        ([{"is_whole": False, "findings": 4, "days": 1}, {}], 0),
        ([{"is_whole": False, "findings": 4}], 4),
    ],
)
def test_a_clean_part_hides_nothing_that_was_found(runs, findings):
    for run in runs:
        make_run(**run)
    assert audits.find_standing().findings == findings
    assert scrape_relay()["ledger_audit_findings"] == findings


def test_one_is_due_when_the_last_of_everything_is_too_old():
    every = timedelta(days=2)
    assert audits.is_due(every)
    make_run(is_whole=False)
    assert audits.is_due(every)
    make_run(days=3)
    assert audits.is_due(every)
    make_run(days=1, findings=2)
    assert not audits.is_due(every)
    assert audits.is_due(timedelta(hours=1))


def test_the_last_one_is_where_the_next_one_goes_on():
    assert audits.find_last_clean() is None
    clean = make_run(days=2)
    make_run(days=1, findings=1)
    make_run(is_whole=False)
    assert audits.find_last_clean() == clean
    assert clean.seen_through < operations.read_clock()
    deposit(AccountFactory(), "1")

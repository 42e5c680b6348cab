"""Audits in the office: what the last one covered, one of an account now, findings with their rows."""

import pytest

from accounts.models import Account
from tests.cast import AccountFactory, new_id
from tests.office.account_pages import find_address, look
from tests.office.answers import find_accesses, read
from tests.office.dashboards import make_run
from tests.office.staff import make_staff, open_office
from tests.transactions.test_audits import break_balance
from transactions import audits
from transactions.models import AuditRun

AUDITS = "/admin/transactions/auditrun/"


@pytest.fixture
def auditor(db):
    return open_office(make_staff("auditor"))


def ask(browser, account, **options):
    return browser.post(find_address(account, "audit"), {"reason": "they complain"}, **options)


def test_auditor_and_operations_audit_an_account_from_its_page_and_support_does_not(
    auditor, operations, support, account
):
    for browser in (auditor, operations):
        assert find_address(account, "audit") in look(browser, account)
        assert f"{AUDITS}audit/" in read(browser.get(AUDITS))
        text = read(ask(browser, account, follow=True))
        assert "Every row of the account was proven" in text
    assert find_address(account, "audit") not in look(support, account)
    assert ask(support, account).status_code == 403
    assert support.post(f"{AUDITS}audit/", {"reason": "x", "account": account.id}).status_code == 403
    assert AuditRun.objects.filter(account=account, is_whole=False).count() == 2
    assert [(each.subject, each.detail, each.reason) for each in find_accesses(action="CHANGE")] == [
        ("account", "audit", "they complain")
    ] * 2


def test_findings_are_shown_with_links_to_their_rows(auditor):
    account = AccountFactory(funds="5")
    row = break_balance(account)
    text = read(ask(auditor, account, follow=True))
    assert "The audit has found something" in text
    assert f'href="/admin/transactions/transaction/{row.id}/change/"' in text
    assert f'href="/admin/accounts/account/{account.id}/change/"' in text
    assert "<code>running</code>" in text
    assert "Findings: " in read(auditor.get(AUDITS))


def test_an_account_is_named_by_its_id_too(auditor, account):
    asked = {"reason": "they complain", "account": str(account.id)}
    read(auditor.post(f"{AUDITS}audit/", asked, follow=True))
    assert AuditRun.objects.get().account == account
    for wrong, says in ((new_id(), "There is no account of this id."), ("x", "Enter a valid UUID.")):
        assert says in read(auditor.post(f"{AUDITS}audit/", {**asked, "account": wrong}), 422)
    assert AuditRun.objects.count() == 1


def test_one_of_too_many_rows_is_left_to_an_operator(auditor, account, monkeypatch):
    monkeypatch.setattr(audits, "ROWS_AT_ONCE", 0)
    account = AccountFactory(funds="5")
    assert Account.objects.get(id=account.id).seq == 1
    assert f"audit_balances --account {account.id}" in read(ask(auditor, account), 422)
    assert not AuditRun.objects.exists()


def test_while_another_is_under_way_it_is_said_so(auditor, account):
    with audits.running:
        assert "Others are waiting already" in read(ask(auditor, account), 422)
    assert not AuditRun.objects.exists()


def test_the_list_says_what_the_last_audit_covered(support):
    assert "There was no audit of everything yet." in read(support.get(AUDITS))
    make_run(days=1)
    run = make_run()
    AuditRun.objects.filter(pk=run.pk).update(accounts=77, rows=12345, since=run.seen_through)
    text = read(support.get(AUDITS))
    for shown in (
        "accounts 77, rows 12,345",
        "where the one before it had ended",
        "Everything was last audited",
    ):
        assert shown in text, shown
    make_run(findings=2, is_whole=False)
    text = read(support.get(AUDITS))
    assert "Findings: 2." in text
    assert "Everything was last audited" not in text

"""What the role of the service may say of the proof: that it audited an account, and no more than that."""

import pytest

from tests.cast import AccountFactory
from tests.ledger_project.test_database_roles import APP, DENIED, become, find_refusal, run
from tests.transactions.test_audits import break_balance
from transactions import audits

pytestmark = pytest.mark.django_db
COLUMNS = "id, started_at, seen_through, accounts, rows, findings"


@pytest.fixture
def accounts():
    """One that is right, and one that is not."""
    right, wrong = AccountFactory(funds="5"), AccountFactory(funds="5")
    break_balance(wrong)
    run("--apply")
    become(APP)
    return right, wrong


def test_it_audits_accounts_and_finds_what_is_wrong(accounts):
    right, wrong = (audits.audit_account(id=each.id) for each in accounts)
    assert (right.is_whole, right.findings, right.rows) == (False, 0, 1)
    assert wrong.findings > 0


@pytest.mark.usefixtures("accounts")
def test_it_notes_no_audit_of_everything():
    values = "gen_random_uuid(), now(), now(), 1, 1, 0"
    insert = f"INSERT INTO transactions_auditrun ({COLUMNS}%s) VALUES ({values}%s) RETURNING is_whole"
    assert find_refusal(insert % ("", "")) is None
    for name, value in (
        ("is_whole", "true"),
        ("is_whole", "false"),
        ("is_whole", "DEFAULT"),
        ("since", "now()"),
    ):
        assert find_refusal(insert % (f", {name}", f", {value}")) == DENIED, (name, value)
    assert find_refusal("UPDATE transactions_auditrun SET is_whole = true") == DENIED

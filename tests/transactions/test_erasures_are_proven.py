"""A person is forgotten, and everything else is as it was: the audit, anchors, balances. And what was changed
of it behind the ledger's back is found."""

import pytest
from django.db.transaction import atomic, set_rollback

from accounts import erasing
from accounts.models import Account, Erasure
from events.models import Text
from tests.accounts.erasing import REASON, call, forget
from tests.cast import UserFactory, new_id
from tests.office.staff import make_staff
from tests.transactions.conftest import run_command
from tests.transactions.test_audit import harm, make_history, prove
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

NAME = "Ivan Konstantinov"


@pytest.fixture
def history():
    """A person with all that can happen to an account."""
    account = make_history()
    account.refresh_from_db()
    return account


def find(statement, *parameters):
    """The check, table and row of each finding after this harm, which is taken back."""
    with atomic():
        harm(statement, *parameters)
        found = {(finding.check, finding.table, finding.row) for finding in prove().findings}
        set_rollback(True)
    return found


def test_the_audit_is_clean_and_older_anchors_verify(history, tmp_path):
    file = tmp_path / "anchor.jsonl"
    assert run_command("export_anchor", str(file))[0] == 0
    balances = list(Account.objects.order_by("id").values_list("id", "balance", "held", "chain_head"))
    rows = list(Transaction.objects.order_by("id").values())
    forget(history.user)
    assert prove().findings == []
    assert run_command("verify_anchor", str(file))[0] == 0
    assert list(Account.objects.order_by("id").values_list("id", "balance", "held", "chain_head")) == balances
    assert list(Transaction.objects.order_by("id").values()) == rows


class TestWhatIsFound:
    @pytest.fixture
    def done(self):
        ivan = UserFactory(name=NAME, external_id="crm-4711-x")
        erasing.reject(
            id=erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(make_staff("operations"))).pk,
            caller=call(make_staff("operations")),
            reason="not yet",
        )
        done = forget(ivan)
        assert prove().findings == []
        return done

    @pytest.mark.parametrize("status", ["DONE", "REJECTED", "WAITING"])
    @pytest.mark.parametrize(
        "change",
        [
            "reason = 'another'",
            "maker_id = (SELECT id FROM accounts_user WHERE is_staff AND id <> maker_id"
            " AND id IS DISTINCT FROM checker_id ORDER BY id LIMIT 1)",
            "asked_at = asked_at - interval '1 second'",
            "user_id = '{other}'",
            "id = gen_random_uuid()",
        ],
    )
    def test_what_was_asked(self, done, status, change):
        other, boris = UserFactory(), UserFactory()
        erasing.ask(user_id=boris.pk, reason=REASON, caller=call(make_staff("operations")))
        row = Erasure.objects.get(status=status)
        found = find(f"UPDATE accounts_erasure SET {change.format(other=other.pk)} WHERE id = %s", row.pk)
        assert ("erasures", "accounts_erasure", str(row.pk)) in found

    @pytest.mark.parametrize(
        "change",
        [
            "decided_at = decided_at - interval '1 second'",
            "checker_id = (SELECT id FROM accounts_user WHERE is_staff AND id <> checker_id"
            " AND id <> maker_id ORDER BY id LIMIT 1)",
            "status = 'REJECTED', external_id_hash = NULL, hash_until = NULL",
            "status = 'WAITING', external_id_hash = NULL, hash_until = NULL, decided_at = NULL,"
            " checker_id = NULL",
        ],
    )
    def test_what_was_decided(self, done, change):
        make_staff("support")
        found = find(f"UPDATE accounts_erasure SET {change} WHERE id = %s", done.pk)
        assert ("erasures", "accounts_erasure", str(done.pk)) in found

    def test_an_erasure_that_is_gone_or_of_nobodys_asking(self, done):
        found = find("DELETE FROM accounts_erasure WHERE id = %s", done.pk)
        assert ("erasures", "accounts_erasure", str(done.pk)) in found
        assert ("erasures", "accounts_user", str(done.user_id)) in found
        id = new_id()
        found = find(
            "INSERT INTO accounts_erasure (id, user_id, maker_id, reason, status) VALUES (%s, %s, %s, 'x',"
            " 'WAITING')",
            id,
            UserFactory().pk,
            done.maker_id,
        )
        assert ("erasures", "accounts_erasure", str(id)) in found

    def test_a_user_who_was_put_back(self, done):
        for changes in ("name = 'Ivan'", "external_id = 'crm'", "erased_at = NULL", "created_as = '{}'"):
            found = find(f"UPDATE accounts_user SET {changes} WHERE id = %s", done.user_id)
            assert ("users", "accounts_user", str(done.user_id)) in found

    def test_a_text_that_was_erased_without_a_person(self, done):
        text = Text.objects.filter(owner=UserFactory().pk).first()
        found = find("UPDATE events_text SET content = NULL WHERE id = %s", text.id)
        assert ("erasures", "events_text", str(text.id)) in found

    def test_a_text_that_named_the_person_is_no_finding(self):
        ivan = UserFactory(name=NAME)
        member = make_staff("operations")
        erasing.reject(
            id=erasing.ask(user_id=UserFactory().pk, reason=f"as {NAME}", caller=call(member)).pk,
            caller=call(member),
            reason=f"not {NAME}",
        )
        forget(ivan)
        assert not Text.objects.filter(content__icontains="Konstantinov")
        assert prove().findings == []

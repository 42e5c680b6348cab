"""Many transactions taken back at once: one reason, one approval, one list, and each with its own answer."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import IdempotencyKeyReused
from accounts.models import Account
from ledger.text import TextHasControlCharacter
from tests import asking
from tests.cast import AccountFactory, deposit, new_id, transfer, withdraw
from tests.database import execute
from tests.tampering.hands import guards_off
from tests.transactions.conftest import require_clean
from tests.transactions.correcting import (
    DECLINED,
    POSTED,
    REJECTED,
    WAITING,
    approve,
    balance,
    reject,
    reverse,
    reverse_all,
)
from tests.transactions.test_concurrency import require_sound
from transactions import corrections
from transactions.errors import (
    CorrectionDecided,
    ListTooLarge,
    NotReversible,
    SameApprover,
    TransactionNotFound,
)
from transactions.models import Batch, Correction, Transaction, derive_item_id
from transactions.proof import audit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits")]


@pytest.fixture
def other(db):
    return AccountFactory()


def find_reversals(rows):
    return list(Transaction.objects.filter(reverses__in=[row.id for row in rows]))


def test_a_small_list_is_posted_at_once_as_one_batch(account, other, maker):
    rows = [deposit(account, "10"), deposit(account, "20"), deposit(other, "30")]
    made = reverse_all(rows, maker)
    batch = made[0].batch
    assert [each.status for each in made] == [POSTED] * 3
    assert [each.id for each in made] == [derive_item_id(batch, place) for place in range(3)]
    assert Batch.objects.get(id=batch).atomic is False
    reversals = find_reversals(rows)
    assert {row.id for row in reversals} == {each.id for each in made}
    assert {(row.batch, row.actor, row.metadata["reason"]) for row in reversals} == {
        (batch, maker.id, "a file sent twice")
    }
    assert (balance(account), balance(other)) == (0, 0)
    require_sound(account)
    require_clean()


def test_the_sum_counts_for_the_limit_and_a_second_person_approves_once(account, maker, checker):
    rows = [deposit(account, "40") for _ in range(3)]
    made = reverse_all(rows, maker)
    assert [(each.status, each.needs_approval) for each in made] == [(WAITING, True)] * 3
    assert balance(account) == 120
    with pytest.raises(SameApprover):
        approve(made[1], maker)
    assert balance(account) == 120
    approve(made[1], checker)  # whichever of them is named
    found = corrections.find_batch(made[0].batch)
    assert [(each.status, each.checker_id) for each in found] == [(POSTED, checker.id)] * 3
    assert len({each.decided_at for each in found}) == 1
    assert balance(account) == 0
    for decide in (approve, reject):
        with pytest.raises(CorrectionDecided):
            decide(made[0], checker)
    require_clean()


def test_what_was_posted_alone_today_counts_too(account, maker):
    first, second = deposit(account, "60"), deposit(account, "41")
    assert reverse(first, maker).status == POSTED
    assert reverse_all([second], maker)[0].status == WAITING


def test_every_currency_has_its_own_sum(account, maker):
    euros = AccountFactory(currency="EUR")
    rows = [deposit(account, "60"), deposit(euros, "60")]
    assert {each.status for each in reverse_all(rows, maker)} == {WAITING}  # no limit is set for euros
    assert {each.status for each in reverse_all(rows[:1], maker)} == {POSTED}


def test_what_is_declined_is_declined_alone_and_says_why(account, other, maker):
    rows = [deposit(account, "10"), deposit(other, "20"), deposit(account, "5")]
    withdraw(other, "20")
    made = reverse_all(rows, maker)
    assert [each.status for each in made] == [POSTED, DECLINED, POSTED]
    declined = corrections.find_decline(made[1])
    assert (declined.id, declined.decline_reason) == (made[1].id, "insufficient_funds")
    assert (balance(account), balance(other)) == (0, 0)
    stored = Correction.objects.filter(batch=made[0].batch).order_by("place")
    assert [each.status for each in stored] == [POSTED, DECLINED, POSTED]
    require_clean()


def test_what_was_taken_back_meanwhile_is_declined(account, maker, checker):
    rows = [deposit(account, "80"), deposit(account, "30")]
    made = reverse_all(rows, maker)
    reverse(rows[0], checker, "50")
    approve(made[0], checker)
    found = corrections.find_batch(made[0].batch)
    assert [(each.status, each.amount) for each in found] == [(DECLINED, 80), (POSTED, 30)]
    assert balance(account) == 30
    again = reverse_all([rows[1]], maker)
    assert corrections.find_decline(again[0]).decline_reason == "already_reversed"
    require_clean()


def test_only_what_is_left_is_taken_back(account, maker):
    row = deposit(account, "50")
    reverse(row, maker, "20")
    [made] = reverse_all([row], maker)
    assert (made.amount, made.status, balance(account)) == (30, POSTED, 0)


def test_both_legs_of_a_transfer_are_one(account, other, maker):
    deposit(account, "20")
    withdrawal = transfer(account, other, "20")
    legs = Transaction.objects.filter(transfer=withdrawal.id)
    [made] = reverse_all([*legs, *legs], maker)
    assert (made.status, balance(account), balance(other)) == (POSTED, 20, 0)
    require_clean()


def test_rejected_it_is_rejected_as_a_whole(account, maker, checker):
    made = reverse_all([deposit(account, "70"), deposit(account, "70")], maker)
    reject(made[0], checker, "not these")
    found = Correction.objects.filter(batch=made[0].batch)
    assert {(each.status, each.decision_reason) for each in found} == {(REJECTED, "not these")}
    assert balance(account) == 140
    require_clean()


def test_sent_again_it_is_answered_as_it_is(account, maker, checker):
    rows, id = [deposit(account, "10"), deposit(account, "20")], new_id()
    first = reverse_all(rows, maker, id=id)
    again = reverse_all(rows, maker, id=id)
    assert [(each.id, each.status, each.amount) for each in again] == [
        (each.id, each.status, each.amount) for each in first
    ]
    assert (Transaction.objects.filter(reverses__isnull=False).count(), balance(account)) == (2, 0)
    for who, asked, why in (
        (maker, rows[:1], "a file sent twice"),
        (maker, rows[::-1], "a file sent twice"),
        (maker, rows, "another reason"),
        (checker, rows, "a file sent twice"),
    ):
        with pytest.raises(IdempotencyKeyReused):
            reverse_all(asked, who, id=id, reason=why)
    assert Correction.objects.count() == 2


def test_what_cannot_be_taken_back_refuses_all_of_it(account, maker):
    row, declined = deposit(account, "10"), withdraw(account, "99")
    reversal = Transaction.objects.get(reverses=deposit_and_reverse(account, maker).id)
    for bad, error in (
        (declined, NotReversible),
        (reversal, NotReversible),
        (Correction(id=new_id()), TransactionNotFound),
    ):
        with pytest.raises(error):
            reverse_all([row, bad], maker)
    with pytest.raises(ListTooLarge):
        reverse_all([], maker)
    with pytest.raises(TextHasControlCharacter):
        reverse_all([row], maker, reason="a\u202eb")
    assert balance(account) == 10
    assert Correction.objects.count() == 1


def deposit_and_reverse(account, maker):
    row = deposit(account, "1")
    reverse(row, maker)
    return row


def test_a_frozen_and_a_closed_account_decline_theirs(account, other, maker):
    rows = [deposit(account, "10"), deposit(other, "20"), withdraw(other, "20")]
    for each, status in ((account, Account.Status.FROZEN), (other, Account.Status.CLOSED)):
        asking.set_status(id=each.id, status=status, reason="test", request_id="test")
    made = reverse_all(rows, maker)
    assert [corrections.find_decline(each).decline_reason for each in made] == [
        "account_frozen",
        "account_closed",
        "account_closed",
    ]


def test_a_thousand_rows_are_one_list_whose_queries_are_few_but_for_the_record(maker, checker):
    accounts = [AccountFactory() for _ in range(10)]
    rows = [deposit(accounts[number % 10], "1") for number in range(1000)]
    with pytest.raises(ListTooLarge):
        reverse_all([*rows, deposit(accounts[0], "1")], maker)
    with CaptureQueriesContext(connection) as asked:
        made = reverse_all(rows, maker)
    assert {each.status for each in made} == {WAITING}
    with CaptureQueriesContext(connection) as approved:
        approve(made[0], checker)
    for queries in (asked, approved):
        others = [each for each in queries if "events_record" not in each["sql"]]
        assert len(others) < 40, [each["sql"][:80] for each in others]
    assert {each.status for each in corrections.find_batch(made[0].batch)} == {POSTED}
    assert sum((balance(each) for each in accounts), Decimal(0)) == 1
    require_clean()


def test_a_list_that_lost_one_is_found(account, maker):
    """Behind the ledger's back: its entry in the record, and the size of the list, tell of it."""
    made = reverse_all([deposit(account, "5"), deposit(account, "6")], maker)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with guards_off("transactions_correction"):
        execute("DELETE FROM transactions_correction WHERE id = %s", made[1].id)
    findings = audit.run(audit.Scope())[0].findings
    assert any("a batch of as many as it has" in str(finding) for finding in findings)

"""What staff put right: posted once, and above a limit by two people."""

from datetime import timedelta

import pytest
from django.db.transaction import atomic

from accounts.errors import (
    AccountNotFound,
    AmountNotPositive,
    AmountScale,
    AmountTooLarge,
    IdempotencyKeyReused,
)
from accounts.models import Account
from tests import asking
from tests.cast import AccountFactory, deposit, new_id, transfer, withdraw
from tests.office.staff import make_staff
from tests.transactions.correcting import (
    DECLINED,
    DEPOSIT,
    POSTED,
    REJECTED,
    WAITING,
    WITHDRAW,
    adjust,
    approve,
    balance,
    reject,
    reverse,
    status,
)
from tests.transactions.test_concurrency import require_sound
from transactions.corrections import deciding
from transactions.errors import (
    CorrectionDecided,
    NotReversible,
    SameApprover,
    TransactionNotFound,
)
from transactions.models import Correction, Transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits")]


# One person


def test_a_small_one_is_posted_at_once_under_its_own_id_and_in_its_makers_name(account, maker):
    made = adjust(account, maker, "100")
    assert (made.status, made.needs_approval, made.checker_id) == (POSTED, False, None)
    row = Transaction.objects.get(id=made.id)
    assert (row.amount, row.type, row.reference, row.actor) == (100, DEPOSIT, "ticket 7", maker.id)
    assert row.metadata == {"reason": "a lost deposit"}
    assert Correction.objects.get(id=made.id).decided_at is not None
    require_sound(account)


def test_a_withdrawal_that_the_account_has_no_money_for_is_declined_for_good(account, maker):
    made = adjust(account, maker, "5", type=WITHDRAW)
    assert (made.status, balance(account)) == (DECLINED, 0)
    deposit(account, "5")
    assert adjust(account, maker, "5", type=WITHDRAW, id=made.id).status == DECLINED
    assert balance(account) == 5


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [("0", AmountNotPositive), ("-1", AmountNotPositive), ("1.001", AmountScale), ("1e13", AmountTooLarge)],
)
def test_an_amount_that_cannot_be_is_refused(account, maker, amount, refusal):
    with pytest.raises(refusal):
        adjust(account, maker, amount)
    assert not Correction.objects.exists()


def test_an_unknown_account_is_refused(maker):
    with pytest.raises(AccountNotFound):
        adjust(Account(id=new_id()), maker)


# The limit


def test_what_exceeds_the_limit_waits(account, maker):
    made = adjust(account, maker, "100.01")
    assert (made.status, made.needs_approval, balance(account)) == (WAITING, True, 0)
    assert not Transaction.objects.exists()


def test_small_ones_add_up_to_the_limit_in_both_directions_and_over_all_accounts(account, maker):
    other = AccountFactory()
    assert adjust(account, maker, "60").status == POSTED
    assert adjust(account, maker, "30", type=WITHDRAW).status == POSTED
    assert adjust(other, maker, "10.01").status == WAITING
    assert adjust(other, maker, "10").status == POSTED
    assert adjust(other, maker, "0.01").status == WAITING


def test_reversals_count_too(account, maker):
    row, small = deposit(account, "100"), deposit(account, "1")
    assert reverse(row, maker).status == POSTED
    assert reverse(small, maker).status == WAITING


def test_what_was_declined_approved_or_of_somebody_else_does_not_count(account, maker, checker):
    assert adjust(account, maker, "100", type=WITHDRAW).status == DECLINED
    approve(adjust(account, maker, "5000"), checker)
    assert adjust(account, checker, "100").status == POSTED
    assert adjust(account, maker, "100").status == POSTED


def test_every_currency_has_its_own_limit_and_without_one_everything_waits(account, maker):
    assert adjust(account, maker, "100").status == POSTED
    assert adjust(AccountFactory(currency="JPY"), maker, "1000").status == POSTED
    assert adjust(AccountFactory(currency="EUR"), maker, "0.01").status == WAITING


def test_after_a_day_the_limit_is_whole_again(account, maker, monkeypatch):
    assert adjust(account, maker, "100").status == POSTED
    assert adjust(account, maker, "1").status == WAITING
    monkeypatch.setattr(deciding, "UNAPPROVED_WITHIN", timedelta(0))
    assert adjust(account, maker, "100").status == POSTED


# Two people


def test_somebody_else_approves_and_it_is_posted(account, maker, checker):
    made = adjust(account, maker, "500")
    done = approve(made, checker)
    assert (done.status, done.checker_id, balance(account)) == (POSTED, checker.id, 500)
    row = Transaction.objects.get(id=made.id)
    assert (row.actor, row.request_id) == (maker.id, "approval")
    require_sound(account)


def test_nobody_approves_what_they_asked_for_not_even_a_superuser(account):
    admin = make_staff(superuser=True)
    made = adjust(account, admin, "500")
    with pytest.raises(SameApprover):
        approve(made, admin)
    assert (status(made), balance(account)) == (WAITING, 0)


def test_a_maker_may_take_it_back_and_anybody_else_reject_it(account, maker, checker):
    for by in (maker, checker):
        made = adjust(account, maker, "500")
        done = reject(made, by, "not so")
        assert (done.status, done.checker_id, done.decision_reason) == (REJECTED, by.id, "not so")
    assert not Transaction.objects.exists()


@pytest.mark.parametrize("decide", [approve, reject])
@pytest.mark.parametrize("first", [approve, reject])
def test_what_was_decided_is_decided_once(account, maker, checker, first, decide):
    made = adjust(account, maker, "500")
    first(made, checker)
    before = status(made)
    with pytest.raises(CorrectionDecided):
        decide(made, make_staff("operations"))
    assert (status(made), Transaction.objects.count()) == (before, first is approve)


@pytest.mark.parametrize(
    ("rule", "type", "money"), [(asking.freeze, WITHDRAW, 500), (asking.close, DEPOSIT, 0)]
)
def test_an_account_that_was_frozen_or_closed_meanwhile_declines_it(
    account, maker, checker, rule, type, money
):
    if money:
        deposit(account, money)
    made = adjust(account, maker, "500", type=type)
    rule(id=account.id, reason="x", request_id="x")
    assert approve(made, checker).status == DECLINED
    assert balance(account) == money
    with pytest.raises(CorrectionDecided):
        approve(made, checker)


def test_what_failed_before_its_commit_waits_as_before(account, maker, checker):
    made = adjust(account, maker, "500")
    with pytest.raises(ConnectionError), atomic():
        approve(made, checker)
        raise ConnectionError
    assert (status(made), balance(account)) == (WAITING, 0)
    assert approve(made, checker).status == POSTED


# Once


def test_the_same_form_sent_twice_is_posted_once(account, maker):
    first = adjust(account, maker, "10")
    again = adjust(account, maker, "10.00", id=first.id)
    assert (again.id, again.status, balance(account)) == (first.id, POSTED, 10)
    assert Correction.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"amount": "11"}, {"type": WITHDRAW}, {"reason": "y"}, {"reference": "y"}, "account", "maker"]
)
def test_the_same_form_with_other_contents_is_refused(account, maker, checker, other):
    first = adjust(account, maker)
    with pytest.raises(IdempotencyKeyReused):
        adjust(
            AccountFactory() if other == "account" else account,
            checker if other == "maker" else maker,
            **(other if isinstance(other, dict) else {}),
            id=first.id,
        )
    assert (Correction.objects.count(), balance(account)) == (1, 10)


def test_an_id_that_the_api_has_used_is_refused_and_nothing_stays(account, maker, checker):
    row = deposit(account, "3")
    with pytest.raises(IdempotencyKeyReused):
        adjust(account, maker, id=row.id)
    assert not Correction.objects.exists()
    waiting = adjust(account, maker, "500", id=row.id)
    with pytest.raises(IdempotencyKeyReused):
        approve(waiting, checker)
    assert (status(waiting), balance(account)) == (WAITING, 3)


# Reversals


def test_a_reversal_takes_the_transaction_back(account, maker):
    row = deposit(account, "50")
    done = reverse(row, maker)
    assert (done.status, done.type, done.amount, balance(account)) == (POSTED, WITHDRAW, 50, 0)
    assert Transaction.objects.get(id=done.id).reverses == row.id
    assert reverse(row, maker, id=done.id).status == POSTED
    assert Transaction.objects.count() == 2


@pytest.mark.parametrize("amount", ["40", "400"])
@pytest.mark.parametrize("leg", [0, 1])
def test_of_a_transfer_both_legs_are_taken_back_whichever_was_named(account, maker, checker, amount, leg):
    other = AccountFactory()
    deposit(account, "500")
    legs = Transaction.objects.filter(transfer=transfer(account, other, amount).id).order_by("-type")
    asked = reverse(legs[leg], maker)
    if amount == "400":
        assert (asked.status, balance(other)) == (WAITING, 400)
        asked = approve(asked, checker)
    assert (asked.status, asked.account_id) == (POSTED, legs[leg].account_id)
    assert (balance(account), balance(other)) == (500, 0)
    assert Transaction.objects.filter(transfer=asked.id).count() == 2


def test_what_was_reversed_meanwhile_is_declined(account, maker, checker):
    row = deposit(account, "500")
    deposit(account, "500")
    first, second = reverse(row, maker), reverse(row, maker)
    assert approve(first, checker).status == POSTED
    assert approve(second, checker).status == DECLINED
    assert balance(account) == 500


def test_a_reversal_of_money_that_is_gone_is_declined(account, maker, checker):
    row = deposit(account, "500")
    waiting = reverse(row, maker)
    withdraw(account, "1")
    assert approve(waiting, checker).status == DECLINED
    assert balance(account) == 499


def test_a_reversal_a_declined_one_and_an_unknown_one_cannot_be_reversed(account, maker):
    done = reverse(deposit(account, "5"), maker)
    for row in (done, withdraw(account, "999")):
        with pytest.raises(NotReversible):
            reverse(row, maker)
    with pytest.raises(TransactionNotFound):
        reverse(Transaction(id=new_id()), maker)
    assert Correction.objects.count() == 1

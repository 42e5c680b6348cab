"""Claims that staff open and waive: by one person, and above a limit by two."""

from decimal import Decimal

import pytest

from accounts.errors import AccountNotFound, AmountScale, ClaimNotFound, ClaimNotOpen, IdempotencyKeyReused
from accounts.models import Account, Claim
from tests import asking, claims
from tests.cast import AccountFactory, deposit, new_id, transfer, withdraw
from tests.claims import figures, list_collections
from tests.transactions.correcting import (
    DECLINED,
    POSTED,
    REJECTED,
    WAITING,
    adjust,
    approve,
    claim,
    claim_back,
    reject,
    reverse,
    status,
    waive,
)
from tests.transactions.test_record_is_proven import find
from transactions import corrections
from transactions.errors import CurrencyMismatch, NotClaimable, SameAccount, SameApprover
from transactions.models import Correction, Transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits")]


@pytest.fixture
def rich():
    return AccountFactory(funds="30")


# Opening one


def test_a_small_one_is_opened_at_once_and_collects_what_is_there(rich, maker):
    payee = AccountFactory()
    made = claim(rich, maker, "50", destination=payee)
    assert (made.status, made.needs_approval) == (POSTED, False)
    opened = Claim.objects.get(id=made.id)
    assert (opened.amount, opened.collected, opened.status) == (50, 30, "OPEN")
    assert (opened.reason, opened.reference, opened.actor) == ("a chargeback", "ticket 7", maker.id)
    assert (figures(rich), figures(payee)) == ((0, 0, 20), (30, 0, 0))
    deposit(rich, "25")
    assert (figures(rich), figures(payee)) == ((5, 0, 0), (50, 0, 0))
    assert find("SELECT 1") == set()


def test_a_big_one_waits_for_somebody_else(rich, maker, checker):
    made = claim(rich, maker, "100.01")
    assert (made.status, figures(rich)) == (WAITING, (30, 0, 0))
    assert not Claim.objects.exists()
    with pytest.raises(SameApprover):
        approve(made, maker)
    assert approve(made, checker).status == POSTED
    assert str(figures(rich)[2]) == "70.01000000"
    assert list_collections(made) == [(rich.id, 30)]


def test_one_that_is_rejected_claims_nothing(rich, maker, checker):
    made = claim(rich, maker, "500")
    reject(made, checker)
    assert (status(made), figures(rich)) == (REJECTED, (30, 0, 0))


def test_small_claims_waivers_and_adjustments_add_up_to_one_limit(rich, maker):
    opened = claim(rich, maker, "60")
    assert waive(opened, maker).status == POSTED  # the 30 that were left
    assert adjust(rich, maker, "10").status == POSTED
    assert claim(rich, maker, "0.01").status == WAITING


def test_a_claim_on_a_closed_account_is_declined_for_good(account, maker, checker):
    made = claim(account, maker, "500")
    asking.close(id=account.id, reason="left", request_id="")
    made = approve(made, checker)
    assert made.status == DECLINED
    assert corrections.find_decline(made).decline_reason == "account_closed"
    assert Claim.objects.get(id=made.id).status == "DECLINED"


@pytest.mark.parametrize("kind", ["nobody", "itself", "euros", "scale"])
def test_what_cannot_be_claimed_is_refused_before_anybody_is_asked(rich, maker, kind):
    amount, destination, refusal = {
        "nobody": ("5", Account(id=new_id()), AccountNotFound),
        "itself": ("5", rich, SameAccount),
        "euros": ("5", AccountFactory(currency="EUR"), CurrencyMismatch),
        "scale": ("0.001", None, AmountScale),
    }[kind]
    with pytest.raises(refusal) as refused:
        claim(rich, maker, amount, destination=destination)
    assert refused.value.field == ("amount" if kind == "scale" else "destination")
    with pytest.raises(AccountNotFound):
        claim(Account(id=new_id()), maker)
    assert not Correction.objects.exists()


def test_the_same_form_twice_is_one_claim_and_another_one_under_its_id_is_refused(rich, maker):
    made = claim(rich, maker, "20")
    assert claim(rich, maker, "20", id=made.id) == made
    with pytest.raises(IdempotencyKeyReused) as refused:
        claim(rich, maker, "20", id=made.id, destination=AccountFactory())
    assert refused.value.extensions["differs"] == ["destination"]
    assert Claim.objects.count() == 1


# Taking back what is not there any more


def test_what_is_not_there_any_more_of_a_transfer_is_owed_to_its_source(rich, account, maker):
    moved = transfer(rich, account, "30")
    withdraw(account, "25")
    assert reverse(moved, maker).status == DECLINED
    for leg in Transaction.objects.filter(transfer=moved.id):
        made = claim_back(leg, maker, "10")
        assert (made.status, made.account_id, made.reverses) == (POSTED, account.id, moved.id)
    assert (figures(account), figures(rich)) == ((0, 0, 15), (5, 0, 0))
    third = claim_back(moved, maker, "10.01")
    assert (third.status, corrections.find_decline(third).decline_reason) == (DECLINED, "reversal_too_large")
    assert find("SELECT 1") == set()


def test_one_that_waits_is_told_on_both_legs_and_has_the_amount_that_was_asked_for(account, maker, checker):
    source = AccountFactory(funds="500")
    moved = transfer(source, account, "500")
    made = claim_back(moved, maker)
    for leg in Transaction.objects.filter(transfer=moved.id):
        assert list(corrections.find_waiting_reversals(leg)) == [made]
    claim_back(moved, checker, "1")
    assert approve(made, checker).status == DECLINED


def test_what_cannot_be_owed_is_refused(rich, account, maker):
    with pytest.raises(NotClaimable):
        claim_back(withdraw(rich, "5"), maker)
    euros = AccountFactory(currency="EUR")
    moved = transfer(rich, euros, "5", destination_amount=Decimal(4))
    with pytest.raises(NotClaimable):
        claim_back(moved, maker)
    assert not Correction.objects.exists()


# Waiving


def test_a_small_rest_is_waived_by_one_and_a_big_one_by_two(rich, maker, checker):
    small, big = claims.claim(rich, "50"), claims.claim(rich, "500")
    assert (waive(small, maker).status, figures(rich)) == (POSTED, (0, 0, 500))
    made = waive(big, maker)
    assert (made.status, made.amount, made.type) == (WAITING, 500, "")
    with pytest.raises(SameApprover):
        approve(made, maker)
    deposit(rich, "200")
    assert approve(made, checker).status == POSTED
    waived = Claim.objects.get(id=big.id)
    assert (waived.status, waived.collected, waived.waived_reason) == ("WAIVED", 200, "paid in cash")
    assert figures(rich) == (0, 0, 0)
    assert find("SELECT 1") == set()


def test_what_was_collected_or_waived_meanwhile_is_waived_no_more(account, maker, checker):
    paid, gone = claims.claim(account, "500"), claims.claim(account, "600")
    waiting = [waive(paid, maker), waive(gone, maker)]
    deposit(account, "500")
    claims.waive(gone, reason="another reason")
    for made in waiting:
        with pytest.raises(ClaimNotOpen):
            approve(made, checker)
        assert status(made) == WAITING
        reject(made, checker)
    with pytest.raises(ClaimNotOpen):
        waive(gone, maker)
    with pytest.raises(ClaimNotFound):
        waive(Claim(id=new_id()), maker)
    assert find("SELECT 1") == set()


def test_the_same_waiver_twice_is_one(account, maker):
    opened = claims.claim(account, "40")
    made = waive(opened, maker)
    assert waive(opened, maker, id=made.id) == made
    with pytest.raises(IdempotencyKeyReused):
        waive(opened, maker, id=made.id, reason="another")
    assert Correction.objects.count() == 1


# And all of it is proven

OF_CLAIMS = {
    "id": "id = gen_random_uuid()",
    "account_id": "account_id = OTHER",
    "amount": "amount = amount + 1",
    "reference": "reference = 'y'",
    "reason": "reason = 'y'",
    "reverses": "reverses = gen_random_uuid(), destination = NULL, claim = NULL, kind = 'CLAIM',"
    " type = 'WITHDRAW'",
    "claim": "claim = gen_random_uuid(), destination = NULL, reverses = NULL, kind = 'WAIVER', type = ''",
    "destination": "destination = OTHER, reverses = NULL, claim = NULL, kind = 'CLAIM', type = 'WITHDRAW'",
    "status": "status = CASE status WHEN 'POSTED' THEN 'DECLINED' ELSE 'POSTED' END, checker_id ="
    " coalesce(checker_id, maker_id), needs_approval = FALSE, decided_at = coalesce(decided_at, now())",
}


@pytest.fixture
def made(rich, account, maker, checker):
    owed = claims.claim(account, "50")
    closed = AccountFactory()
    opened = {
        "claim": claim(rich, maker, "40", destination=AccountFactory()),
        "waiting claim": claim(rich, maker, "4000"),
        "claim that takes back": claim_back(deposit(AccountFactory(), "5"), maker),
        "declined claim": claim(closed, maker, "5000"),
        "waiver": waive(owed, maker),
        "approved waiver": waive(claims.claim(account, "7000"), maker),
    }
    waiting = waive(claims.claim(account, "6000"), maker)
    asking.close(id=closed.id, reason="left", request_id="")
    approve(opened["declined claim"], checker)
    approve(opened["approved waiver"], checker)
    assert find("SELECT 1") == set()
    return opened | {"waiting waiver": waiting}


@pytest.mark.parametrize("column", OF_CLAIMS)
def test_every_column_is_proven_of_claims_and_waivers(made, column):
    other = AccountFactory()
    for name, correction in made.items():
        change = OF_CLAIMS[column].replace("OTHER", f"'{other.id}'")
        found = find(f"UPDATE transactions_correction SET {change} WHERE id = %s", correction.id)
        assert {table for table, _ in found} == {"transactions_correction"}, (name, found)


def test_a_correction_that_has_opened_no_claim_is_found(made):
    for name in ("claim", "declined claim"):
        found = find("DELETE FROM accounts_claim WHERE id = %s", made[name].id)
        assert ("transactions_correction", str(made[name].id)) in found, name


def test_a_waiver_whose_claim_was_not_waived_is_found(made):
    found = find("UPDATE accounts_claim SET waived_reason = 'y' WHERE id = %s", made["waiver"].claim)
    assert ("transactions_correction", str(made["waiver"].id)) in found

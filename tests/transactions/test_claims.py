"""Claims: what is owed is collected, the oldest first, of what is free, and of nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.errors import AccountOwes, ClaimNotOpen, IdempotencyKeyReused
from accounts.models import CLAIMS_MAX, Claim
from tests import asking
from tests.cast import AccountFactory, deposit, hold, hold_that_expires, withdraw
from tests.claims import claim, figures, list_collections, make_claim, read, waive
from tests.transactions.conftest import require_clean
from tests.transactions.told import read_events
from transactions import posting
from transactions.models import Transaction, derive_destination_id

pytestmark = pytest.mark.django_db
OPEN, COLLECTED, WAIVED, DECLINED = Claim.Status


def test_what_is_there_is_taken_at_once_and_the_rest_is_owed(rich):
    owed = claim(rich, "130", reference="case 7")
    assert (owed.status, owed.collected, owed.remaining) == (OPEN, Decimal(100), Decimal(30))
    assert figures(rich) == (0, 0, 30)
    [row] = Transaction.objects.filter(claim=owed.id)
    assert (row.type, row.amount, row.reference) == ("WITHDRAW", Decimal(100), "case 7")
    assert row.metadata == {"reason": "chargeback 7"}
    assert (row.actor_kind, row.actor) == ("ledger", owed.id)
    assert row.effective_at == row.recorded_at
    require_clean()


def test_a_claim_that_is_covered_is_collected_at_once(rich):
    owed = claim(rich, "100")
    assert (owed.status, owed.remaining, owed.closed_at) == (COLLECTED, 0, read(owed).closed_at)
    assert owed.closed_at == Transaction.objects.get(claim=owed.id).recorded_at
    assert figures(rich) == (0, 0, 0)
    require_clean()


def test_of_money_that_comes_in_what_is_owed_is_taken_first(account):
    owed = claim(account, "30")
    row = deposit(account, "20")
    assert row.balance_after == 20
    assert figures(account) == (0, 0, 10)
    deposit(account, "20")
    assert figures(account) == (10, 0, 0)
    assert list_collections(owed) == [(account.id, 20), (account.id, 10)]
    assert read(owed).status == COLLECTED
    assert [event.type for event in read_events(stream=account.id)][1:] == [
        "claim.opened",
        *("transaction.posted", "transaction.posted", "claim.collected") * 2,
    ]
    require_clean()


def test_the_oldest_claim_is_collected_first(account):
    first, second = claim(account, "30"), claim(account, "30")
    deposit(account, "40")
    assert [read(each).collected for each in (first, second)] == [30, 10]
    require_clean()


def test_held_money_is_not_taken_until_it_is_given_back(rich):
    placed = hold(rich, "80")
    owed = claim(rich, "50")
    assert figures(rich) == (80, 80, 30)
    asking.ask(asking.capture_of(placed, Decimal(60)))  # and the rest is given back
    assert figures(rich) == (0, 0, 10)
    assert read(owed).collected == 40
    require_clean()


def test_what_a_release_frees_is_taken(rich):
    placed = hold(rich, "100")
    claim(rich, "30")
    asking.release_hold(id=placed.id)
    assert figures(rich) == (70, 0, 0)
    row = Transaction.objects.get(claim__isnull=False)
    assert (row.actor_kind, row.actor) == ("ledger", placed.id)
    require_clean()


@pytest.mark.parametrize("how", ["by the relay", "by a command on the account"])
def test_what_an_expiry_frees_is_taken(rich, how):
    claimed = hold_that_expires(rich, "100") and claim(rich, "30")
    if how == "by a command on the account":
        assert figures(rich) == (70, 0, 0)  # opening it has ended the hold first
        return
    assert claimed.status == COLLECTED


def test_the_relay_collects_what_it_frees(rich):
    placed = hold(rich, "100", expires_at=datetime.now(UTC) + timedelta(seconds=1))
    owed = claim(rich, "30")
    assert figures(rich) == (100, 100, 30)
    while datetime.now(UTC) <= placed.expires_at + timedelta(milliseconds=50):
        pass
    assert posting.expire_some() == 1
    assert figures(rich) == (70, 0, 0)
    assert Transaction.objects.get(claim=owed.id).actor == owed.id  # nobody has asked for it
    require_clean()


def test_credit_is_never_taken(account):
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(100)}, request_id="")
    owed = claim(account, "30")
    assert figures(account) == (0, 0, 30)
    withdraw(account, "50")
    deposit(account, "60")
    assert figures(account) == (0, 0, 20)
    assert read(owed).collected == 10
    require_clean()


def test_a_frozen_account_and_limits_of_withdrawals_do_not_keep_it(account):
    limits = {"withdraw_max": Decimal(1), "withdraw_day_max": Decimal(5)}
    asking.set_limits(id=account.id, limits=limits, request_id="")
    asking.freeze(id=account.id, reason="fraud", request_id="")
    claim(account, "30")
    deposit(account, "40")
    assert figures(account) == (10, 0, 0)
    account.refresh_from_db()
    assert (account.withdrawn, account.withdrawn_on) == (0, None)
    asking.unfreeze(id=account.id, reason="none", request_id="")
    assert withdraw(account, "1").status == Transaction.Status.POSTED
    require_clean()


def test_a_collection_is_a_transfer_to_the_account_that_is_paid(account):
    payee = AccountFactory()
    owed = claim(account, "30", destination=payee)
    deposit(account, "20")
    assert (figures(account), figures(payee)) == ((0, 0, 10), (20, 0, 0))
    out, into = Transaction.objects.filter(claim=owed.id).order_by("-type")
    assert (out.account_id, into.account_id) == (account.id, payee.id)
    assert out.transfer == into.transfer == out.id
    assert into.id == derive_destination_id(out.id)
    assert out.recorded_at == into.recorded_at
    require_clean()


def test_who_is_paid_may_owe_too(account):
    second, third = AccountFactory(), AccountFactory()
    claim(second, "15", destination=third)
    claim(account, "20", destination=second)
    deposit(account, "50")
    assert [figures(each) for each in (account, second, third)] == [(30, 0, 0), (5, 0, 0), (15, 0, 0)]
    require_clean()


def test_what_accounts_owe_each_other_goes_round_until_one_of_them_owes_nothing(account):
    other = AccountFactory()
    first, second = claim(account, "30", destination=other), claim(other, "50", destination=account)
    deposit(account, "7")
    assert (figures(account), figures(other)) == ((7, 0, 0), (0, 0, 20))
    assert [len(list_collections(each)) for each in (first, second)] == [5, 5]
    require_clean()


def test_what_goes_round_comes_to_rest(account):
    other = AccountFactory()
    first = claim(account, "1000000", destination=other)
    second = claim(other, "1000000", destination=account)
    deposit(account, "0.01")
    assert [len(list_collections(each)) for each in (first, second)] == [50, 50]
    require_clean()


def test_a_closed_payee_is_not_paid_and_the_next_claim_is_tried(account):
    closed = AccountFactory()
    first, second = claim(account, "30", destination=closed), claim(account, "10")
    asking.close(id=closed.id, reason="left", request_id="")
    deposit(account, "25")
    assert figures(account) == (15, 0, 30)
    assert [read(each).status for each in (first, second)] == [OPEN, COLLECTED]
    assert withdraw(account, "15").status == Transaction.Status.POSTED
    require_clean()


def test_a_waived_claim_asks_for_nothing_more(rich):
    owed = claim(rich, "130")
    waived = waive(owed)
    assert (waived.status, waived.collected, waived.remaining) == (WAIVED, Decimal(100), 0)
    assert waived.waived_reason == "paid in cash"
    assert waive(owed, "again").waived_reason == "paid in cash"
    deposit(rich, "5")
    assert figures(rich) == (5, 0, 0)
    assert read_events(stream=rich.id)[-2].type == "claim.waived"
    require_clean()


def test_what_is_collected_cannot_be_waived(rich):
    owed = claim(rich, "10")
    with pytest.raises(ClaimNotOpen):
        waive(owed)


def test_an_account_that_owes_is_not_closed(account):
    owed = claim(account, "10")
    with pytest.raises(AccountOwes) as refused:
        asking.close(id=account.id, reason="left", request_id="")
    assert refused.value.extensions == {"owed": "10.00"}
    waive(owed)
    assert asking.close(id=account.id, reason="left", request_id="").status == "CLOSED"


def test_a_claim_on_a_closed_account_is_declined_for_ever(account):
    asking.close(id=account.id, reason="left", request_id="")
    command = make_claim(account, "10")
    for _ in range(2):
        made = asking.ask(command).claim
        assert (made.status, made.decline_reason) == (DECLINED, "account_closed")
    require_clean()


def test_a_claim_is_not_paid_to_a_closed_account(account):
    closed = AccountFactory()
    asking.close(id=closed.id, reason="left", request_id="")
    made = claim(account, "10", destination=closed)
    assert (made.decline_reason, made.decline_details) == ("account_closed", {"account": str(closed.id)})


def test_there_are_no_more_than_so_many_open_claims(account):
    for _ in range(CLAIMS_MAX):
        last = claim(account, "1")
    command = make_claim(account, "1")
    assert asking.ask(command).claim.decline_reason == "too_many_claims"
    waive(last)
    assert asking.ask(command).claim.status == DECLINED  # as it was decided
    assert claim(account, "1").status == OPEN
    deposit(account, "60")
    assert figures(account) == (10, 0, 0)
    require_clean()


@pytest.mark.parametrize("change", ["amount", "reason", "reference", "destination"])
def test_the_same_id_is_one_claim_for_ever(account, change):
    command = make_claim(account, "10")
    first = asking.ask(command)
    deposit(account, "4")
    again = asking.ask(command)
    assert (again.replayed, again.claim.collected) == (True, 4)
    others = {"amount": "11", "reason": "x", "reference": "x", "destination": AccountFactory()}
    other = make_claim(account, **{"amount": "10", change: others[change], "id": command.id})
    with pytest.raises(IdempotencyKeyReused) as refused:
        asking.ask(other)
    assert refused.value.extensions == {"differs": [change]}
    assert first.claim.id == again.claim.id

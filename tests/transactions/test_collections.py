"""Collections: what units bring is collected, however they are posted, and who is paid is locked too."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.errors import AccountNotFound
from accounts.models import Account, Claim
from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, deposit, new_id, transfer, withdraw
from tests.claims import claim, figures, make_claim
from tests.conftest import make_client
from tests.transactions.conftest import require_clean
from transactions import errors, posting
from transactions.models import Transaction
from transactions.posting.commands import Reversal
from transactions.reading import queries

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("of", ["the account itself", "another currency", "nobody"])
def test_a_claim_that_cannot_be_paid_is_refused(account, of):
    payees = {
        "the account itself": account,
        "another currency": AccountFactory(currency="EUR"),
        "nobody": Account(id=new_id()),
    }
    expected = {
        "the account itself": errors.SameAccount,
        "another currency": errors.CurrencyMismatch,
        "nobody": AccountNotFound,
    }
    with pytest.raises(expected[of]):
        claim(account, "10", destination=payees[of])
    assert not Claim.objects.exists()


def test_a_collection_is_not_taken_back(rich):
    owed = claim(rich, "10")
    row = Transaction.objects.get(claim=owed.id)
    with pytest.raises(errors.NotReversible):
        Reversal(id=new_id(), reason="oops", rows=[row])


def test_the_answer_to_money_in_tells_what_was_collected(account):
    first, second = claim(account, "30"), claim(account, "30")
    result = asking.ask(asking_deposit(account, "40"))
    assert [(row.claim, row.amount) for row in result.collected] == [(first.id, 30), (second.id, 10)]
    rows = queries.find_collections(result.transaction.id, [result.transaction])
    assert [row.id for row in rows] == [row.id for row in result.collected]
    assert asking.ask(asking_deposit(account, "1")).collected != ()
    assert asking.ask(asking_deposit(AccountFactory(), "1")).collected == ()


def asking_deposit(account, amount, **fields):
    from tests.cast import OrderFactory

    return OrderFactory(account=account, amount=Decimal(amount), **fields)


def test_the_end_of_a_list_with_an_id_collects(account):
    """Within it the money may go round."""
    owed = claim(account, "30")
    commands = [
        asking_deposit(account, "50"),
        asking_deposit(account, "45", type=Transaction.Type.WITHDRAW),
    ]
    batch = posting.NewBatch(id=new_id(), asked=["x"], atomic=True)
    results = asking.post(
        commands, caller=Caller(account.user_id, request_id="test"), all_or_nothing=True, batch=batch
    )
    assert [result.transaction.status for result in results] == ["POSTED", "POSTED"]
    assert figures(account) == (0, 0, 25)
    [row] = results[-1].collected
    assert (row.claim, row.amount, row.actor, row.batch) == (owed.id, 5, batch.id, batch.id)
    require_clean()


def test_without_an_id_each_command_of_a_list_collects(account):
    claim(account, "30")
    commands = [
        asking_deposit(account, "50"),
        asking_deposit(account, "45", type=Transaction.Type.WITHDRAW),
    ]
    results = asking.post(commands, caller=Caller(account.user_id, request_id="test"))
    assert [result.transaction.status for result in results] == ["POSTED", "DECLINED"]
    assert figures(account) == (20, 0, 0)
    require_clean()


def test_a_repetition_tells_all_that_was_collected_however_often_it_went_round(account):
    other = AccountFactory()
    claim(account, "300", destination=other)
    claim(other, "300", destination=account)
    admin = make_client("api-admin", "api-post")
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1"}
    first, again = (admin.post("/api/v1/transactions", body).json() for _ in range(2))
    assert len(first["collected"]) == 50
    assert again == first
    require_clean()


def test_a_repeated_capture_into_accounts_tells_once_what_was_collected(rich):
    others = [AccountFactory(), AccountFactory()]
    placed = asking.place_hold(id=new_id(), account_id=rich.id, amount=Decimal(100), actor=new_id())[0]
    claim(rich, "30")
    admin = make_client("api-admin", "api-post")
    parts = [{"destination": str(each.id), "amount": "10"} for each in others]
    body = {"id": str(new_id()), "destinations": parts}
    first, again = (admin.post(f"/api/v1/holds/{placed.id}/capture", body).json() for _ in range(2))
    assert [each["amount"] for each in first["collected"]] == ["30.00"]
    assert again == first
    require_clean()


def test_a_late_withdrawal_sees_what_was_collected(account):
    deposit(account, "50", effective_at=datetime(2024, 1, 1, tzinfo=UTC))
    claim(account, "30")
    late = withdraw(account, "30", effective_at=datetime(2024, 1, 2, tzinfo=UTC))
    assert late.decline_reason == "insufficient_funds"
    assert withdraw(account, "20", effective_at=datetime(2024, 1, 2, tzinfo=UTC)).status == "POSTED"
    require_clean()


def test_a_late_deposit_is_collected_now(account):
    owed = claim(account, "30")
    deposit(account, "50", effective_at=datetime(2024, 1, 1, tzinfo=UTC))
    row = Transaction.objects.get(claim=owed.id)
    assert row.effective_at == row.recorded_at
    assert not row.late
    assert figures(account) == (20, 0, 0)
    require_clean()


def test_a_transfer_to_who_owes_is_collected(rich):
    debtor = AccountFactory()
    claim(debtor, "30")
    transfer(rich, debtor, "50")
    assert (figures(rich), figures(debtor)) == ((50, 0, 0), (20, 0, 0))
    require_clean()


def test_a_reversal_of_a_withdrawal_brings_money_in_too(rich):
    row = withdraw(rich, "100")
    claim(rich, "30")
    [found] = queries.find_transactions([row.id]).values()
    asking.ask(Reversal(id=new_id(), reason="oops", rows=[found]))
    assert figures(rich) == (70, 0, 0)
    require_clean()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["alone", "skipping what is locked", "in a transaction", "rehearsed"])
def test_accounts_that_are_paid_are_locked_too_in_whatever_way_it_is_posted(account, way):
    from django.db.transaction import atomic

    from transactions.posting import engine

    second, third = AccountFactory(), AccountFactory()
    claim(second, "15", destination=third)
    claim(account, "20", destination=second)
    command = asking_deposit(account, "50")
    request = posting.PostingRequest(commands=[command], caller=Caller(account.user_id, request_id="test"))
    if way == "alone":
        [result] = posting.post_request(request)
    elif way == "skipping what is locked":
        [[result]] = engine.post_what_is_free([request])
    elif way == "in a transaction":
        with atomic():
            [result] = posting.post_request(request)
    else:
        told = posting.rehearse(request)
        [result] = told.answers
        assert list(told.versions) == [account.id]
        assert [figures(each) for each in (account, second, third)] == [(0, 0, 20), (0, 0, 15), (0, 0, 0)]
    assert [row.amount for row in result.collected] == [20]
    if way != "rehearsed":
        assert [figures(each) for each in (account, second, third)] == [(30, 0, 0), (5, 0, 0), (15, 0, 0)]
    require_clean()


def test_of_two_claims_of_one_list_the_first_is_the_older_whatever_their_ids(account):
    small, large = sorted((new_id(), new_id()))
    opened = [make_claim(account, "30", id=id) for id in (large, small)]
    caller, batch = Caller(account.user_id), posting.NewBatch(id=new_id(), asked=[], atomic=True)
    asking.post(opened, caller=caller, all_or_nothing=True, batch=batch)
    deposit(account, "10")
    assert [Claim.objects.get(id=id).collected for id in (large, small)] == [10, 0]
    require_clean()


def test_a_declined_list_may_collect_what_went_round_before(account):
    """That is no part of the list, which the audit knows."""
    other = AccountFactory()
    claim(account, "300", destination=other)
    claim(other, "300", destination=account)
    deposit(account, "1")
    too_much = asking_deposit(account, "5000", type=Transaction.Type.WITHDRAW)
    batch = posting.NewBatch(id=new_id(), asked=[], atomic=True)
    commands = [asking_deposit(account, "1"), too_much]
    _, result = asking.post(commands, caller=Caller(account.user_id), all_or_nothing=True, batch=batch)
    assert result.transaction.decline_reason == "insufficient_funds"
    assert len(result.collected) == 50
    require_clean()

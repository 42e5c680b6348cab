"""What another app of the monolith is answered: declines as errors, its own rows in the same commit."""

from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.db.transaction import atomic

from accounts import operations
from accounts.models import User
from ledger.callers import Caller
from tests import asking
from tests.cast import CALLER, AccountFactory, OrderFactory, hold, new_id
from tests.database import execute
from tests.transactions.test_concurrency import require_sound
from transactions import posting
from transactions.errors import CommitNotConfirmed, Declined, InsideTransaction
from transactions.models import Batch, Transaction
from transactions.posting import NewBatch
from transactions.posting.commands import NewHold, Transfer
from transactions.proof import audit

WITHDRAW = Transaction.Type.WITHDRAW


@pytest.fixture
def caller(rich):
    return Caller(rich.user_id, request_id="shop")


def withdraw(account, amount):
    return OrderFactory(account=account, type=WITHDRAW, amount=Decimal(amount))


def write_own_row(name="a row of the neighbour's"):
    """Some row that is no part of the posting."""
    operations.create_user(id=None, name=name, caller=CALLER)


def find_own_rows():
    return list(User.objects.filter(name__startswith="a row").values_list("name", flat=True))


def find_status(order):
    """What is committed, as another connection sees it."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT status FROM transactions_transaction WHERE id = %s", [order.id])
            return [status for (status,) in cursor.fetchall()]
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_what_is_declined_is_raised_when_it_is_committed(rich, caller):
    order = withdraw(rich, "101")
    for _ in range(2):
        with pytest.raises(Declined) as declined:
            posting.post_or_raise(order, caller=caller)
        assert find_status(order) == ["DECLINED"]
        posting.post(OrderFactory(account=rich), caller=caller)
    error = declined.value
    assert (error.code, error.row.id, error.results[0].replayed) == ("insufficient_funds", order.id, True)
    assert error.detail == "The account has less available than the withdrawal requires."
    assert error.extensions == {"id": str(order.id), "available": "100.00", "required": "101.00"}


@pytest.mark.django_db
def test_what_is_posted_is_answered_in_the_shape_it_was_asked_in(rich, caller):
    assert posting.post_or_raise(withdraw(rich, "1"), caller=caller).transaction.amount == 1
    for post in (posting.post, posting.post_or_raise):
        results = post([withdraw(rich, "1"), withdraw(rich, "2")], caller=caller)
        assert [result.transaction.amount for result in results] == [1, 2]
        assert post([], caller=caller) == []
    with posting.posted([withdraw(rich, "3")], caller=caller) as [result]:
        assert result.transaction.balance_after == 90


@pytest.mark.django_db
def test_of_a_list_one_decline_declines_all_and_is_the_one_that_is_raised(rich, caller):
    fine, bad = withdraw(rich, "1"), withdraw(rich, "100")
    with pytest.raises(Declined) as declined:
        posting.post_or_raise([fine, bad], caller=caller)
    assert (declined.value.code, declined.value.row.id) == ("insufficient_funds", bad.id)
    reasons = [result.transaction.decline_reason for result in declined.value.results]
    assert reasons == ["batch_declined", "insufficient_funds"]


@pytest.mark.django_db
def test_of_a_transfer_the_reason_of_the_culprit_is_raised_and_of_a_hold_its_own(rich, caller):
    closed = AccountFactory()
    asking.close(id=closed.id, reason="x", request_id="test")
    transfer = Transfer(id=new_id(), source_id=rich.id, destination_id=closed.id, amount=Decimal(1))
    with pytest.raises(Declined) as declined:
        posting.post_or_raise(transfer, caller=caller)
    assert (declined.value.code, declined.value.row.account_id) == ("account_closed", closed.id)
    assert declined.value.extensions["transfer"] == str(transfer.id)
    with pytest.raises(Declined) as declined:
        posting.post_or_raise(NewHold(id=new_id(), account_id=rich.id, amount=Decimal(101)), caller=caller)
    assert (declined.value.code, declined.value.row.status) == ("insufficient_funds", "DECLINED")
    assert declined.value.detail == "The account has less available than the hold requires."


@pytest.mark.django_db(transaction=True)
def test_own_rows_are_committed_with_what_is_posted(rich, caller):
    order = withdraw(rich, "40")
    with posting.posted(order, caller=caller) as result:
        assert not result.replayed
        assert find_status(order) == []
        write_own_row()
    assert find_status(order) == ["POSTED"]
    assert len(find_own_rows()) == 1
    require_sound(rich)


@pytest.mark.django_db(transaction=True)
def test_of_what_is_declined_the_block_is_not_entered_and_the_decline_is_committed(rich, caller):
    order = withdraw(rich, "101")
    for _ in range(2):
        with pytest.raises(Declined, match="less available"), posting.posted(order, caller=caller):
            write_own_row()
        assert find_status(order) == ["DECLINED"]
        posting.post(OrderFactory(account=rich), caller=caller)
    assert find_own_rows() == []


@pytest.mark.django_db(transaction=True)
def test_an_error_in_the_block_takes_back_both_and_the_id_is_free(rich, caller):
    order = withdraw(rich, "40")
    with pytest.raises(ZeroDivisionError), posting.posted(order, caller=caller):
        write_own_row()
        raise ZeroDivisionError
    assert find_status(order) == []
    assert find_own_rows() == []
    with posting.posted(order, caller=caller) as result:
        assert not result.replayed
    assert find_status(order) == ["POSTED"]


@pytest.mark.django_db(transaction=True)
def test_asked_again_the_block_is_entered_again_and_told_so(rich, caller):
    order, told = withdraw(rich, "40"), []
    for _ in range(2):
        with posting.posted(order, caller=caller) as result:
            told.append((result.replayed, result.transaction.balance_after))
    assert told == [(False, 60), (True, 60)]


@pytest.mark.django_db(transaction=True)
def test_who_swallows_an_error_of_the_database_is_told_that_nothing_is_written(rich, caller):
    order = withdraw(rich, "40")
    swallowed = pytest.raises(CommitNotConfirmed, match="swallowed")
    with swallowed, posting.posted(order, caller=caller), suppress(DatabaseError):
        execute("SELECT 1 / 0")
    assert find_status(order) == []
    with pytest.raises(CommitNotConfirmed), posting.posted(order, caller=caller):
        connection.set_rollback(True)
    with posting.posted(order, caller=caller), suppress(DatabaseError), atomic():
        execute("SELECT 1 / 0")
    assert find_status(order) == ["POSTED"]


@pytest.mark.parametrize("database", ["of TestCase", "committed"])
def test_inside_another_transaction_nothing_is_asked(request, database):
    request.getfixturevalue("transactional_db" if database == "committed" else "db")
    rich, caller = request.getfixturevalue("rich"), request.getfixturevalue("caller")
    order = withdraw(rich, "101")
    with pytest.raises(InsideTransaction), atomic():
        posting.post_or_raise(order, caller=caller)
    with pytest.raises(InsideTransaction), atomic(), posting.posted(order, caller=caller):
        write_own_row()
    assert not Transaction.objects.filter(id=order.id).exists()
    with pytest.raises(Declined):
        posting.post_or_raise(order, caller=caller)


@pytest.mark.django_db(transaction=True)
def test_who_commits_by_hand_is_inside_a_transaction_too(rich, caller):
    connection.set_autocommit(False)
    try:
        with pytest.raises(InsideTransaction):
            posting.post_or_raise(withdraw(rich, "1"), caller=caller)
    finally:
        connection.rollback()
        connection.set_autocommit(True)


@pytest.mark.django_db(transaction=True)
def test_what_is_refused_leaves_nothing_open(rich, caller):
    order = withdraw(rich, "1.001")
    with pytest.raises(Exception, match="more decimals"), posting.posted(order, caller=caller):
        write_own_row()
    assert not connection.in_atomic_block
    assert find_own_rows() == []


@pytest.mark.django_db(transaction=True)
def test_a_list_with_an_id_takes_own_rows_along(rich, caller):
    batch = NewBatch(id=new_id(), asked=["order 7"], atomic=True)
    placed = NewHold(id=new_id(), account_id=rich.id, amount=Decimal(10))
    with posting.posted([placed, withdraw(rich, "5")], caller=caller, batch=batch) as results:
        write_own_row()
    assert results[0].hold.batch == results[1].transaction.batch == batch.id
    assert Batch.objects.get().actor == rich.user_id
    assert hold(rich, "85").status == "OPEN"
    assert not audit.run(audit.Scope())[0].findings


@pytest.mark.django_db(transaction=True)
def test_until_the_block_is_entered_a_lost_race_is_run_again(rich, caller, monkeypatch):
    lost = iter(["40P01"])
    write = posting.engine.writing.write

    def lose_once(*step):
        for sqlstate in lost:
            execute(f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{sqlstate}'; END $$")
        write(*step)

    monkeypatch.setattr(posting.engine.writing, "write", lose_once)
    entered = []
    with posting.posted(withdraw(rich, "40"), caller=caller) as result:
        entered.append(result.replayed)
    assert entered == [False]
    with pytest.raises(DatabaseError), posting.posted(withdraw(rich, "1"), caller=caller):
        entered.append("again")
        execute("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$")
    assert entered == [False, "again"]
    require_sound(rich)

"""Balances at any moment, checked against their definition: the signed sum of what is effective and known."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.errors import AccountNotFound
from accounts.models import Account
from ledger.callers import Caller
from tests.cast import OrderFactory, day, deposit, hold, hold_that_expires, withdraw
from transactions import posting, reading
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


def read(account, **moments):
    return reading.read_balance(Account.objects.filter(id=account.id), **moments)


def by_definition(rows, at, known_at):
    return sum(
        (row.change for row in rows if row.effective_at <= at and row.recorded_at <= known_at), Decimal()
    )


def make_random_history(account, size, days):
    """Deposits and withdrawals whose effective times arrive in any order, some of them declined."""
    start = day("2023-01-01")
    orders = [
        OrderFactory(
            account=account,
            type=random.choice(list(Transaction.Type)),
            amount=Decimal(random.randint(1, 60)),
            effective_at=start + timedelta(days=random.randrange(days)),
        )
        for _ in range(size)
    ]
    while orders:
        part, orders = orders[: random.randint(1, 5)], orders[5:]
        posting.post(part, caller=Caller(account.user_id))
    return list(Transaction.objects.filter(account=account, status="POSTED").order_by("version"))


@pytest.mark.parametrize("seed", range(12))
def test_a_balance_on_both_axes_is_what_its_definition_says(account, seed):
    random.seed(seed)
    rows = make_random_history(account, size=60, days=random.choice((5, 60)))
    assert any(row.late for row in rows)
    moments = [row.effective_at for row in rows] + [day("2022-12-31"), day("2023-03-15T12:00")]
    known = [row.recorded_at for row in rows] + [row.recorded_at - MICROSECOND for row in rows]
    for _ in range(40):
        at, known_at = random.choice(moments), random.choice(known)
        answer = reading.read_balance_at(account.id, at=at, known_at=known_at)
        assert answer.balance == by_definition(rows, at, known_at), (at, known_at)
        assert answer.version == sum(row.recorded_at <= known_at for row in rows)


@pytest.mark.parametrize("seed", range(12))
def test_no_history_is_negative_at_the_end_of_any_instant(account, seed):
    random.seed(100 + seed)
    rows = make_random_history(account, size=60, days=10)
    for row in rows:
        assert by_definition(rows, row.effective_at, rows[-1].recorded_at) >= 0
    for refused in Transaction.objects.filter(account=account, decline_reason="insufficient_funds_at"):
        instant = day(refused.decline_details["instant"].removesuffix("Z"))
        then = by_definition(rows, instant, refused.recorded_at)
        assert f"{then:.2f}" == refused.decline_details["available"]
        assert then < refused.amount
        earlier = {refused.effective_at, *(row.effective_at for row in rows)}
        for moment in [each for each in earlier if refused.effective_at <= each < instant]:
            assert by_definition(rows, moment, refused.recorded_at) >= refused.amount


def test_the_late_check_sees_what_the_same_list_decided_before(account):
    deposit(account, "100", effective_at=day("2023-01-01"))
    deposit(account, "100", effective_at=day("2023-01-20"))
    orders = [
        OrderFactory(
            account=account, type="WITHDRAW", amount=Decimal(60), effective_at=day(f"2023-01-{number}")
        )
        for number in (10, 11)
    ]
    first, second = (answer.transaction for answer in posting.post(orders, caller=Caller(account.user_id)))
    assert (first.status, second.decline_reason) == ("POSTED", "insufficient_funds_at")
    assert second.decline_details["available"] == "40.00"


def test_both_bounds_are_inclusive(account):
    row = deposit(account, "10", effective_at=day("2023-01-04"))
    assert read(account, at=row.effective_at).balance == 10
    assert read(account, at=row.effective_at - MICROSECOND).balance == 0
    assert read(account, at=row.recorded_at, known_at=row.recorded_at).balance == 10
    assert read(account, at=row.recorded_at, known_at=row.recorded_at - MICROSECOND).balance == 0


def test_now_has_holds_and_a_past_moment_has_none(account):
    deposit(account, "10")
    now = read(account)
    assert (now.balance, now.held, now.available, now.version) == (10, 0, 10, 1)
    past = read(account, at=day("2020-01-01"))
    assert (past.balance, past.held, past.available) == (0, None, None)


@pytest.mark.parametrize("at", [None, "2020-01-01", "2023-01-04", "2999-01-01"])
@pytest.mark.parametrize("known_at", [None, "2020-01-01", "2023-01-04", "2999-01-01"])
def test_one_statement_answers_what_the_account_and_its_rows_do(account, at, known_at):
    deposit(account, "10")
    deposit(account, "5", effective_at=day("2023-01-04"))
    moments = {"at": at and day(at), "known_at": known_at and day(known_at)}
    then, again = read(account, **moments), reading.read_balance_at(account.id, **moments)
    names = ("balance", "version", "held", "available")
    assert [getattr(again, name) for name in names] == [getattr(then, name) for name in names]
    for name, moment in moments.items():
        is_now = moment is None or moment.year == 2999
        assert (getattr(again, name) == moment) is not is_now
        assert getattr(again, name) <= getattr(then, name) + timedelta(minutes=1)


def test_holds_that_are_due_count_no_more_in_the_balance_of_now(account):
    deposit(account, "10")
    hold(account, "3")
    hold_that_expires(account, "2")
    answer = reading.read_balance_at(account.id, at=day("2999-01-01"), known_at=None)
    assert (answer.balance, answer.held, answer.available) == (10, 3, 7)


def test_later_than_now_means_now_and_the_answer_says_which_moment_that_was(account):
    deposit(account, "10")
    answer = read(account, at=day("2999-01-01"), known_at=day("2999-01-01"))
    assert answer.at == answer.known_at < day("2999-01-01")
    assert (answer.balance, answer.available) == (10, 10)
    again = read(account, at=answer.at, known_at=answer.known_at)
    assert (again.balance, again.at, again.known_at) == (10, answer.at, answer.known_at)


def test_what_was_known_before_the_account_had_anything_is_zero(account):
    withdraw(account, "5")
    deposit(account, "10", effective_at=day("2023-01-04"))
    assert read(account, at=day("2023-01-05"), known_at=day("2023-01-05")).balance == 0


def test_an_account_that_is_not_there_has_no_balance(account):
    with pytest.raises(AccountNotFound):
        reading.read_balance(Account.objects.none())


def test_the_clock_is_the_databases_own(account):
    row = deposit(account, "10")
    with time_machine.travel(day("2040-01-01"), tick=False):
        assert deposit(account, "10").recorded_at.year == row.recorded_at.year
        assert read(account).at.year == row.recorded_at.year

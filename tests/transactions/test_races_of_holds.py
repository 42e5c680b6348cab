"""Holds, many at once in real threads: what is set aside is spent or given back once, and never twice."""

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from accounts.errors import HoldNotOpen, IdempotencyKeyReused
from accounts.models import Account, Hold
from events.models import Event
from ledger.errors import LedgerError
from tests import asking
from tests.cast import AccountFactory, deposit, hold, new_id, withdraw
from tests.transactions.test_concurrency import read_events, run_at_once
from transactions.models import Transaction
from transactions.posting.commands import Expiry, Remaining

pytestmark = pytest.mark.django_db(transaction=True)


def capture(placed, amount=None, *, final=True):
    amount = Decimal(amount) if amount else Remaining.ALL
    return asking.ask(asking.capture_of(placed, amount, final=final)).transaction


def release(placed):
    return asking.release_hold(id=placed.id)


def expire(account):
    return len(asking.ask(Expiry(account_id=account.id)).made)


def require_holds_sound(account):
    """What is held is what the open holds have left, and every event has its number."""
    account.refresh_from_db()
    open_ones = Hold.objects.filter(account=account, status="OPEN")
    assert account.held == sum(each.remaining for each in open_ones) <= account.balance
    for each in Hold.objects.filter(account=account):
        posted = Transaction.objects.filter(hold=each.id, status="POSTED")
        assert each.captured == sum(row.amount for row in posted)
    read_events(account)


@pytest.mark.parametrize("turn", range(3))
def test_of_six_holds_at_once_five_find_funds(account, turn):
    deposit(account, "5000")
    placed = run_at_once(*[partial(hold, account, "1000")] * 6)
    assert Counter(each.decline_reason for each in placed) == {None: 5, "insufficient_funds": 1}
    [details] = [each.decline_details for each in placed if each.decline_reason]
    assert details == {"available": "0.00", "required": "1000.00"}
    require_holds_sound(account)
    assert (account.held, account.available) == (5000, 0)


def test_holds_and_withdrawals_at_once_share_the_balance(rich):
    answers = run_at_once(*[partial(hold, rich, "30"), partial(withdraw, rich, "30")] * 10)
    assert Counter(answer.status == "DECLINED" for answer in answers) == {True: 17, False: 3}
    require_holds_sound(rich)
    assert rich.available == 10


def place(account, id, amount="30"):
    return asking.place_hold(id=id, account_id=account.id, amount=Decimal(amount), actor=account.user_id)


@pytest.mark.parametrize(("amount", "status"), [("30", "OPEN"), ("300", "DECLINED")])
def test_one_hold_sent_24_times_at_once_is_one_hold(rich, amount, status):
    id = new_id()
    answers = run_at_once(*[partial(place, rich, id, amount)] * 24)
    assert Counter((placed.status, replayed) for placed, replayed in answers) == {
        (status, True): 23,
        (status, False): 1,
    }
    assert Hold.objects.get().id == id
    require_holds_sound(rich)
    assert rich.held == (30 if status == "OPEN" else 0)


def test_one_id_for_holds_on_two_accounts_at_once_is_one_hold():
    accounts = [AccountFactory(funds="100") for _ in range(2)]
    for turn in range(1, 11):
        id = new_id()
        answers = run_at_once(*[partial(place, each, id, "1") for each in accounts])
        [refusal] = [answer for answer in answers if isinstance(answer, LedgerError)]
        assert isinstance(refusal, IdempotencyKeyReused)
        assert refusal.extensions == {"differs": ["account"]}
        assert sum(Account.objects.values_list("held", flat=True)) == turn
    for each in accounts:
        require_holds_sound(each)


def test_one_capture_at_most_takes_the_whole_hold(rich):
    for _ in range(10):
        placed = hold(rich, "5")
        rows = run_at_once(*[partial(capture, placed)] * 4)
        assert Counter(row.decline_reason for row in rows) == {None: 1, "hold_not_open": 3}
    require_holds_sound(rich)
    assert (rich.balance, rich.held) == (50, 0)


def test_captures_in_part_at_once_take_no_more_than_was_held(rich):
    placed = hold(rich, "50")
    rows = run_at_once(*[partial(capture, placed, "20", final=False)] * 8)
    assert Counter(row.decline_reason for row in rows) == {None: 2, "limit_exceeded": 6}
    require_holds_sound(rich)
    assert (rich.balance, rich.held) == (60, 10)


def wait_for_the_end(placed, seconds_after):
    """Until about the end of the hold."""
    time.sleep(max(0.0, (placed.expires_at - datetime.now(UTC)).total_seconds() + seconds_after))


def soon():
    return datetime.now(UTC) + timedelta(milliseconds=400)


@pytest.mark.parametrize("turn", range(20))
def test_capture_release_and_expiry_of_one_hold_at_once_have_one_winner(account, turn):
    chance = random.Random(turn)
    deposit(account, "100")
    placed = hold(account, "60", expires_at=soon())

    def act_before_or_after_the_end(act, *asked):
        wait_for_the_end(placed, chance.uniform(-0.06, 0))
        return act(*asked)

    acts = [(capture, placed), (capture, placed), (release, placed), (expire, account)]
    first, second, released, _ = run_at_once(*[partial(act_before_or_after_the_end, *act) for act in acts])
    wait_for_the_end(placed, 0.001)
    expire(account)
    placed.refresh_from_db()
    posted = [row for row in (first, second) if row.status == "POSTED"]
    winners = {
        "CAPTURED": len(posted),
        "RELEASED": int(isinstance(released, Hold)),
        "EXPIRED": Event.objects.filter(type="hold.expired").count(),
    }
    assert winners == dict.fromkeys(winners, 0) | {placed.status: 1}
    if winners["RELEASED"] == 0:
        assert isinstance(released, HoldNotOpen)
        assert released.extensions["hold_status"] == placed.status
    declined = [row for row in (first, second) if row not in posted]
    assert {row.decline_details["hold_status"] for row in declined} == {placed.status}
    require_holds_sound(account)
    assert account.held == 0
    assert account.balance == account.available == (40 if posted else 100)


@pytest.mark.parametrize("turn", range(6))
def test_captures_in_part_until_the_end_of_a_hold_leave_it_expired_with_what_they_took(account, turn):
    deposit(account, "100")
    placed = hold(account, "60", expires_at=soon())

    def capture_until_the_end():
        wait_for_the_end(placed, -0.1)
        rows = [capture(placed, "0.01", final=False)]
        while rows[-1].status == "POSTED":
            rows.append(capture(placed, "0.01", final=False))
        return rows

    rows = [row for rows in run_at_once(*[capture_until_the_end] * 4) for row in rows]
    declined = [row for row in rows if row.status == "DECLINED"]
    assert [row.decline_details for row in declined] == [{"hold_status": "EXPIRED"}] * 4
    require_holds_sound(account)
    placed.refresh_from_db()
    taken = Decimal("0.01") * (len(rows) - len(declined))
    assert (placed.status, placed.captured, placed.closed_at) == ("EXPIRED", taken, placed.expires_at)
    assert (account.balance, account.held) == (100 - taken, 0)

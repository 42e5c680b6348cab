"""What the page of an account reads, it finds by index: the rows that PostgreSQL touches are counted."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Hold, User
from events.models import Event
from ledger.callers import Caller
from office.pages.accounts import admin
from tests.cast import AccountFactory, OrderFactory, day
from tests.database import empty_the_ledger
from tests.transactions.test_plans import count_rows_touched, touched_by
from transactions import posting, reading
from transactions.models import Transaction
from transactions.reading import history, statements
from transactions.reading.history import FOREVER, SEQ_MAX

HISTORY = 8000
LATE_EVERY = 20
START = day("2023-01-01")
PAGE = history.PAGE_SIZE + 1
TWO_ARMS = 2 * PAGE  # each reads a page at most
LATE_LEAST = 40  # how many rows one step of an index reads besides


@pytest.fixture(scope="module")
def long_account(django_db_setup, django_db_blocker):
    """In order but for each twentieth row, which is two hours late; every tenth withdrawal is too much."""
    with django_db_blocker.unblock():
        yield make_long_account()
        empty_the_ledger()


def make_long_account():
    account, others = AccountFactory(name="Petya"), [AccountFactory(name=f"other {n}") for n in range(300)]
    for first in range(0, HISTORY, 1000):
        orders = []
        for number in range(first, first + 1000):
            late = timedelta(hours=2) if number % LATE_EVERY == LATE_EVERY - 1 else timedelta()
            is_refused = number % 10 == 4
            orders.append(
                OrderFactory(
                    account=account if number % 4 else others[number % 300],
                    type=Transaction.Type.WITHDRAW if is_refused else Transaction.Type.DEPOSIT,
                    amount=Decimal(10**6 if is_refused else 1),
                    effective_at=START + timedelta(minutes=number) - late,
                )
            )
        posting.post(orders, caller=Caller(account.user_id))
    account.refresh_from_db()
    with connection.cursor() as cursor:
        for table in ("transactions_transaction", "accounts_account", "accounts_user", "events_event"):
            cursor.execute(f"ANALYZE {table}")
    return account


@pytest.fixture
def middle(long_account):
    """A row in order, in the middle of the history on both axes."""
    rows = Transaction.objects.filter(account=long_account, status="POSTED", late=False)
    return rows.filter(seq__lte=long_account.seq // 2).latest("seq")


def values_of(account, **values):
    return {"account": account.id, **values}


def test_the_newest_lines_touch_a_page_of_rows(long_account):
    place = {"moment": FOREVER, "seq": SEQ_MAX, "known_seq": long_account.seq}
    assert count_rows_touched(history.LINES, values_of(long_account, **place)) <= TWO_ARMS + LATE_LEAST


def test_older_lines_touch_a_page_of_rows(long_account, middle):
    place = {"moment": middle.effective_at, "seq": middle.seq, "known_seq": long_account.seq}
    assert count_rows_touched(history.LINES, values_of(long_account, **place)) <= TWO_ARMS + LATE_LEAST


def test_lines_of_old_knowledge_do_not_walk_through_what_was_recorded_since(long_account, middle):
    account = Account.objects.filter(id=long_account.id)
    start = history.begin_at(reading.read_balance(account, known_at=middle.recorded_at))
    assert (start.moment, start.seq) == (middle.effective_at, middle.seq + 1)
    place = {"moment": start.moment, "seq": start.seq, "known_seq": start.known_seq}
    assert count_rows_touched(history.LINES, values_of(long_account, **place)) <= TWO_ARMS + LATE_LEAST


def test_the_newest_turns_of_the_course_touch_so_many_rows(long_account, middle):
    place = {"moment": FOREVER, "seq": SEQ_MAX, "known_seq": long_account.seq, "since": START}
    most = 2 * (history.EFFECTS_MAX + 1) + LATE_LEAST
    assert count_rows_touched(history.EFFECTS, values_of(long_account, **place)) <= most
    recent = {**place, "since": middle.effective_at}
    assert count_rows_touched(history.EFFECTS, values_of(long_account, **recent)) <= most


def test_a_page_of_a_statement_touches_a_page_of_rows(long_account, middle):
    bounds = {
        "moment": middle.effective_at,
        "seq": middle.seq,
        "beyond": START + timedelta(days=90),
        "known_at": long_account.last_recorded_at,
        "size": 101,
    }
    for late in (False, True):
        values = values_of(long_account, **bounds)
        # Few late rows are sorted rather than walked in order, by PostgreSQL 15.
        assert count_rows_touched(statements.LINES[late], values) <= 2 * 101


def test_the_last_row_in_order_is_found_by_a_step(long_account, middle):
    assert count_rows_touched(history.LAST_IN_ORDER, [long_account.id, middle.seq + 1]) <= 2


def test_the_first_effect_is_found_by_two_steps(long_account):
    assert count_rows_touched(history.FIRST_EFFECT, values_of(long_account)) <= 2


def test_what_was_effective_later_touches_a_page_of_rows(long_account, middle):
    values = values_of(long_account, at=middle.effective_at, seq=long_account.seq)
    assert count_rows_touched(history.EFFECTIVE_LATER, values) <= TWO_ARMS + LATE_LEAST


def test_what_was_recorded_later_touches_a_page_of_rows_in_order(long_account, middle):
    """Of the late rows those recorded since may be touched, as the balance itself does."""
    values = values_of(
        long_account,
        at=START + timedelta(days=90),
        seq=long_account.seq,
        known_seq=middle.seq,
        last_moment=middle.effective_at,
        last_seq=middle.seq,
    )
    assert count_rows_touched(history.RECORDED_LATER, values) <= TWO_ARMS + LATE_LEAST


def test_the_course_touches_a_few_rows_for_each_point_and_every_late_row_once(long_account, middle):
    moments = [START + timedelta(minutes=number) for number in range(0, HISTORY, HISTORY // 60)]
    values = values_of(long_account, known_at=middle.recorded_at, moments=moments)
    late = HISTORY // LATE_EVERY
    assert count_rows_touched(history.COURSE, values) <= len(moments) + late + LATE_LEAST


def test_declined_attempts_touch_a_page_and_the_rows_just_before_each(long_account):
    assert count_rows_touched(history.DECLINES, values_of(long_account, before=FOREVER)) <= PAGE * 4


def test_a_declined_attempt_looks_back_a_bounded_way_only(long_account):
    account = long_account
    refused = [
        OrderFactory(account=account, type=Transaction.Type.WITHDRAW, amount=Decimal(10**6))
        for _ in range(600)
    ]
    posting.post(refused, caller=Caller(account.user_id))
    values = values_of(account, before=FOREVER)
    assert count_rows_touched(history.DECLINES, values) <= PAGE + 2


def test_events_and_holds_of_an_account_are_found_by_index(long_account):
    events = Event.objects.filter(stream=long_account.id).order_by("-stream", "-sequence")
    assert touched_by(events[:20]) <= 20
    holds = Hold.objects.filter(account_id=long_account.id)
    assert touched_by(holds.exclude(status="OPEN").order_by("-created_at")[:20]) <= 1


def test_a_user_is_found_by_the_start_of_the_name(long_account):
    """As PostgreSQL plans it for a large table, whatever the text is."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for words, touched in (("pet", 2), ("%", 0)):
        with CaptureQueriesContext(connection) as captured:
            admin.find_account_ids(words)
        for each in captured:
            assert count_rows_touched(each["sql"], None) <= touched


def test_accounts_that_are_not_active_are_found_by_their_index(long_account):
    frozen = Account._base_manager.exclude(status="ACTIVE").filter(status="FROZEN").order_by("-id")
    assert touched_by(frozen[:50]) == 0
    assert User.objects.count() > 300

"""The dashboard's figures: what is counted, and what is found."""

from datetime import timedelta
from decimal import Decimal
from threading import Event as Flag

import pytest
from django.core.management import call_command

from accounts import operations
from tests import asking
from tests.cast import AccountFactory, deposit, transfer, withdraw
from tests.counted import refresh, require_everything_counted
from transactions.models import Figures, HourlyTotal
from transactions.reading import statistics
from transactions.reading.queries import SETTLED_AFTER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_steps")]


def make_history():
    """Deposits, withdrawals, declines, a transfer and a declined one, in two currencies."""
    account, other, same = (AccountFactory(currency=each) for each in ("USD", "EUR", "USD"))
    for amount in ("10", "20.50", "30"):
        deposit(account, amount)
    withdraw(account, "5")
    withdraw(account, "1000")  # declined
    withdraw(other, "1")  # declined
    deposit(other, "7")
    transfer(account, same, "3")
    transfer(account, same, "3000")  # declined, in both its rows
    asking.freeze(id=account.id, reason="why", request_id="test")
    withdraw(account, "1")  # declined


def test_every_transaction_is_counted_by_hour_currency_type_and_outcome():
    make_history()
    refresh()
    require_everything_counted()
    totals = {(t.type, t.outcome, t.currency): (t.count, t.amount) for t in HourlyTotal.objects.all()}
    assert totals["WITHDRAW", "insufficient_funds", "EUR"] == (1, Decimal(1))
    assert totals["DEPOSIT", "transfer_declined", "USD"] == (1, Decimal(3000))
    assert totals["WITHDRAW", "account_frozen", "USD"] == (1, Decimal(1))


def test_what_comes_later_is_added_and_nothing_is_counted_again():
    account = AccountFactory()
    for _ in range(3):
        deposit(account, "1")
        deposit(account, "1")
        refresh()
        refresh()
        require_everything_counted()
    [total] = HourlyTotal.objects.all()
    assert (total.count, total.amount) == (6, Decimal(6))


def test_a_slice_is_committed_before_the_next_one():
    account = AccountFactory()
    for _ in range(7):
        deposit(account, "1")

    class AfterTheFirst(Flag):
        def is_set(self):
            return HourlyTotal.objects.exists()

    statistics.refresh(AfterTheFirst())
    assert HourlyTotal.objects.get().count == statistics.ROWS


def test_an_empty_ledger_is_counted_to_the_end():
    before = operations.read_clock()
    refresh()
    assert Figures.objects.get().counted_through > before
    assert not HourlyTotal.objects.exists()


def test_the_last_seconds_wait(monkeypatch):
    monkeypatch.setattr(statistics, "SETTLED_AFTER", SETTLED_AFTER)
    AccountFactory(funds="1")
    refresh()
    assert not HourlyTotal.objects.exists()
    assert Figures.objects.get().counted_through < operations.read_clock() - SETTLED_AFTER


def test_the_command_counts_all_that_is_due_and_ends():
    make_history()
    call_command("relay_events", "--once")
    require_everything_counted()
    assert Figures.objects.get().biggest


def test_the_biggest_accounts_of_each_currency_are_found_in_pieces():
    dollars = [AccountFactory(funds=funds) for funds in ("1", "11", "21", None, "41", "51", "61", "71")]
    euros = [AccountFactory(currency="EUR", funds=funds) for funds in (None, "1")]
    refresh()
    found = Figures.objects.get()
    assert found.biggest == {
        "USD": [str(dollars[number].id) for number in (7, 6, 5, 4, 2)],
        "EUR": [str(euros[1].id)],
    }
    assert found.biggest_at <= operations.read_clock()


def test_the_biggest_accounts_show_their_balance_of_this_moment():
    small, big = (AccountFactory(funds=funds) for funds in ("1", "2"))
    refresh()
    deposit(small, "5")
    refresh()  # looks for them again only after a while
    shown = statistics.read_biggest(Figures.objects.get())
    assert [(account.id, account.balance) for account in shown] == [
        (small.id, Decimal(6)),
        (big.id, Decimal(2)),
    ]


def test_the_biggest_accounts_are_looked_for_now_and_then():
    first = AccountFactory(funds="1")
    refresh()
    before = Figures.objects.get()
    second = AccountFactory(funds="2")
    refresh()
    after = Figures.objects.get()
    assert after.biggest == before.biggest
    assert after.counted_through > before.counted_through
    Figures.objects.update(biggest_at=before.biggest_at - statistics.BIGGEST_EVERY)
    refresh()
    assert Figures.objects.get().biggest == {"USD": [str(second.id), str(first.id)]}


def test_no_account_above_zero_is_no_biggest_account():
    AccountFactory()
    refresh()
    found = Figures.objects.get()
    assert (found.biggest, statistics.read_biggest(found)) == ({}, [])
    assert found.biggest_at is not None


def test_totals_are_read_by_hour_or_by_day():
    day = operations.read_clock().replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [day + timedelta(hours=number) for number in (1, 2, -1)]
    of = {"currency": "USD", "type": "DEPOSIT", "outcome": "posted"}
    for hour, count, amount in zip(hours, (2, 3, 4), ("5", "7", "1"), strict=True):
        HourlyTotal.objects.create(hour=hour, count=count, amount=amount, **of)
    by_day = statistics.read_totals(since=day - timedelta(days=1), each="day")
    assert [(t.hour, t.count, t.amount) for t in by_day] == [
        (day - timedelta(days=1), 4, Decimal(1)),
        (day, 5, Decimal(12)),
    ]
    by_hour = statistics.read_totals(since=day, each="hour")
    assert [(t.hour, t.count) for t in by_hour] == [(hours[0], 2), (hours[1], 3)]

"""The time machine, the course and the statement of an account equal sums over all of its rows."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account
from ledger.callers import Caller
from tests.cast import AccountFactory, OrderFactory, day, deposit, new_id, withdraw
from tests.office.account_pages import add_up, make_history, read_posted
from transactions import posting, reading
from transactions.posting.commands import Reversal
from transactions.reading import history

MICROSECOND = timedelta(microseconds=1)


def only(account):
    return Account.objects.filter(id=account.id)


def choose_moments(chance, rows):
    """Of the two axes: at a row, right before it, before all of them, never."""
    at = chance.choice(rows).effective_at - chance.choice([timedelta(), MICROSECOND, timedelta(days=900)])
    known_at = chance.choice(rows).recorded_at - chance.choice([timedelta(), MICROSECOND, timedelta(days=9)])
    return chance.choice([at, at, None, datetime(9999, 1, 1, tzinfo=UTC)]), chance.choice(
        [known_at, known_at, None, datetime(9999, 1, 1, tzinfo=UTC)]
    )


def is_known(row, known_at):
    return known_at is None or row.recorded_at <= known_at


def is_effective(row, at):
    return at is None or row.effective_at <= at


@pytest.mark.parametrize("seed", range(6))
def test_the_parts_of_a_difference_are_exactly_what_makes_it(account, seed):
    chance = make_history(account, seed)
    rows = read_posted(account)
    assert any(row.late for row in rows)
    for _ in range(40):
        at, known_at = choose_moments(chance, rows)
        found = history.compare(only(account), at=at, known_at=known_at)
        then = [row for row in rows if is_effective(row, at) and is_known(row, known_at)]
        later = [row for row in rows if not is_effective(row, at)]
        unknown = [row for row in rows if is_effective(row, at) and not is_known(row, known_at)]
        assert found.then.balance == add_up(then)
        assert found.now == add_up(rows)
        assert found.effective_later.rows == later
        assert found.effective_later.sum == add_up(later)
        if known_at is None:
            assert found.recorded_later is None
            assert not unknown
        else:
            assert found.recorded_later.rows == sorted(unknown, key=lambda row: row.version)
            assert found.recorded_later.sum == add_up(unknown)
        assert found.difference == add_up(later) + add_up(unknown)


def test_a_part_shows_its_first_fifty_rows_and_the_sum_of_all(account):
    orders = [
        OrderFactory(account=account, effective_at=day("2023-01-01") + timedelta(days=number))
        for number in range(60)
    ]
    posting.post(orders, caller=Caller(account.user_id))
    later = history.compare(only(account), at=day("2023-01-01")).effective_later
    assert (len(later.rows), later.has_more, later.sum) == (50, True, 5900)
    assert later.rows[0].effective_at == day("2023-01-02")
    recorded = history.compare(
        only(account), at=day("2023-03-01"), known_at=later.rows[0].recorded_at
    ).recorded_later
    assert (len(recorded.rows), recorded.has_more, recorded.sum) == (50, True, 5800)


@pytest.mark.parametrize("seed", range(4))
def test_a_statement_read_backwards_runs_from_the_balance_to_zero(account, seed, monkeypatch):
    monkeypatch.setattr(history, "PAGE_SIZE", 7)
    monkeypatch.setattr(history, "LINES", history.LINES.replace("LIMIT 51", "LIMIT 8"))
    chance = make_history(account, seed)
    rows = read_posted(account)
    for _ in range(10):
        at, known_at = choose_moments(chance, rows)
        expected = [row for row in rows if is_effective(row, at) and is_known(row, known_at)]
        then = reading.read_balance(only(account), at=at, known_at=known_at)
        lines, place = [], history.begin_at(then)
        while place:
            assert place.balance == add_up(expected[: len(expected) - len(lines)])
            page = history.read_lines(account.id, place)
            lines += page.lines
            place = page.next
        assert [line.row for line in lines] == expected[::-1]
        assert [line.balance for line in lines] == [
            add_up(expected[: len(expected) - number]) for number in range(len(expected))
        ]


def test_the_lines_of_all_pages_are_those_of_the_domains_statement(account, reader):
    make_history(account, 7, count=130)
    account.refresh_from_db()
    lines, place = [], history.begin_now(account)
    while place:
        page = history.read_lines(account.id, place)
        lines += page.lines
        place = page.next
    assert len(lines) > 2 * history.PAGE_SIZE
    query = {"from": "1970-01-01", "to": "2099-01-01"}
    statement = reader.get(f"/api/v1/accounts/{account.id}/statement", query).json()
    assert [(str(line.row.id), f"{line.balance:.2f}") for line in lines[::-1]] == [
        (line["transaction"], line["balance"]) for line in statement["lines"]
    ]


def test_what_is_posted_meanwhile_does_not_move_the_older_pages(account):
    make_history(account, 3, count=130)
    account.refresh_from_db()
    first = history.read_lines(account.id, history.begin_now(account))
    before = history.read_lines(account.id, first.next)
    deposit(account, "5", effective_at=before.lines[3].row.effective_at)
    deposit(account, "5")
    assert history.read_lines(account.id, first.next) == before


def test_a_reversed_transaction_is_marked_with_its_reversal(account):
    row = deposit(account, "5")
    posting.post([Reversal(id=new_id(), reason="x", rows=[row])], caller=Caller(account.user_id))
    account.refresh_from_db()
    reversal, reversed_row = (
        line.row for line in history.read_lines(account.id, history.begin_now(account)).lines
    )
    assert (reversed_row.reversed_by, reversal.reverses) == ([str(reversal.id)], row.id)


@pytest.mark.parametrize("seed", range(3))
def test_the_course_is_the_balance_at_every_moment(account, seed):
    chance = make_history(account, seed)
    rows = read_posted(account)
    moments = [day("2022-12-31") + timedelta(hours=5 * number) for number in range(60)]
    known_at = chance.choice(rows).recorded_at
    course = history.read_course(account.id, moments, known_at=known_at)
    assert course == [
        (at, add_up(row for row in rows if row.effective_at <= at and row.recorded_at <= known_at))
        for at in moments
    ]
    assert history.find_first_effect(account.id) == rows[0].effective_at


def test_the_balance_of_a_declined_attempt_is_that_of_the_row_before_it(account):
    withdraw(account, "1")
    deposit(account, "10", effective_at=day("2023-01-05"))
    withdraw(account, "20")
    withdraw(account, "30")
    deposit(account, "5", effective_at=day("2023-01-01"))
    withdraw(account, "40")
    deposit(AccountFactory(), "99")
    rows, has_more = history.read_declines(account.id)
    assert [(int(row.amount), int(row.balance_after)) for row in rows] == [
        (40, 15),
        (30, 10),
        (20, 10),
        (1, 0),
    ]
    assert not has_more
    older, _ = history.read_declines(account.id, rows[1].recorded_at)
    assert [int(row.amount) for row in older] == [20, 1]

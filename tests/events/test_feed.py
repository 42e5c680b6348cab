"""The feed: places after the commit, in order and without gaps; cursors; what a reader may ask."""

from uuid import uuid4

import pytest

from events import errors, feed
from events.models import Cursor, Event, FeedState, PendingEvent, Placement, parse_cursor
from tests.cast import AccountFactory, deposit, new_id, withdraw
from tests.events.conftest import deposit_times


def positions(page):
    return [event["position"] for event in page.events]


def test_reading_places_what_is_pending_in_the_order_of_the_ids(account):
    deposit_times(account, 3)
    page = feed.read()
    assert PendingEvent.objects.count() == 0
    assert positions(page) == [1, 2, 3, 4, 5]
    assert [event["id"] for event in page.events] == sorted(Event.objects.values_list("id", flat=True))
    assert (page.cursor.position, page.has_more) == (5, False)
    assert FeedState.objects.get().last_position == 5


def test_the_envelope_is_the_event_as_the_api_shows_it(account):
    row = deposit(account, "10")
    event = feed.read().events[-1]
    stored = Event.objects.latest("id")
    assert event == {
        "id": stored.id,
        "epoch": str(FeedState.objects.get().epoch),
        "position": 3,
        "type": "transaction.posted",
        "account": str(account.id),
        "account_sequence": 2,
        "recorded_at": row.to_dict()["recorded_at"],
        "request_id": "test",
        "data": row.to_dict(),
    }


def test_a_cursor_goes_on_where_it_was(account):
    seen, cursor = [], None
    for _ in range(4):
        deposit(account, "1")
        page = feed.read(cursor, limit=2)
        seen += positions(page)
        cursor = page.cursor
    while page.has_more:
        page = feed.read(cursor, limit=2)
        cursor = page.cursor
        seen += positions(page)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert feed.read(cursor).events == []


def test_one_reading_places_a_bounded_number_and_says_that_there_is_more(account, monkeypatch):
    monkeypatch.setattr(feed, "PLACED_AT_ONCE", 2)
    deposit_times(account, 3)
    page = feed.read()
    assert (positions(page), page.has_more) == ([1, 2], True)
    assert positions(feed.read(page.cursor)) == [3, 4]


def test_some_types_are_read_by_looking_at_a_bounded_part(account, monkeypatch):
    monkeypatch.setattr(feed, "SCAN_MAX", 3)
    deposit_times(account, 5)
    withdraw(account, "99")
    asked = {"types": ["transaction.declined"]}
    page = feed.read(**asked)
    assert (page.events, page.cursor.position, page.has_more) == ([], 3, True)
    page = feed.read(page.cursor, **asked)
    assert (page.events, page.cursor.position, page.has_more) == ([], 6, True)
    page = feed.read(page.cursor, **asked)
    assert (positions(page), page.cursor.position) == ([8], 8)
    assert positions(feed.read(types=["user.created", "account.opened"], limit=1)) == [1]


def test_some_accounts_are_read_alone(account):
    other = AccountFactory()
    for each in (account, other, account):
        deposit(each, "1")
    page = feed.read(accounts=[other.id])
    assert {event["account"] for event in page.events} == {str(other.id)}
    assert len(page.events) == 2
    assert page.cursor == feed.read_state().end
    assert feed.read(accounts=[]).events == []


def test_a_gap_of_an_account_is_filled_by_its_own_sequence(account):
    deposit_times(account, 4)
    page = feed.read_account(account.id, 2, limit=2)
    assert [event["account_sequence"] for event in page.events] == [3, 4]
    assert page.has_more
    page = feed.read_account(account.id, 4)
    assert ([event["account_sequence"] for event in page.events], page.has_more) == ([5], False)
    assert feed.read_account(account.id, 5).events == []
    assert feed.read_account(new_id(), 0).events == []


def test_a_cursor_of_another_epoch_or_ahead_of_the_feed_is_refused(account):
    end = feed.read().cursor
    with pytest.raises(errors.FeedEpochChanged):
        feed.read(Cursor(uuid4(), 1))
    with pytest.raises(errors.CursorAheadOfFeed):
        feed.read(Cursor(end.epoch, end.position + 1))


@pytest.mark.parametrize("column", ["system_identifier", "timeline_id", "database_id", "table_id"])
def test_in_another_database_the_feed_stops(account, column):
    FeedState.objects.update(**{column: 7})
    with pytest.raises(errors.FeedStopped):
        feed.read()
    with pytest.raises(errors.FeedStopped):
        feed.read_account(account.id, 0)
    assert Placement.objects.count() == 0
    assert deposit(account, "1").status == "POSTED"


@pytest.mark.parametrize(
    "text", ["", "x", "1", "g" * 32 + "-1", "0" * 32 + "-01", "0" * 32 + "-1\n", "0" * 32]
)
def test_what_is_no_cursor_is_none(text):
    assert parse_cursor(text) is None


def test_a_cursor_survives_its_text():
    cursor = Cursor(uuid4(), 17)
    assert parse_cursor(str(cursor)) == cursor


def test_reading_costs_the_same_whatever_is_there(account, django_assert_num_queries):
    deposit_times(account, 20)
    feed.read()
    with django_assert_num_queries(5):  # is anything pending, the state, the places, the events, the state
        feed.read(limit=5)
    deposit(account, "1")
    with django_assert_num_queries(9):  # and a savepoint, the lock, the places given, its end
        feed.read(limit=5)

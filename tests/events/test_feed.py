"""The feed: places after the commit, in order and without gaps; cursors; what a reader may ask."""

from uuid import uuid4

import pytest

from accounts import operations
from events import errors, feed
from events.models import (
    CURSOR_LENGTH,
    Cursor,
    Event,
    FeedState,
    PendingEvent,
    Placement,
    Subscription,
    parse_cursor,
)
from ledger.callers import Caller
from tests import asking
from tests.cast import CALLER, AccountFactory, OrderFactory, deposit, hold_that_expires, new_id, withdraw
from tests.events.conftest import deposit_times
from transactions import posting
from transactions.posting.commands import Reversal, SetMetadata


def positions(page):
    return [event["position"] for event in page.events]


def test_reading_places_what_is_pending_in_the_order_it_was_recorded(account):
    deposit_times(account, 3)
    page = feed.read()
    assert PendingEvent.objects.count() == 0
    assert positions(page) == [1, 2, 3, 4, 5]
    recorded = Event.objects.order_by("recorded_at", "stream", "sequence")
    assert [event["id"] for event in page.events] == [event.id for event in recorded]
    assert (page.cursor.position, page.has_more) == (5, False)
    assert FeedState.objects.get().last_position == 5


def test_the_envelope_is_the_event_as_the_api_shows_it(account):
    row = deposit(account, "10")
    event = feed.read().events[-1]
    stored = Event.objects.latest("recorded_at")
    assert (stored.data, stored.actor, stored.request_id, stored.about) == (None, None, None, row.seq)
    assert event == {
        "id": stored.id,
        "stream": str(account.id),
        "sequence": 2,
        "epoch": str(FeedState.objects.get().epoch),
        "position": 3,
        "type": "transaction.posted",
        "account": str(account.id),
        "account_sequence": 2,
        "recorded_at": row.to_dict()["recorded_at"],
        "request_id": "test",
        "actor": {"id": str(account.user_id), "kind": "service"},
        "data": row.to_dict(),
        "before": None,
        "reason": None,
    }


def test_what_a_user_is_told_of_has_its_own_stream_and_no_account(petya):
    created, opened = feed.read().events
    assert (created["type"], created["stream"], created["sequence"]) == ("user.created", str(petya.id), 1)
    assert (created["account"], created["account_sequence"]) == (None, None)
    assert (opened["stream"], opened["sequence"]) == (opened["account"], opened["account_sequence"])
    operations.change_user(id=petya.id, changes={"name": "Petya"}, caller=CALLER)
    [changed] = feed.read().events[2:]
    assert (changed["type"], changed["sequence"], changed["data"]["name"]) == ("user.changed", 2, "Petya")
    assert len({event["id"] for event in feed.read().events}) == 3


def test_what_is_told_of_a_transaction_is_how_it_was_when_it_was_decided(account):
    row = deposit(account, "10")
    [told] = feed.read().events[2:]
    asking.ask(Reversal(id=new_id(), reason="test", rows=[row]))
    assert [event for event in feed.read().events if event["id"] == told["id"]] == [told]
    assert told["data"]["reversed_by"] == []


@pytest.mark.parametrize("kind", ["service", "holder", "staff", "command"])
def test_an_event_says_as_what_somebody_did_it(account, kind):
    posting.post([OrderFactory(account=account)], caller=Caller(account.user_id, kind))
    posting.post(
        [SetMetadata(account_id=account.id, metadata={"a": "b"})], caller=Caller(account.user_id, kind)
    )
    posted, changed = feed.read().events[2:]
    assert posted["actor"] == changed["actor"] == {"id": str(account.user_id), "kind": kind}


def test_the_end_of_a_due_hold_is_the_ledgers_own_and_names_the_command_that_it_came_with(account):
    deposit(account, "10")
    hold_that_expires(account, "10")
    row = withdraw(account, "1")
    expired, posted = feed.read().events[-2:]
    assert (expired["type"], expired["actor"]) == ("hold.expired", {"id": str(row.id), "kind": "ledger"})
    assert (posted["type"], posted["actor"]["kind"]) == ("transaction.posted", "service")


def test_the_end_of_a_hold_that_a_sweep_finds_is_the_ledgers_and_nobody_elses(account):
    deposit(account, "10")
    hold_that_expires(account, "10")
    posting.expire_some()
    assert feed.read().events[-1]["type"] == "hold.expired"
    assert feed.read().events[-1]["actor"] == {"id": None, "kind": "ledger"}


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
    page = feed.read(streams=[other.id])
    assert {event["account"] for event in page.events} == {str(other.id)}
    assert len(page.events) == 2
    assert page.cursor == feed.read_state().end
    assert feed.read(streams=[]).events == []


def test_an_account_that_is_opened_while_its_user_is_read_is_not_passed_over(petya, monkeypatch):
    """What has a position when it is looked how far to read is of an account that is then looked up."""
    end = feed.read().cursor
    streams = Subscription(user=petya.id).streams

    def read_state(real=feed.read_state):
        if petya.accounts.count() == 1:
            operations.create_account(user_id=petya.id, name="new", currency="USD", caller=CALLER)
            feed.place_pending()
        return real()

    monkeypatch.setattr(feed, "read_state", read_state)
    page = feed.read(end, streams=streams, placed_only=True)
    assert [event["type"] for event in page.events] == ["account.opened"]


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


@pytest.mark.parametrize("text", ["", "x", "1", "A" * 75, "A" * 76, "é" * 76, "0" * 32 + "-1"])
def test_what_is_no_cursor_is_none(text):
    assert parse_cursor(text) is None


def test_a_cursor_survives_its_text_which_is_always_another_and_of_the_same_length():
    cursors = [Cursor(uuid4(), position) for position in (0, 17, 10**17, 2**63 - 1)]
    texts = [cursor.text for cursor in cursors for _ in range(2)]
    assert [parse_cursor(text) for text in texts[::2]] == cursors
    assert len(set(texts)) == 8
    assert {len(text) for text in texts} == {CURSOR_LENGTH}


def test_a_changed_cursor_is_none():
    text = Cursor(uuid4(), 17).text
    for place, letter in enumerate(text):
        assert parse_cursor(text[:place] + ("A" if letter != "A" else "B") + text[place + 1 :]) is None
    for other in (text + "\n", text + "=", text[:-1], text[1:]):
        assert parse_cursor(other) is None


def test_a_cursor_outlives_its_key_as_long_as_that_is_a_fallback(settings):
    cursor = Cursor(uuid4(), 17)
    text = cursor.text
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", [settings.SECRET_KEY]
    assert parse_cursor(text) == parse_cursor(cursor.text) == cursor
    settings.SECRET_KEY_FALLBACKS = []
    assert parse_cursor(text) is None


def test_reading_costs_the_same_whatever_is_there(account, django_assert_num_queries):
    deposit_times(account, 20)
    feed.read()
    # Is anything pending, the state, the places, the events, what they are about, their texts, the state.
    with django_assert_num_queries(7):
        feed.read(limit=5)
    deposit(account, "1")
    with django_assert_num_queries(11):  # and a savepoint, the lock, the places given, its end
        feed.read(limit=5)

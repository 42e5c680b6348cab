"""Where events have got to, and at whose subscriptions."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import feed
from events.deliveries import DeliveryState, trace
from events.models import Event, FeedState, Subscription
from tests.cast import AccountFactory, deposit, new_id
from tests.events.test_upkeep import age


def subscribe(position, **fields):
    epoch = fields.pop("epoch", None) or FeedState.objects.get().epoch
    values = {"kind": "webhook", "url": f"https://example.com/{new_id()}", "actor": new_id(), **fields}
    return Subscription.objects.create(epoch=epoch, position=position, **values)


@pytest.fixture
def events(account):
    deposit(account, "5")
    deposit(account, "6")
    feed.place_pending()
    return list(Event.objects.filter(stream=account.id).order_by("sequence"))


@pytest.fixture
def long_ago():
    return datetime(2020, 1, 1, tzinfo=UTC)


def find_states(events):
    return [[delivery.state for delivery in each.deliveries] for each in trace(events)]


def test_an_event_is_sent_when_the_cursor_has_passed_its_place(events, long_ago):
    positions = [each.position for each in trace(events)]
    assert positions == sorted(position or 0 for position in positions)
    subscribe(positions[1], created_at=long_ago)
    assert find_states(events) == [[DeliveryState.SENT], [DeliveryState.SENT], [DeliveryState.WAITING]]


def test_what_was_recorded_before_a_subscription_is_earlier_than_it(events):
    subscribe(trace(events)[-1].position)
    assert find_states(events) == [[DeliveryState.EARLIER]] * 3


def test_a_cursor_that_was_moved_back_waits_for_what_is_older_than_it(events):
    subscribe(0)
    assert find_states(events) == [[DeliveryState.WAITING]] * 3


def test_types_that_a_subscription_does_not_name_are_not_asked_for(events, long_ago):
    subscribe(0, created_at=long_ago, types=["transaction.posted"])
    assert find_states(events) == [
        [DeliveryState.NOT_ASKED],
        [DeliveryState.WAITING],
        [DeliveryState.WAITING],
    ]


def test_what_is_of_another_account_or_user_is_not_asked_for(events, account, long_ago):
    other = AccountFactory()
    whose = [
        {"account": account.id},
        {"account": other.id},
        {"user": account.user_id},
        {"user": other.user_id},
    ]
    made = {subscribe(0, created_at=long_ago, **each).id: each for each in whose}
    user_changed = Event.objects.get(stream=account.user_id)
    with CaptureQueriesContext(connection) as captured:
        traced = trace([events[0], user_changed])
    assert len(captured) == 4
    asked = [
        [made[each.subscription.id] for each in one.deliveries if each.state == DeliveryState.WAITING]
        for one in traced
    ]
    assert [len(each.deliveries) for each in traced] == [4, 4]
    assert sorted(asked[0], key=str) == sorted([whose[0], whose[2]], key=str)
    assert asked[1] == [whose[2]]


def test_what_fails_is_told_with_its_error(events, long_ago):
    failing = subscribe(0, created_at=long_ago, attempts=3, last_error="503", failing_since=long_ago)
    [(state, subscription, _)] = trace(events)[0].deliveries
    assert (state, subscription, subscription.last_error) == (DeliveryState.FAILING, failing, "503")


def test_a_place_in_another_epoch_says_nothing(events, long_ago):
    subscribe(10**6, created_at=long_ago, epoch=new_id())
    assert find_states(events) == [[DeliveryState.WAITING]] * 3


def test_an_event_without_a_place_waits_at_everybodys(account, long_ago):
    subscribe(10**6, created_at=long_ago)
    deposit(account, "5")
    [traced] = trace(list(Event.objects.filter(stream=account.id).order_by("-sequence")[:1]))
    assert (traced.position, traced.is_waiting) == (None, True)
    assert [each.state for each in traced.deliveries] == [DeliveryState.WAITING]


def test_what_was_pruned_waits_for_nothing_and_was_sent_to_whoever_has_passed_it(account, events, long_ago):
    subscribe(3, created_at=long_ago)
    subscribe(1, created_at=long_ago, status="DISABLED")
    age(100)
    assert feed.prune(days=30) == 3
    [opened] = trace(events[:1])
    assert (opened.event.type, opened.position, opened.is_waiting) == ("account.opened", None, False)
    assert {each.subscription.position: each.state for each in opened.deliveries} == {
        3: DeliveryState.SENT,
        1: DeliveryState.WAITING,
    }


def test_tracing_takes_three_queries(events):
    for _ in range(3):
        subscribe(0)
    with CaptureQueriesContext(connection) as captured:
        assert len(trace(events)) == 3
    assert len(captured) == 3
    assert trace([]) == []

"""What operators do: pruning lets go of what is old and sent, and a new epoch begins when they say so."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from events import errors, feed, subscriptions
from events.models import Event, FeedState, Placement, Subscription
from tests.cast import CALLER, deposit, hold
from tests.events.conftest import deposit_times, relay_once, subscribe
from transactions.models import Transaction


def run(command, *arguments, **options):
    """What the command says."""
    output = StringIO()
    call_command(command, *arguments, stdout=output, **options)
    return output.getvalue()


def age(days, *, up_to=None):
    """Make the events older, up to a position. Nobody but a test can."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER event_is_never_changed")
        cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER user_has_its_events")
        cursor.execute(
            "UPDATE events_event AS event SET recorded_at = recorded_at - make_interval(days => %s)"
            " FROM events_placement AS place WHERE place.position <= %s"
            " AND place.stream = event.stream AND place.sequence = event.sequence",
            [days, up_to or 10**9],
        )
        for event in Event.objects.filter(about=None):
            mac = event.sealed.compute_mac()
            cursor.execute(
                "UPDATE events_event SET mac = %s WHERE stream = %s AND sequence = %s", [mac, *event.pk]
            )
        cursor.execute(
            "UPDATE accounts_user SET last_recorded_at = recorded_at FROM events_event"
            " WHERE stream = id AND sequence = event_sequence"
        )
        cursor.execute("ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER user_has_its_events")
        cursor.execute("ALTER TABLE events_event ENABLE ALWAYS TRIGGER event_is_never_changed")


@pytest.fixture
def told(account):
    """Five events with their places."""
    deposit_times(account, 3)
    feed.read()
    return account


def test_what_is_old_goes_and_the_ledger_keeps_everything(told):
    """Of the events those go whose facts stand in rows; all others stay, without a place."""
    hold(told, "1")
    feed.read()
    age(100, up_to=3)
    assert run("prune_events") == "3 events left the feed.\n"
    assert list(Placement.objects.values_list("position", flat=True).order_by("position")) == [4, 5, 6]
    kept = Event.objects.order_by("recorded_at").values_list("type", flat=True)
    assert list(kept) == ["user.created", "account.opened", *["transaction.posted"] * 2, "hold.placed"]
    assert Transaction.objects.count() == 3
    assert [event["position"] for event in feed.read().events] == [4, 5, 6]
    told.refresh_from_db()
    assert told.balance == 3


def test_a_cursor_below_what_was_pruned_is_told_so(told):
    start = feed.read(limit=1).cursor
    age(100, up_to=3)
    run("prune_events")
    with pytest.raises(errors.EventsPruned):
        feed.read(start)
    with pytest.raises(errors.EventsPruned):
        feed.read_account(told.id, 0)
    assert len(feed.read_account(told.id, 2).events) == 2


def test_what_is_younger_than_it_was_told_to_keep_stays(told):
    age(40)
    assert run("prune_events") == "0 events left the feed.\n"
    assert run("prune_events", "--days", "30") == "5 events left the feed.\n"
    with pytest.raises(CommandError):
        run("prune_events", "--days", "29")


def test_what_a_live_subscription_waits_for_stays(hook, told):
    subscription = subscribe(hook.url)
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    age(100)
    assert run("prune_events") == "0 events left the feed.\n"
    subscriptions.pause(id=subscription.id, caller=CALLER)
    assert run("prune_events") == "0 events left the feed.\n"
    subscriptions.resume(id=subscription.id, caller=CALLER)
    relay_once()
    assert run("prune_events") == "5 events left the feed.\n"


def test_a_disabled_subscription_keeps_nothing_and_cannot_go_on_as_if_it_had(told):
    subscription = subscribe("https://8.8.8.8/")
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    Subscription.objects.filter(id=subscription.id).update(status="DISABLED")
    age(100, up_to=3)
    assert run("prune_events") == "3 events left the feed.\n"
    with pytest.raises(errors.EventsPruned):
        subscriptions.resume(id=subscription.id, caller=CALLER)
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    assert subscriptions.resume(id=subscription.id, caller=CALLER).lag_events == 2


def test_pruning_in_parts_comes_to_the_same(told, monkeypatch):
    monkeypatch.setattr(feed, "PRUNED_AT_ONCE", 2)
    age(100)
    assert run("prune_events") == "5 events left the feed.\n"
    deposit(told, "1")
    assert [event["position"] for event in feed.read().events] == [6]


def test_a_new_epoch_begins_only_where_the_database_is_another(told):
    old = feed.read().cursor
    assert run("new_feed_epoch").startswith("Nothing to do")
    subscription = subscribe("https://8.8.8.8/")
    FeedState.objects.update(timeline_id=77)
    with pytest.raises(errors.FeedStopped):
        subscriptions.create(kind="webhook", url="https://8.8.8.8/2", caller=CALLER)
    with pytest.raises(CommandError):
        run("relay_events", "--once")
    assert "new epoch" in run("new_feed_epoch")
    page = feed.read()
    assert page.cursor.epoch != old.epoch
    assert {event["epoch"] for event in page.events} == {str(page.cursor.epoch)}
    assert [event["position"] for event in page.events] == [1, 2, 3, 4, 5]
    with pytest.raises(errors.FeedEpochChanged):
        feed.read(old)
    moved = subscriptions.get(subscription.id)
    assert (moved.epoch, moved.position) == (page.cursor.epoch, 5)
    assert run("new_feed_epoch").startswith("Nothing to do")
    assert "new epoch" in run("new_feed_epoch", "--force")

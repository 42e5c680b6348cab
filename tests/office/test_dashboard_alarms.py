"""What the dashboard warns of: a feed that is stuck, subscriptions in trouble, books that were not proven."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from accounts import operations
from events import feed
from events.models import PendingEvent
from events.models import subscriptions as models
from office.pages import dashboard
from tests import cast
from tests.office.dashboards import OPERATIONS, find_tiles, look, make_run, subscribe


def test_a_feed_without_pending_events_is_well(superuser):
    cast.deposit(cast.AccountFactory(), "5")
    assert "Without a place: 3, the oldest from" in look(superuser, page=OPERATIONS)
    feed.place_pending()
    assert "No events pending. All were sent." in look(superuser, page=OPERATIONS)
    assert not find_tiles(superuser, OPERATIONS)["Events in the feed"]


def test_events_that_nobody_gives_a_place_raise_the_alarm(superuser, monkeypatch):
    cast.deposit(cast.AccountFactory(), "5")
    assert PendingEvent.objects.exists()
    assert not find_tiles(superuser, OPERATIONS)["Events in the feed"]
    monkeypatch.setattr(dashboard, "BEHIND", timedelta(0))
    assert find_tiles(superuser, OPERATIONS)["Events in the feed"]


def test_a_stopped_feed_raises_the_alarm(superuser):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_feed_state DISABLE TRIGGER USER")
        cursor.execute("UPDATE events_feed_state SET timeline_id = timeline_id + 1")
    assert "Stopped The database was restored or has failed over" in look(superuser, page=OPERATIONS)
    assert find_tiles(superuser, OPERATIONS)["Events in the feed"]


def test_subscriptions_in_trouble_are_shown_without_their_urls(superuser):
    cast.deposit(cast.AccountFactory(), "5")
    feed.place_pending()
    now = operations.read_clock()
    well = subscribe(0, last_error_at=now - timedelta(hours=1), last_sent_at=now)
    troubled = [
        subscribe(1, status="DISABLED"),
        subscribe(2, status="PAUSED"),
        subscribe(3, attempts=2, failing_since=now),
        subscribe(4, failing_since=now),  # resumed, and nothing was sent since
    ]
    page = superuser.get(OPERATIONS).content.decode()
    shown = set(re.findall(r"/admin/events/subscription/([0-9a-f-]{36})/change/", page))
    assert shown == {str(each.id) for each in troubled}
    assert str(well.id) not in page
    assert "s3cret" not in page
    assert "hooks3.example.com" in page
    for number in range(5, 15):
        subscribe(number, status="PAUSED")
    text = look(superuser, page=OPERATIONS)
    assert text.count("example.com") == 10
    assert "And 4 more." in text


def test_a_subscription_that_lags_is_in_trouble(superuser, monkeypatch):
    cast.deposit(cast.AccountFactory(), "5")
    feed.place_pending()
    subscribe(1, position=0)
    assert "Everybody gets their events." in look(superuser, page=OPERATIONS)
    assert "The oldest that was not sent is from" in look(superuser, page=OPERATIONS)
    monkeypatch.setattr(models, "LAG_MAX", timedelta(0))
    assert "hooks1.example.com" in look(superuser, page=OPERATIONS)


@pytest.mark.parametrize(
    ("runs", "says", "alarms"),
    [
        ([], "Never audited Never fully audited.", True),
        ([{}], "Clean Audited", False),
        ([{"days": 1}, {"findings": 3}], "3 findings Audited", True),
        ([{"findings": 1}], "1 finding Audited", True),
        ([{"findings": 3, "days": 1}, {}], "Clean Audited", False),
        ([{"days": 3}], "Overdue Audited", True),
        ([{"is_whole": False}], "Never fully audited.", True),
        ([{"findings": 2}, {"is_whole": False}], "2 findings Audited", True),
        ([{"days": 1}, {"is_whole": False, "findings": 4}], "4 findings Audited", True),
        ([{"is_whole": False, "findings": 4, "days": 1}, {}], "Clean Audited", False),
    ],
)
def test_the_last_audit_raises_the_alarm_unless_it_is_clean_and_new(superuser, runs, says, alarms):
    for run in runs:
        make_run(**run)
    assert says in look(superuser, page=OPERATIONS)
    assert find_tiles(superuser, OPERATIONS)["Last audit"] is alarms


ALARM = "Something wants operators"


def test_on_the_dashboard_one_tile_says_that_something_wants_operators_and_what(superuser):
    make_run()
    assert ALARM not in find_tiles(superuser)
    subscribe(1, status="DISABLED")
    assert find_tiles(superuser)[ALARM]
    assert "Look Of subscriptions." in look(superuser)
    make_run(findings=1)
    assert "Look Of audits. Of subscriptions." in look(superuser)
    assert f'href="{OPERATIONS}"' in superuser.get("/admin/").content.decode()

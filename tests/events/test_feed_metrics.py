"""How far the feed and its subscribers have come can be watched, also when no relay runs."""

import pytest

from events import feed
from events.models import FeedState
from events.relay import Relay
from tests.cast import deposit
from tests.database import execute
from tests.events.conftest import relay_once, subscribe
from tests.receivers import answering
from tests.scraping import scrape_relay


def scrape():
    """Without labels: there is one subscription."""
    return {series.partition("{")[0]: value for series, value in scrape_relay().items()}


def test_what_waits_and_for_how_long_is_a_number(hook, account):
    subscribe(hook.url)
    deposit(account, "1")
    before = scrape()
    assert (before["ledger_feed_pending_events"], before["ledger_feed_position"]) == (1, 2)
    assert before["ledger_feed_oldest_pending_seconds"] > 0
    hook.behaviour = answering(500)
    relay_once()
    after = scrape()
    assert (after["ledger_feed_pending_events"], after["ledger_feed_oldest_pending_seconds"]) == (0, 0)
    assert (after["ledger_subscription_lag_events"], after["ledger_subscription_active"]) == (1, 1)
    assert after["ledger_subscription_lag_seconds"] > 0
    assert after["ledger_subscription_failed_attempts"] == 1
    assert after["ledger_deliveries_failed_total"] == 1
    assert after["ledger_deliveries_sent_total"] == after["ledger_deliveries_unroutable_total"] == 0


SEEN = "ledger_relay_seen_timestamp_seconds"


def test_who_reads_the_feed_does_not_pass_for_a_relay(account):
    deposit(account, "1")
    feed.read()
    found = scrape()
    assert (found["ledger_feed_oldest_pending_seconds"], found[SEEN]) == (0, 0)
    relay_once()
    [[now]] = execute("SELECT extract(epoch FROM clock_timestamp())::float")
    assert 0 <= now - scrape()[SEEN] < 60


def test_a_relay_says_every_ten_seconds_that_it_works_and_waits_for_nobody(monkeypatch):
    relay = Relay()
    relay.step()
    first = FeedState.objects.get().relay_seen_at
    relay.step()
    assert FeedState.objects.get().relay_seen_at == first
    relay.show_at -= 10
    relay.step()
    assert FeedState.objects.get().relay_seen_at > first


def test_a_round_that_fails_does_not_say_so(account):
    relay = Relay(chores=(lambda: 1 / 0,))
    with pytest.raises(ZeroDivisionError):
        relay.step()
    assert FeedState.objects.get().relay_seen_at is None

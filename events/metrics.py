"""How far the feed and its subscribers have come; the relay serves it (`ledger_project.metrics`)."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from events.models import Subscription
from ledger.figures import DatabaseCollector, counters, gauge, gauges
from ledger.sql import fetch

FEED = """
SELECT last_position, pruned_through,
    (SELECT count(*) FROM (SELECT FROM events_pending LIMIT 100000) AS counted),
    coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(recorded_at) FROM events_pending)), 0),
    coalesce(extract(epoch FROM relay_seen_at), 0)
FROM events_feed_state
"""
OF_FEED = {
    "ledger_feed_position": "The last place that was given in the feed.",
    "ledger_feed_pruned_through": "The last place whose event was pruned.",
    "ledger_feed_pending_events": "Committed events without a place (counted up to 100,000).",
    "ledger_feed_oldest_pending_seconds": "Age of the oldest event without a place.",
    "ledger_relay_seen_timestamp_seconds": "When a relay last said that it works, in Unix time; 0: never.",
}
OF_SUBSCRIPTIONS = {
    "lag_events": (gauges, "ledger_subscription_lag_events", "Events not sent yet."),
    "lag_seconds": (gauges, "ledger_subscription_lag_seconds", "Age of the oldest event not sent yet."),
    "attempts": (gauges, "ledger_subscription_failed_attempts", "Failed attempts of the next event."),
    "is_active": (gauges, "ledger_subscription_active", "1; 0 when paused or disabled."),
    "sent": (counters, "ledger_deliveries_sent", "Events that were taken."),
    "failed": (counters, "ledger_deliveries_failed", "Attempts that failed."),
    "unroutable": (counters, "ledger_deliveries_unroutable", "Events that the broker had no queue for."),
}


class FeedMetrics(DatabaseCollector):
    """The figures of the feed and of each subscription."""

    def read(self) -> Iterator[Metric]:
        for (name, text), value in zip(OF_FEED.items(), fetch(FEED)[0], strict=True):
            yield gauge(name, text, value)
        subscriptions = Subscription.objects.with_lag()
        for attribute, (make, name, text) in OF_SUBSCRIPTIONS.items():
            rows = [(each.id, each.kind, getattr(each, attribute)) for each in subscriptions]
            yield make(name, text, ("subscription", "kind"), rows)

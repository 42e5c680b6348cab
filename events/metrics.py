"""How far the feed and its subscribers have come; `ledger_project.metrics` serves it.

Read from the database when it is asked for, so that it is of all relays, and right when none runs.
"""

from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from events.models import Subscription
from ledger.sql import fetch

FEED = """
SELECT last_position, pruned_through,
    (SELECT count(*) FROM (SELECT FROM events_pending LIMIT 100000) AS counted),
    coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(recorded_at) FROM events_pending)), 0)
FROM events_feed_state
"""
OF_FEED = {
    "ledger_feed_position": "The last place that was given in the feed.",
    "ledger_feed_pruned_through": "The last place whose event was pruned.",
    "ledger_feed_pending_events": "Committed events without a place (counted up to 100,000).",
    "ledger_feed_oldest_pending_seconds": "Age of the oldest event without a place.",
}
OF_SUBSCRIPTIONS = {
    "lag_events": (GaugeMetricFamily, "ledger_subscription_lag_events", "Events not sent yet."),
    "lag_seconds": (
        GaugeMetricFamily,
        "ledger_subscription_lag_seconds",
        "Age of the oldest event not sent yet.",
    ),
    "attempts": (
        GaugeMetricFamily,
        "ledger_subscription_failed_attempts",
        "Failed attempts of the next event.",
    ),
    "is_active": (GaugeMetricFamily, "ledger_subscription_active", "1; 0 when paused or disabled."),
    "sent": (CounterMetricFamily, "ledger_deliveries_sent", "Events that were taken."),
    "failed": (CounterMetricFamily, "ledger_deliveries_failed", "Attempts that failed."),
    "unroutable": (
        CounterMetricFamily,
        "ledger_deliveries_unroutable",
        "Events that the broker had no queue for.",
    ),
}


class FeedMetrics(Collector):
    """The figures of the feed and of each subscription; none when the database is away."""

    def collect(self) -> Iterator[Metric]:
        try:
            for (name, text), value in zip(OF_FEED.items(), fetch(FEED)[0], strict=True):
                yield GaugeMetricFamily(name, text, value=float(value))
            subscriptions = Subscription.objects.with_lag()
            for attribute, (kind, name, text) in OF_SUBSCRIPTIONS.items():
                family = kind(name, text, labels=["subscription", "kind"])
                for each in subscriptions:
                    family.add_metric([str(each.id), each.kind], float(getattr(each, attribute)))
                yield family
        except (OperationalError, InterfaceError):
            pass  # the rest of the metrics is wanted most when the database is away

"""When tokens end; `ledger_project.metrics` serves it."""

from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.sql import fetch

NEAREST = """
SELECT extract(epoch FROM expiry) FROM accounts_token JOIN accounts_user AS holder ON holder.id = user_id
WHERE revoked_at IS NULL AND expiry > clock_timestamp() AND is_active ORDER BY expiry LIMIT 1
"""


class TokenMetrics(Collector):
    """The nearest end of a token that is still taken; none when there is no such token, or no database."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauge = GaugeMetricFamily(
            "ledger_token_nearest_end_timestamp_seconds",
            "When the next of the tokens that are taken now expires, in Unix time.",
        )
        try:
            for [end] in fetch(NEAREST):
                gauge.add_metric([], float(end))
        except (OperationalError, InterfaceError):
            return  # the rest of the metrics is wanted most when the database is away
        yield gauge

"""What is counted about postings; `ledger_project.metrics` serves it over all workers."""

from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from transactions.models import AuditRun

POSTINGS = Counter("ledger_postings", "Transactions decided, by type and outcome.", ["type", "outcome"])
POSTING_SECONDS = Histogram(
    "ledger_posting_seconds",
    "Time of one call of posting.post, from its first look to its commit, retries included.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
POSTING_RETRIES = Counter(
    "ledger_posting_retries", "Postings run again after a lost connection, a deadlock or a lost race."
)


class AuditMetrics(Collector):
    """What the last audit found, and when everything was last proven. Read from the database."""

    def collect(self) -> Iterator[Metric]:
        try:
            last = AuditRun.objects.order_by("-finished_at").first()
            clean = AuditRun.objects.filter(is_whole=True, findings=0).order_by("-finished_at").first()
        except (OperationalError, InterfaceError):
            return
        if last is not None:
            yield GaugeMetricFamily("ledger_audit_findings", "Of the last audit.", value=last.findings)
        if clean is not None:
            yield GaugeMetricFamily(
                "ledger_audit_clean_timestamp_seconds",
                "When an audit of everything last found nothing, in seconds since 1970.",
                value=clean.finished_at.timestamp(),
            )

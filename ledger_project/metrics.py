"""Prometheus metrics, added up over all workers (`PROMETHEUS_MULTIPROC_DIR`, which `serve` sets)."""

import os
from collections.abc import Iterator
from contextlib import suppress

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request

from accounts.metrics import TokenMetrics
from events.metrics import FeedMetrics
from ledger.sql import fetch
from rest.errors import PermissionMissing, handle_exception
from rest.viewsets import TokenAuthentication
from transactions.posting.metrics import AuditMetrics

PERMISSION = "accounts.view_metrics"


class DatabaseConnections(Collector):
    """The database's own count, so that it is of all workers and commands."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauge = GaugeMetricFamily(
            "ledger_database_connections", "Open connections to the ledger's database.", labels=["state"]
        )
        # The rest of the metrics is wanted most when the database is away.
        with suppress(OperationalError, InterfaceError):
            for state, count in fetch(
                "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() GROUP BY 1"
            ):
                gauge.add_metric([state], count)
        yield gauge


@require_safe
def serve_metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus. With `METRICS_PUBLIC` off it asks for a token that may read it."""
    if not settings.METRICS_PUBLIC:
        try:
            _require_permission(request)
        except APIException as error:
            return handle_exception(error, {"request": request})
    registry = CollectorRegistry()
    for collector in (DatabaseConnections(), FeedMetrics(), TokenMetrics(), AuditMetrics()):
        registry.register(collector)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        body = generate_latest(registry)
    else:
        body = generate_latest(REGISTRY) + generate_latest(registry)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _require_permission(request: HttpRequest) -> None:
    """Raises what DRF would."""
    found = TokenAuthentication().authenticate(Request(request))
    if found is None:
        raise NotAuthenticated
    if PERMISSION not in found[1].permissions:
        raise PermissionMissing(PERMISSION)

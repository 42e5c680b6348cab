"""Metrics for Prometheus. Every server tells what it did itself, added up over its workers
(`PROMETHEUS_MULTIPROC_DIR`, which `serve` sets). What is read from the database is told by the relay alone,
or it would be there once for each server: `RELAY_METRICS_PORT`, or `relay_events --metrics-port`.
"""

import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request

from accounts.metrics import ClaimMetrics, HoldMetrics, TokenMetrics
from events.metrics import FeedMetrics
from ledger import __version__
from ledger_project.database.metrics import (
    ArchiverMetrics,
    MigrationMetrics,
    ReplicationMetrics,
    ServerMetrics,
)
from rest.errors import PermissionMissing, handle_exception
from rest.viewsets import TokenAuthentication
from transactions.metrics import AuditMetrics, CorrectionMetrics, MoneyMetrics, SearchMetrics

PERMISSION = "accounts.view_metrics"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class BuildMetrics(Collector):
    def collect(self) -> Iterator[Metric]:
        known = {"version": __version__, "commit": settings.COMMIT, "python": platform.python_version()}
        yield InfoMetricFamily("ledger_build", "What runs.", value=known)


class ProcessMetrics(Collector):
    """What `prometheus_client` tells of one process, of each of these, by its `pid`."""

    def __init__(self, find_pids: Callable[[], Iterable[int]]) -> None:
        self.find_pids = find_pids

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for pid in self.find_pids():
            for found in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    family.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        return families.values()


OF_DATABASE: tuple[Collector, ...] = (
    ServerMetrics(),
    ReplicationMetrics(),
    ArchiverMetrics(),
    MigrationMetrics(),
    FeedMetrics(),
    TokenMetrics(),
    HoldMetrics(),
    ClaimMetrics(),
    MoneyMetrics(),
    CorrectionMetrics(),
    SearchMetrics(),
    AuditMetrics(),
)


@require_safe
def serve_metrics(request: HttpRequest) -> HttpResponse:
    """A server's own. With `METRICS_PUBLIC` off it asks for a token that may read it."""
    if MULTIPROCESS in os.environ:
        return _answer(request, [BuildMetrics(), ProcessMetrics(find_workers), Workers()])
    return _answer(request, [BuildMetrics(), REGISTRY])


@require_safe
def serve_relay_metrics(request: HttpRequest) -> HttpResponse:
    """The relay's, and what is read from the database. Under `serve` the server tells its counters."""
    own = ProcessMetrics(lambda: [os.getpid()]) if MULTIPROCESS in os.environ else REGISTRY
    return _answer(request, [BuildMetrics(), own, *OF_DATABASE])


class Workers(Collector):
    """The counters of all workers, and of the relay beside them."""

    def collect(self) -> Iterable[Metric]:
        registry = CollectorRegistry()
        return multiprocess.MultiProcessCollector(registry).collect()  # type: ignore[no-untyped-call,no-any-return]


def find_workers() -> list[int]:
    """The numbers of this server's workers: processes that count here, of this one's session. What dead ones
    said of the moment is forgotten."""
    numbers = {
        int(found[1])
        for name in os.listdir(os.environ[MULTIPROCESS])
        if (found := re.search(r"_(\d+)\.db$", name))
    }
    workers = []
    for pid in sorted(numbers):
        try:
            if os.getsid(pid) == os.getsid(0):
                workers.append(pid)
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
    return workers


def _answer(request: HttpRequest, collectors: Sequence[Collector]) -> HttpResponse:
    if not settings.METRICS_PUBLIC:
        try:
            _require_permission(request)
        except APIException as error:
            return handle_exception(error, {"request": request})
    body = b"".join(generate_latest(collector) for collector in collectors)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _require_permission(request: HttpRequest) -> None:
    """Raises what DRF would."""
    found = TokenAuthentication().authenticate(Request(request))
    if found is None:
        raise NotAuthenticated
    if PERMISSION not in found[1].permissions:
        raise PermissionMissing(PERMISSION)

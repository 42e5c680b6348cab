"""Figures for Prometheus that are read from the database when they are asked for."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import structlog
from django.db import Error, InterfaceError, OperationalError
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.logs import describe_error

logger = structlog.get_logger(__name__)


class DatabaseCollector(Collector):
    """`read` gives metrics; while the database is away, or does not answer it, there are none. The others are
    wanted most then."""

    @abstractmethod
    def read(self) -> Iterator[Metric]: ...

    def collect(self) -> Iterable[Metric]:
        try:
            return list(self.read())
        except Error as error:
            if not isinstance(error, OperationalError | InterfaceError):
                logger.warning("figures_not_read", of=type(self).__name__, error=describe_error(error))
            return []


def gauge(name: str, text: str, value: Any) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def gauges(name: str, text: str, labels: Sequence[str], rows: Iterable[Sequence[Any]]) -> Metric:
    """Of each row the values of the labels, then the value."""
    return _fill(GaugeMetricFamily(name, text, labels=labels), rows)


def counters(name: str, text: str, labels: Sequence[str], rows: Iterable[Sequence[Any]]) -> Metric:
    """As `gauges`; Prometheus adds `_total` to the name."""
    return _fill(CounterMetricFamily(name, text, labels=labels), rows)


def _fill(family: Any, rows: Iterable[Sequence[Any]]) -> Metric:
    for *labels, value in rows:
        family.add_metric([str(label) for label in labels], float(value))
    return family  # type: ignore[no-any-return]

"""How many requests were answered, how, and in what time."""

from functools import lru_cache

from django.urls import ResolverMatch
from prometheus_client import Counter, Histogram

REQUESTS = Counter("ledger_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("ledger_request_seconds", "Time to answer a request.", ["method", "route"])
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def count(method: str | None, match: ResolverMatch | None, status: int, seconds: float) -> None:
    """A caller chooses paths and methods; labels are ours, so that their number stays small."""
    known = method if method in METHODS else "OTHER"
    requests, request_seconds = _find(known, match.route if match else "none", status)
    requests.inc()
    request_seconds.observe(seconds)


@lru_cache(maxsize=2048)
def _find(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The counters of these labels, which take a while to look up."""
    return (
        REQUESTS.labels(method=method, route=route, status=status),
        REQUEST_SECONDS.labels(method=method, route=route),
    )

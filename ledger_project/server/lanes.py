"""Lanes: threads and waiting places for each kind of request, so that none can take another's.

A lane that is full answers 503 at once; before it is, nobody has more than a share of its places.
"waits" is for requests that wait for somebody else. "passwords" has one thread only: to hash one takes a
quarter of a second of a core, and anybody can send one.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Gauge

from rest import API


def _make_gauge(name: str, text: str) -> Gauge:
    return Gauge(name, text, ["lane"], multiprocess_mode="livesum")


# As every worker sees them once a second, added up.
BUSY = _make_gauge("ledger_lane_busy", "Requests that are worked on: by a thread, where a lane has threads.")
WAITING = _make_gauge("ledger_lane_waiting", "Requests that wait for a thread of their lane.")
THREADS = _make_gauge("ledger_lane_threads", "Threads; 0 of a lane whose requests are the loop's.")
PLACES = _make_gauge("ledger_lane_places", "Requests that there is room for.")
REFUSED = PrometheusCounter("ledger_lane_refused", "Requests that found no place.", ["lane"])


@dataclass
class Lane:
    """Up to `places` requests at once, those that are worked on included. Without threads it is the loop's.
    Called by the loop's thread only.

    `body_max` is the most bytes that a body is waited for; what is longer is refused without it.
    """

    name: str
    threads: int
    places: int
    body_max: int
    taken: int = 0
    of_callers: Counter[str] = field(default_factory=Counter)
    pool: ThreadPoolExecutor | None = field(init=False)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.threads, self.name) if self.threads else None
        REFUSED.labels(self.name)  # begins with 0, so that the first one is seen to come

    def show(self) -> None:
        """In the metrics, how full it is."""
        busy = min(self.taken, self.threads or self.taken)
        BUSY.labels(self.name).set(busy)
        WAITING.labels(self.name).set(self.taken - busy)
        THREADS.labels(self.name).set(self.threads)
        PLACES.labels(self.name).set(self.places)

    def has_place(self, caller: str) -> bool:
        """Whether there is one for the caller. In a lane that is half full nobody has more than a quarter."""
        return self.taken < self.places // 2 or (
            self.taken < self.places and self.of_callers[caller] < self.places // 4
        )

    def enter(self, caller: str) -> None:
        self.taken += 1
        self.of_callers[caller] += 1

    def leave(self, caller: str) -> None:
        self.taken -= 1
        self.of_callers[caller] -= 1
        if not self.of_callers[caller]:
            del self.of_callers[caller]


def make_lanes() -> dict[str, Lane]:
    """The lanes of a worker, by their names."""
    small, threads = settings.API_BODY_BYTES_MAX, settings.LANE_THREADS
    return {
        lane.name: lane
        for lane in (
            Lane("payments", 0, settings.PAYMENTS_MAX, small),
            Lane("hot-reads", 0, settings.PAYMENTS_MAX, small),
            Lane("writes", threads, 64, small),
            Lane("batches", 2, 64, settings.API_BATCH_BYTES_MAX),
            Lane("reads", threads, 128, settings.API_BATCH_BYTES_MAX),  # dry runs of lists are among them
            Lane("statements", 2, 16, small),
            Lane("waits", settings.LONG_POLLS_MAX, settings.LONG_POLLS_MAX, small),
            Lane("office", 2, 64, settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
            Lane("passwords", 1, 16, small),
            Lane("probes", 1, 64, small),
        )
    }


def choose_lane(method: str, path: str, query: str) -> str:
    """The name of the lane that a request takes."""
    if not path.startswith(API):
        if path in ("/livez", "/readyz", "/metrics"):
            return "probes"
        return "passwords" if method == "POST" and "/login/" in path else "office"
    path = path[len(API) :]
    if method == "POST":
        if query and "dry_run=true" in query:
            return "reads"
        if path.startswith("subscriptions/") and path.endswith("/test"):
            return "waits"
        if path in ("transactions", "transfers"):
            return "payments"
        return "batches" if path == "batches" or path.startswith("batches/") else "writes"
    if method not in ("GET", "HEAD"):
        return "writes"
    if path.startswith("transactions/") or path.endswith("/balance"):
        return "hot-reads"
    if path == "events" and "wait=" in query:
        return "waits"
    return "statements" if path.endswith("/statement") else "reads"

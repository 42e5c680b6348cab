"""Lanes: threads and waiting places for each kind of request, so that none can take another's.

A lane that is full answers 503 at once; before it is, nobody has more than a share of its places.
"waits" is for requests that wait for somebody else. "passwords" has one thread only: to hash one takes a
quarter of a second of a core, and anybody can send one.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings

KIB, MIB = 1024, 1024 * 1024


@dataclass
class Lane:
    """Up to `places` requests at once, those that are worked on included. Without threads it is the loop's.

    `body_max` is the most bytes that a body is waited for; what is longer is refused without it.
    """

    name: str
    threads: int
    places: int
    body_max: int
    taken: int = 0
    of_callers: Counter[str] = field(default_factory=Counter)
    pool: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        if self.threads:
            self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)

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


class Lanes:
    """Which lane a request takes. Called by the loop's thread only."""

    def __init__(self) -> None:
        small, threads = 64 * KIB, settings.LANE_THREADS
        self.payments = Lane("payments", 0, settings.PAYMENTS_MAX, small)
        self.hot_reads = Lane("hot-reads", 0, settings.PAYMENTS_MAX, small)
        self.writes = Lane("writes", threads, 64, small)
        self.batches = Lane("batches", 2, 64, MIB)
        self.reads = Lane("reads", threads, 128, small)
        self.statements = Lane("statements", 2, 16, small)
        self.waits = Lane("waits", settings.LONG_POLLS_MAX, settings.LONG_POLLS_MAX, small)
        self.office = Lane("office", 2, 64, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        self.passwords = Lane("passwords", 1, 16, small)
        self.probes = Lane("probes", 1, 64, small)

    def choose(self, method: str, path: str, query: str) -> Lane:
        if not path.startswith("/api/v1/"):
            return self.choose_other(method, path)
        if method == "POST":
            if path.startswith("/api/v1/subscriptions/") and path.endswith("/test"):
                return self.waits
            if path in ("/api/v1/transactions", "/api/v1/transfers"):
                return self.payments
            return self.batches if path == "/api/v1/transactions/batch" else self.writes
        if method not in ("GET", "HEAD"):
            return self.writes
        if path.startswith("/api/v1/transactions/") or path.endswith("/balance"):
            return self.hot_reads
        if path == "/api/v1/events" and "wait=" in query:
            return self.waits
        return self.statements if path.endswith("/statement") else self.reads

    def choose_other(self, method: str, path: str) -> Lane:
        if path in ("/livez", "/readyz", "/metrics"):
            return self.probes
        return self.passwords if method == "POST" and "/login/" in path else self.office

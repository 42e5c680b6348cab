"""The points at which something is killed on an intent's way into the ledger, each by its name."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException

import psutil
from ledger_client.testing import BadNetwork, Fate

from tests.clients import application
from tests.faults.nemesis import WORKER_AGE_SECONDS_MIN
from tests.faults.proxy import CUT_AFTER, CUT_BEFORE, HOLD, CommitProxy
from tests.servers import wait_for
from tests.service import Service

KILLED_SECONDS_MAX = 30


class KillingProxy(CommitProxy):
    """Before the next COMMIT gets to the database, `before_commit` is called, and the COMMIT never gets
    there."""

    before_commit: Callable[[], None] | None = None

    def take_harm(self) -> str | None:
        if self.before_commit is None:
            return super().take_harm()
        act, self.before_commit = self.before_commit, None
        act()
        return CUT_BEFORE


@dataclass
class Point:
    """`writer` and `sender`: where the application's processes die; the rest befalls what they send to."""

    name: str
    writer: str | None = None
    sender: str | None = None
    fate: Fate | None = None
    harm: str | None = None
    before_commit: str | None = None
    after_commit: str | None = None
    kills: int = field(default=0, compare=False)

    @property
    def is_slow(self) -> bool:
        """Whether the ledger must be started again."""
        return bool(self.before_commit or self.after_commit)


WORKER, DATABASE = "the ledger", "the ledger's database"
POINTS = [
    Point(f"application {application.IN_THE_TRANSACTION}", writer=application.IN_THE_TRANSACTION),
    Point(f"application {application.AFTER_THE_COMMIT}", writer=application.AFTER_THE_COMMIT),
    Point(f"application {application.BEFORE_SENDING}", sender=application.BEFORE_SENDING),
    Point(f"application {application.AFTER_THE_ANSWER}", sender=application.AFTER_THE_ANSWER),
    Point(f"application {application.AFTER_ITS_COMMIT}", sender=application.AFTER_ITS_COMMIT),
    *(Point(f"network {fate.value}", fate=fate) for fate in Fate),
    Point(f"COMMIT of the ledger {CUT_BEFORE}", harm=CUT_BEFORE),
    Point(f"COMMIT of the ledger {CUT_AFTER}", harm=CUT_AFTER),
    Point("ledger before its COMMIT", before_commit=WORKER),
    Point("ledger after its COMMIT, before its answer", after_commit=WORKER),
    Point("ledger's database before the COMMIT", before_commit=DATABASE),
]


class Killer:
    """Arms a point, and knows when it has struck."""

    def __init__(self, service: Service, proxy: KillingProxy, network: BadNetwork) -> None:
        self.service, self.proxy, self.network = service, proxy, network

    def arm(self, point: Point) -> int:
        """What `has_struck` is compared with."""
        if point.fate:
            self.network.suffer(point.fate)
            return self.network.done[point.fate]
        if point.harm:
            self.proxy.harm(point.harm)
            return self.proxy.harmed[point.harm]
        if point.before_commit or point.after_commit:
            self.wait_for_a_worker_of_age()
        if point.after_commit:
            self.proxy.harm(HOLD)
            return self.proxy.harmed[HOLD]
        if point.before_commit:
            is_worker = point.before_commit == WORKER
            self.proxy.before_commit = self.kill_workers if is_worker else self.service.kill_postmaster
        return 0

    def strike(self, point: Point, before: int, is_over: Callable[[], bool]) -> None:
        """While somebody sends: what is killed from outside, at the right moment."""
        if point.after_commit:
            wait_for(lambda: self.proxy.harmed[HOLD] > before or is_over(), KILLED_SECONDS_MAX)
            if self.proxy.harmed[HOLD] > before:
                self.kill_workers()

    def has_struck(self, point: Point, before: int, exit_code: int) -> bool:
        if point.fate:
            return self.network.done[point.fate] > before
        if point.harm:
            return self.proxy.harmed[point.harm] > before
        if point.after_commit:
            return self.proxy.harmed[HOLD] > before
        if point.before_commit:
            return self.proxy.before_commit is None
        return exit_code == -9

    def heal(self) -> None:
        """What was not reached is not to come any more, and the ledger answers."""
        self.network.heal()
        self.proxy.heal()
        self.proxy.before_commit = None
        wait_for(self.answers, KILLED_SECONDS_MAX * 2)

    def answers(self) -> bool:
        try:
            return self.service.send("GET", "/readyz", timeout=5)[0] == 200
        except (OSError, HTTPException):
            return False

    def kill_workers(self) -> None:
        for worker in self.service.find_workers():
            worker.kill()

    def wait_for_a_worker_of_age(self) -> None:
        """The server takes a worker that dies young for one that cannot live, and ends."""

        def is_of_age() -> bool:
            try:
                workers = self.service.find_workers()
                return all(time.time() - each.create_time() > WORKER_AGE_SECONDS_MIN for each in workers)
            except (psutil.NoSuchProcess, AssertionError):
                return False

        wait_for(is_of_age, KILLED_SECONDS_MAX * 2)

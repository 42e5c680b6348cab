"""CPU by class of process, in nanoseconds from the kernel's clock of each process (Linux).

Rates on a shared machine swing by a factor of two; CPU per request hardly does.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.25  # what an ended process used after its last sample is lost
CPUCLOCK_SCHED = 2  # linux/posix-timers.h: all threads of a process, ended ones included
BACKGROUND = {
    "walwriter": "walwriter",
    "checkpointer": "checkpointer",
    "autovacuum": "autovacuum",
    "background": "other of PostgreSQL",
    "io": "other of PostgreSQL",
    "logical": "other of PostgreSQL",
}

Seen = dict[tuple[str, int], float]  # seconds of CPU so far, by class and pid


def read_cpu(pid: int) -> float:
    """Seconds of CPU that the process has used. Raises OSError when there is none."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def find_children(pid: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += [int(child) for child in (task / "children").read_text().split()]
    return children


def find_tree(pid: int) -> Iterator[int]:
    """The process and all its descendants that are there now."""
    with suppress(OSError):
        children = find_children(pid)
        yield pid
        for child in children:
            yield from find_tree(child)


def read_command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()


def read_name(pid: int) -> str:
    """What `serve` calls its processes: server, relay."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


@dataclass(frozen=True)
class Site:
    """Whose CPU is read: a tree of processes, and the server's backends that work on one database.

    `here` adds this process itself to the service. The backends in `without` belong to nobody.
    """

    service: int
    postmaster: int
    database: str
    here: bool = False
    without: Collection[int] = ()

    def read(self) -> Seen:
        seen: Seen = {}
        named = [("relay" if is_relay(pid) else "service", pid) for pid in find_tree(self.service)]
        named += [("service", os.getpid())] if self.here else []
        for pid in find_children(self.postmaster):
            with suppress(OSError):
                named.append((self.classify(pid), pid))
        for name, pid in named:
            with suppress(OSError):
                seen[name, pid] = read_cpu(pid)
        return seen

    def classify(self, pid: int) -> str:
        """By the title that PostgreSQL gives its processes: `postgres: user database host activity`."""
        words = read_command(pid).removeprefix("postgres:").split()
        if words and words[0] in BACKGROUND:
            return BACKGROUND[words[0]]
        mine = len(words) > 1 and words[1] == self.database and pid not in self.without
        return "backends" if mine else "others' backends"


def is_relay(pid: int) -> bool:
    with suppress(OSError):
        return read_name(pid) == "relay" or "relay_events" in read_command(pid)
    return False


class Meter:
    """Adds up what the processes of a site use between `start` and `stop`, with those that end in between."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.first: Seen = {}
        self.last: Seen = {}
        self.ended = threading.Event()
        self.sampler = threading.Thread(target=self._sample, daemon=True)

    def start(self) -> None:
        self.first = self.site.read()
        self.last = dict(self.first)
        self.sampler.start()

    def stop(self) -> Counter[str]:
        """Seconds by class."""
        self.ended.set()
        self.sampler.join()
        self.last |= self.site.read()
        used: Counter[str] = Counter()
        for (name, pid), seconds in self.last.items():
            used[name] += seconds - self.first.get((name, pid), 0)  # type: ignore[assignment]
        del used["others' backends"]
        return used

    def _sample(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            self.last |= self.site.read()


@contextmanager
def measure(site: Site) -> Iterator[dict[str, float]]:
    """Seconds of CPU by class, there when the block has ended."""
    used: dict[str, float] = {}
    meter = Meter(site)
    meter.start()
    try:
        yield used
    finally:
        used.update(meter.stop())


def divide(used: dict[str, float], requests: int) -> dict[str, float]:
    """Microseconds per request, of seconds."""
    return {name: 1e6 * seconds / requests for name, seconds in used.items()}

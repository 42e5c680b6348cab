"""Faults, mixed at random: a quarter of the periods has none, every other one several at once."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import psycopg

from ledger_project.database.embedded import EmbeddedPostgres
from tests.faults.ledger import connect
from tests.faults.proxy import HARMS, CommitProxy
from tests.service import Service

RECOVERY_SECONDS_MAX = 60
QUIET_SHARE = 0.25
AT_ONCE_MAX = 4
LOCK_SECONDS = [1.0, 4.5]  # within the server's lock_timeout, and beyond
# granian takes a second death of a worker within 5.5 s for a crash loop, and ends.
WORKER_AGE_SECONDS_MIN = 6.5

WORKER, BACKEND, CONNECTION = "worker killed", "backend killed", "backend terminated"
POSTMASTER, LOCK = "postmaster killed", "account locked"
COMMITS = {harm: f"COMMITs {harm}" for harm in HARMS}
KINDS = (WORKER, BACKEND, CONNECTION, POSTMASTER, LOCK, *COMMITS.values())


def plan_periods(faults: int, seed: int) -> list[list[str]]:
    """Kinds for each period, so many in all, every kind about as often."""
    chance = random.Random(f"{seed} nemesis")
    bag = [kind for _ in range(faults // len(KINDS) + 1) for kind in chance.sample(KINDS, len(KINDS))]
    periods, taken = [], 0
    while taken < faults:
        size = 0 if chance.random() < QUIET_SHARE else chance.randint(1, AT_ONCE_MAX)
        periods.append(bag[taken : min(taken + size, faults)])
        taken += len(periods[-1])
    return periods


class Nemesis:
    """Knows where it hurts. `done` counts the faults by kind."""

    def __init__(self, service: Service, postgres: EmbeddedPostgres, proxy: CommitProxy, seed: int) -> None:
        self.service, self.postgres, self.proxy = service, postgres, proxy
        self.chance = random.Random(f"{seed} victims")
        self.done: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self._locks: list[threading.Thread] = []

    def strike(self, kind: str) -> None:
        harms = {text: harm for harm, text in COMMITS.items()}
        strikes: dict[str, Callable[[], None]] = {
            WORKER: self.kill_worker,
            BACKEND: lambda: self.signal_backend(signal.SIGKILL),
            CONNECTION: lambda: self.signal_backend(signal.SIGTERM),
            POSTMASTER: self.kill_postmaster,
            LOCK: self.lock_account,
        }
        if kind in harms:
            self.proxy.harm(harms[kind], times=self.chance.choice([1, 2, 3, 12]))
        else:
            strikes[kind]()
        self.done[kind] += 1

    def heal(self) -> None:
        self.proxy.heal()
        for lock in self._locks:
            lock.join()

    def kill_worker(self) -> None:
        for worker in self._poll(self.service.find_workers):
            if time.time() - worker.create_time() > WORKER_AGE_SECONDS_MIN:
                worker.kill()
                return

    def kill_postmaster(self) -> None:
        for postmaster in self._poll(self._find_postmaster):
            postmaster.kill()
            return

    def signal_backend(self, number: int) -> None:
        """Rather one that is at work than an idle one."""
        for backend in self._poll(self._find_backends):
            with suppress(psutil.NoSuchProcess):  # it has just ended by itself; then another one
                backend.send_signal(number)
                return

    def lock_account(self) -> None:
        seconds = self.chance.choice(LOCK_SECONDS)
        lock = threading.Thread(target=self._hold_lock, args=(seconds, self.chance.random()))
        lock.start()
        self._locks.append(lock)

    def _hold_lock(self, seconds: float, which: float) -> None:
        with suppress(psycopg.Error), connect(self.postgres) as connection:
            accounts = connection.execute("SELECT id FROM accounts_account ORDER BY id").fetchall()
            account = accounts[int(which * len(accounts))]
            connection.execute("SELECT FROM accounts_account WHERE id = %(id)s FOR UPDATE", account)
            time.sleep(seconds)

    def _find_postmaster(self) -> list[psutil.Process]:
        connect(self.postgres).close()  # its pid file is of this life
        return [psutil.Process(self.service.read_postmaster_pid())]

    def _find_backends(self) -> list[psutil.Process]:
        [postmaster] = self._find_postmaster()
        titles = {child: " ".join(child.cmdline()).strip() for child in postmaster.children()}
        backends = [child for child, title in titles.items() if "postgres ledger" in title]
        self.chance.shuffle(backends)
        return sorted(backends, key=lambda child: titles[child].endswith("idle"))

    def _poll(self, find: Callable[[], list[psutil.Process]]) -> Iterator[psutil.Process]:
        """Candidates again and again, until somebody takes one; what is just dying is passed over."""
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while self.service.process.poll() is None and time.monotonic() < deadline:
            with suppress(psycopg.Error, psutil.Error, OSError, ValueError, AssertionError):
                yield from find()
            time.sleep(0.05)
        raise AssertionError(f"The service did not recover. Its exit code: {self.service.process.poll()}.")

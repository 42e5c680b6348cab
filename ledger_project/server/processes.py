"""The processes of the service: forked from one that has loaded everything, so that they share its memory."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import ForkProcess

from ledger_project.database.embedded import EmbeddedPostgres, EmbeddedPostgresError

WATCH_SECONDS = 1.0
STOP_SECONDS_MAX = 20
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


class Processes:
    """What runs, by its name. This process must have neither threads nor connections, now and later."""

    def __init__(self, work: dict[str, Callable[[], None]], database: EmbeddedPostgres | None) -> None:
        self.work, self.database = work, database
        self.running: dict[str, ForkProcess] = {}
        self.stopping = False
        for number in STOP_SIGNALS:
            signal.signal(number, self.stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def stop(self, *_: object) -> None:
        """The handler of the signals to stop."""
        self.stopping = True

    def start(self, name: str) -> None:
        process = ForkProcess(target=run, args=(name, self.work[name], os.getpid()), name=name)
        process.start()
        self.running[name] = process

    def watch(self) -> None:
        """Until told to stop, bring back what has ended, as often as it takes: a full disk may become free.

        granian brings back its own workers, and ends when they die too soon after one another.
        """
        while not self.stopping:
            try:
                for name, process in list(self.running.items()):
                    if not process.is_alive():
                        sys.stderr.write(f"The {name} has ended; starting it again ...\n")
                        end_group(process)
                        self.start(name)
                if self.database is not None and not self.database.is_running():
                    sys.stderr.write("The embedded PostgreSQL is gone; starting it again ...\n")
                    self.database.start()
            except (OSError, EmbeddedPostgresError) as error:
                sys.stderr.write(f"{error}\n")
            time.sleep(WATCH_SECONDS)

    def end(self) -> None:
        """End all processes, then the database."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            end_group(process)
        if self.database is not None:
            self.database.stop()


def run(name: str, work: Callable[[], None], parent: int) -> None:
    """What a forked process does: its work, under its name, for as long as its parent lives.

    `parent` is the process id of the one that forked it.
    """
    os.setsid()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_NAME, name.encode())
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # so that nothing holds the port alone
    if os.getppid() == parent:
        work()


def end_group(process: ForkProcess) -> None:
    """Wait for a process that was told to end, and end what it leaves behind."""
    process.join(STOP_SECONDS_MAX)
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()

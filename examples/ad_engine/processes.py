"""The two sides of the demonstration, in processes of their own, and how they are killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
STOP_SECONDS_MAX = 30
# Somebody else's: the demonstration has a database and keys of its own.
KEYS = {"SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY"}
NOT_INHERITED = {"DATABASE_URL", *KEYS, "BROKER_URL", "BROKER_EXCHANGE"}


class Part:
    """A program; what it prints is in `log`. It is started again with the same command."""

    def __init__(self, command: list[str], log: Path, **environment: str) -> None:
        self.command = [sys.executable, *command]
        self.log = log
        self.environment = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED} | environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demonstration, which stops its parts itself
            )

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """kill -9, of everything that the program has started too."""
        if self.process is not None:
            for pid in [self.process.pid, *find_descendants(self.process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and not self.has_ended():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()


class LedgerPart(Part):
    """`manage.py serve`. Its database is no child of it and is killed by its own number."""

    def __init__(self, var: Path, port: int, log: Path, **environment: str) -> None:
        super().__init__(["manage.py", "serve", "--port", str(port)], log, LEDGER_VAR=str(var), **environment)
        self.var = var

    def kill(self) -> None:
        super().kill()
        for place in ("data", "location/data"):
            with contextlib.suppress(OSError):
                lines = (self.var / "postgres" / place / "postmaster.pid").read_text().splitlines()
                os.kill(int(lines[0]), signal.SIGKILL)

    def stop(self) -> None:
        """Also after a kill: whatever is left of it, the next run would find and stop."""
        if self.has_ended() and self.process is not None:
            self.kill()
        super().stop()


def find_descendants(pid: int) -> Iterator[int]:
    """By /proc; where there is none, children end by themselves when their parent is killed."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(stat.parent.name)
                yield child
                yield from find_descendants(child)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds_max: float) -> bool:
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

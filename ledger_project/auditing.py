"""The audit that the relay begins by itself, in a process of its own: it may take long, and much memory."""

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from typing import IO

import structlog
from django.conf import settings

from transactions import audits

LOOK_SECONDS = 60.0  # between two looks whether one is due
END_SECONDS = 5.0  # for an audit to end that was told to
FOUND = 3  # the exit status of `audit_when_due` if something was found; 1 is that of any fault of a program

logger = structlog.get_logger(__name__)


class Auditor:
    """A chore of the relay. Of several relays one audits: `audit_when_due` lets no second one begin."""

    def __init__(self, every: timedelta) -> None:
        self.every = every
        self.look_at = time.monotonic()
        self.process: subprocess.Popen[bytes] | None = None
        self.messages: IO[bytes]

    def __call__(self) -> None:
        if self.process is not None:
            if self.process.poll() is not None:
                self._tell(self.process.returncode)
                self.process = None
        elif time.monotonic() >= self.look_at:
            self.look_at = time.monotonic() + LOOK_SECONDS
            if audits.is_due(self.every):
                self._begin()

    def _begin(self) -> None:
        self.messages = tempfile.TemporaryFile()  # noqa: SIM115, closed when they are read
        # What was found stands in the database; its values are no lines for a log.
        self.process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "audit_when_due"],
            env={name: value for name, value in os.environ.items() if name != "DATABASE_POOL"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.messages,
        )

    def _tell(self, status: int) -> None:
        with self.messages as messages:
            messages.seek(0)
            last = messages.read().decode(errors="replace").strip().rpartition("\n")[2][-500:]
        if status == FOUND:
            logger.error("audit_found_something", hint="audit_balances --json names the rows")
        elif status != 0:
            logger.error("audit_failed", status=status, error=last)
        else:
            logger.info("audit_ended")

    def stop(self) -> None:
        """End an audit that is under way: the next one begins where the last whole one ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

"""A ledger of a program's own: an embedded server in a folder, and processes that work on it.

Django is loaded once and the processes are forked, so that a kill costs milliseconds. The program itself
never opens a connection of Django's: none is shared over a fork.
"""

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import django

from ledger_project.database.embedded import EmbeddedPostgres

KEYS = {
    "SECRET_KEY": "a key for tests, of more than fifty characters, used nowhere else",
    "CHAIN_KEY": "a chain key for tests, used nowhere else",
    "WEBHOOK_KEY": "a webhook key for tests, used nowhere else",
}
SETTINGS = {"shared_buffers": "64MB", "max_connections": "60"}
PR_SET_PDEATHSIG = 1
MIGRATE_SECONDS_MAX = 60


def begin(folder: Path, *, fsync: bool = True, **environment: str) -> EmbeddedPostgres:
    """Before anything of Django is imported. Afterwards Django works on a new ledger in the folder.

    Without `fsync` it is quicker, for who kills everything but the server.
    """
    os.environ.update(
        KEYS,
        DATABASE_URL="",
        LEDGER_VAR=str(folder),
        DJANGO_SETTINGS_MODULE="ledger_project.settings",
        LOG_LEVEL="CRITICAL",
        **environment,
    )
    postgres = EmbeddedPostgres(folder / "postgres", settings=SETTINGS | {"fsync": "on" if fsync else "off"})
    postgres.start()
    postgres.ensure_database("ledger")
    django.setup()
    from django.core.management import call_command

    finish(fork(call_command, "migrate", verbosity=0), MIGRATE_SECONDS_MAX)
    return postgres


def fork(work: Callable[..., object], *arguments: object, **named: object) -> int:
    """The process that does it. Its status is 0 if it comes to an end; it is killed with this one."""
    sys.stdout.flush()
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    status = 1
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() == parent:
            work(*arguments, **named)
            status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def finish(pid: int, seconds_max: float) -> None:
    """Wait for a process that must come to a good end."""
    assert _wait(pid, seconds_max) == 0, "A process has failed; its message is above."


def kill(pid: int) -> None:
    """Also one whose end was noticed already."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def wait_until_killed(pid: int, seconds_max: float) -> None:
    """Wait for a process that kills itself."""
    status = _wait(pid, seconds_max)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "It ended in another way."


def wait_until_stopped(pid: int, seconds_max: float) -> None:
    """Wait for a process that stops itself, and may be continued."""
    assert os.WIFSTOPPED(_wait(pid, seconds_max, os.WUNTRACED)), "A process has ended; its message is above."


def _wait(pid: int, seconds_max: float, options: int = 0) -> int:
    """The status that the system tells of the process, which is killed if there is none in time."""
    deadline = time.monotonic() + seconds_max
    while not (told := os.waitpid(pid, os.WNOHANG | options))[0]:
        if time.monotonic() > deadline:
            kill(pid)
            raise AssertionError(f"A process has not come to its point or its end in {seconds_max:g} s.")
        time.sleep(0.002)
    return told[1]


def require_alive(pid: int, name: str) -> None:
    assert os.waitpid(pid, os.WNOHANG) == (0, 0), f"{name} has ended; its message is above."

"""What `manage.py serve` becomes when all is prepared: it loads the project once, forks server and relay from
itself, so that they share its memory, and watches over them and the database."""

import argparse
import ctypes
import gc
import os
import resource
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.context import ForkProcess

import structlog
from django.conf import settings
from django.core.management import call_command
from django.urls import get_resolver
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from ledger_project.database.embedded import EmbeddedPostgres, EmbeddedPostgresError
from rest import log

START_SECONDS_MAX = 60
WATCH_SECONDS = 1.0
STOP_SECONDS_MAX = 20
DRAIN_LOOK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


def become(host: str, port: int, workers: int, flags: list[str]) -> None:
    """Replace this process by the service; never returns. The caller has blocked SIGINT and SIGTERM, which
    are heard again once the service can end what it has started. `flags` are of `main`."""
    metrics = settings.VAR / "metrics"  # one file per process; those of earlier runs do not count
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": str(metrics), "DATABASE_POOL": "true"}
    os.chdir(settings.BASE_DIR)
    command = [sys.executable, "-m", "ledger_project.server"]
    command += ["--host", host, "--port", str(port), "--workers", str(workers)]
    sys.stdout.flush()
    os.execv(sys.executable, [*command, *flags])  # noqa: S606


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ledger_project.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first-time", action="store_true", help="print the secrets that were made")
    parser.add_argument("--no-relay", action="store_true")
    options = parser.parse_args()
    log.take_everything()
    work: dict[str, Callable[[], None]] = {}
    work["server"] = partial(serve_http, options.host, options.port, options.workers)
    if not options.no_relay:
        work["relay"] = relay
    processes = Processes(work, settings.EMBEDDED_POSTGRES)
    try:
        preload()
        for name in processes.work:
            processes.start(name)
        if wait_until_it_listens(processes, options.host, options.port):
            from ledger_project.management.commands.serve import describe_service

            log.tell("service_started", describe_service(options.port, with_secrets=options.first_time))
            processes.watch()
        elif not processes.stopping:
            log.tell("service_failed", "The server did not start; its messages are above.", "error")
            sys.exit(1)
    finally:
        processes.end()
    log.tell("service_stopped", "Stopped.")


def preload() -> None:
    """Load what the processes run. Nothing of it may have threads, connections or files yet: those are made
    when they are first needed."""
    from ledger_project.server import rsgi  # noqa: F401, sets Django up

    from ledger_project.management.commands import relay_events  # noqa: F401  # isort: skip

    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()


def serve_http(host: str, port: int, workers: int) -> None:
    """Run granian, with this package's application in each of its workers, until a SIGTERM. Workers that die
    are made anew, unless they die at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # every connection is an open file
    Granian(
        "ledger_project.server.rsgi:application",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        workers_kill_timeout=15,  # seconds; then a worker that was told to end is killed
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        # One limit for a connection that says nothing, for half of the headers, and between two requests.
        http1_settings=HTTP1Settings(header_read_timeout=settings.IDLE_SECONDS * 1000),
        websockets=False,
        backlog=4096,  # connections that have not been taken yet
        backpressure=settings.CONNECTIONS_MAX,
        respawn_failed_workers=True,
        log_level=LogLevels(settings.LOG_LEVEL.lower()),
        log_dictconfig=settings.LOGGING,
    ).serve()


def relay() -> None:
    """Do what `manage.py relay_events` does, with one connection of its own instead of a pool."""
    database = settings.DATABASES["default"]
    database["OPTIONS"].pop("pool", None)
    database["OPTIONS"]["fallback_application_name"] = "ledger relay_events"
    database |= {"CONN_MAX_AGE": settings.CONN_MAX_AGE, "CONN_HEALTH_CHECKS": False}
    call_command("relay_events")


def wait_until_it_listens(processes: "Processes", host: str, port: int) -> bool:
    """Whether the server takes connections; False if it has ended, was told to stop, or took too long."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not processes.stopping and processes.running["server"].is_alive() and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(0.1)
    return False


class Processes:
    """What runs, by its name. This process must have neither threads nor connections, now and later."""

    def __init__(self, work: dict[str, Callable[[], None]], database: EmbeddedPostgres | None) -> None:
        self.work, self.database = work, database
        self.running: dict[str, ForkProcess] = {}
        self.stopping = self.hurried = False
        for number in STOP_SIGNALS:
            signal.signal(number, self.stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def stop(self, *_: object) -> None:
        """The handler of the signals to stop. A second one ends the wait of the first."""
        self.hurried = self.stopping
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
                        log.tell("process_ended", f"The {name} has ended; starting it again ...", "warning")
                        end_group(process, time.monotonic())
                        self.start(name)
                if self.database is not None and not self.database.is_running():
                    log.tell(
                        "database_ended", "The embedded PostgreSQL is gone; starting it again ...", "warning"
                    )
                    self.database.start()
            except (OSError, EmbeddedPostgresError) as error:
                log.tell("start_failed", str(error), "error")
            time.sleep(WATCH_SECONDS)

    def end(self) -> None:
        """Let whatever sends requests notice, end all processes side by side, then the database."""
        self.drain()
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for process in self.running.values():
            end_group(process, deadline)
        if self.database is not None:
            self.database.stop()

    def drain(self) -> None:
        """Say for `DRAIN_SECONDS` that the server is not ready, while it answers as before."""
        from ledger_project.health import start_draining

        start_draining()
        server = self.running.get("server")
        deadline = time.monotonic() + settings.DRAIN_SECONDS
        while server and server.is_alive() and not self.hurried and time.monotonic() < deadline:
            time.sleep(DRAIN_LOOK_SECONDS)


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
        try:
            work()
        except Exception:  # multiprocessing would write it in a form of its own
            structlog.get_logger(__name__).critical("process_failed", exc_info=True)
            sys.exit(1)


def end_group(process: ForkProcess, deadline: float) -> None:
    """Wait until then for a process that was told to end, and end what it leaves behind."""
    process.join(max(0, deadline - time.monotonic()))
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()


if __name__ == "__main__":
    main()

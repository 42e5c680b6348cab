"""What `manage.py serve` becomes when all is prepared: it loads the project once, forks server and relay from
itself, and watches over them and the database."""

import argparse
import gc
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from functools import partial

START_SECONDS_MAX = 60


def become(host: str, port: int, workers: int, *, first_time: bool) -> None:
    """In place of this process run the service; returns never. The signals to stop are to be blocked."""
    from django.conf import settings

    metrics = settings.VAR / "metrics"  # one file per process; those of earlier runs do not count
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": str(metrics), "DATABASE_POOL": "true"}
    os.chdir(settings.BASE_DIR)
    command = [sys.executable, "-m", "ledger_project.server", "--host", host]
    command += ["--port", str(port), "--workers", str(workers)]
    sys.stdout.flush()
    os.execv(sys.executable, [*command, "--first-time"] if first_time else command)  # noqa: S606


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ledger_project.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first-time", action="store_true", help="print the secrets that were made")
    options = parser.parse_args()

    from django.conf import settings

    from ledger_project.server.processes import Processes

    server = partial(serve_http, options.host, options.port, options.workers)
    processes = Processes({"server": server, "relay": relay}, settings.EMBEDDED_POSTGRES)
    try:
        preload()
        for name in processes.work:
            processes.start(name)
        has_ended = lambda: processes.stopping or not processes.running["server"].is_alive()  # noqa: E731
        if wait_until_it_listens(options.host, options.port, has_ended):
            from ledger_project.management.commands.serve import describe_service

            print(describe_service(options.port, with_secrets=options.first_time), flush=True)  # noqa: T201
            processes.watch()
        elif not processes.stopping:
            sys.exit("The server did not start; its messages are above.")
    finally:
        processes.end()
    print("Stopped.")  # noqa: T201


def preload() -> None:
    """Load what the processes run. Nothing of it may have threads, connections or files yet: those are made
    when they are first needed."""
    from ledger_project.server import http, rsgi  # noqa: F401, sets Django up

    from django.urls import get_resolver  # isort: skip

    from ledger_project.management.commands import relay_events  # noqa: F401

    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()


def serve_http(host: str, port: int, workers: int) -> None:
    from ledger_project.server import http

    http.serve(host, port, workers)


def relay() -> None:
    """What `manage.py relay_events` does, with a connection of its own."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DEFAULT_DB_ALIAS

    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    database["OPTIONS"].pop("pool", None)
    database |= {"CONN_MAX_AGE": settings.CONN_MAX_AGE, "CONN_HEALTH_CHECKS": False}
    call_command("relay_events")


def wait_until_it_listens(host: str, port: int, has_ended: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not has_ended() and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()

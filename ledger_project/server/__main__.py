"""The HTTP server: `python -m ledger_project.server`. `manage.py serve` starts it."""

import argparse
import gc
import resource

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

BACKLOG = 4096  # connections that have not been taken yet
STOP_SECONDS_MAX = 15  # then a worker that is told to end is killed; `serve` waits a little longer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ledger_project.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    raise_file_limit()
    preload()
    Granian(
        "ledger_project.server.rsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        workers=options.workers,
        workers_kill_timeout=STOP_SECONDS_MAX,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        # One limit for a connection that says nothing, for half of the headers, and between two requests.
        http1_settings=HTTP1Settings(header_read_timeout=settings.IDLE_SECONDS * 1000),
        websockets=False,
        backlog=BACKLOG,
        backpressure=settings.CONNECTIONS_MAX,
        respawn_failed_workers=True,
    ).serve()


def raise_file_limit() -> None:
    """Every connection is an open file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def preload() -> None:
    """Load what the workers run before they are forked, so that they share its memory.

    Nothing of it may have threads, connections or files yet: those are made in `__rsgi_init__`, or when they
    are first needed.
    """
    from django.urls import get_resolver

    from ledger_project.server import rsgi  # noqa: F401

    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()

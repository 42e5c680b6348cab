"""The HTTP server of the service: granian, with this package's application in each of its workers."""

import resource

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

BACKLOG = 4096  # connections that have not been taken yet
STOP_SECONDS_MAX = 15  # then a worker that was told to end is killed


def serve(host: str, port: int, workers: int) -> None:
    """Serve until a SIGTERM; workers that die are made anew, unless they die at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # every connection is an open file
    Granian(
        "ledger_project.server.rsgi:application",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
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

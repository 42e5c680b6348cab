"""The HTTP server: `python -m ledger_project.server`. `manage.py serve` starts it."""

import argparse

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

IDLE_SECONDS = (
    75  # of a connection that says nothing or has not finished its headers; longer than a proxy's 60
)
CONNECTIONS_MAX = 10_000  # of a worker
BACKLOG = 4096


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ledger_project.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    Granian(
        "ledger_project.server.rsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        workers=options.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_SECONDS * 1000),
        websockets=False,
        backlog=BACKLOG,
        backpressure=CONNECTIONS_MAX,
        respawn_failed_workers=True,
    ).serve()


if __name__ == "__main__":
    main()

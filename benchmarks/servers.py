"""Servers that are measured beside ours: started for a block, ended after it."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from benchmarks.machine import PROJECT

WORKERS = 2  # as `serve` has
THREADS = 4
START_SECONDS_MAX = 30
SECOND_WORKER_SECONDS = 1.5  # all workers share the port, and the first that listens is seen


def make_granian(python: str, application: str, port: int) -> list[str]:
    command = [python, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"]
    command += ["--workers", str(WORKERS), "--blocking-threads", str(THREADS)]
    return [*command, "--port", str(port), application]


@contextmanager
def serving(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[int]:
    """Until the block ends; gives the server's pid. Raises AssertionError when it does not come to listen."""
    server = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_listening(port):
            assert server.poll() is None, f"{command} has ended"
            assert time.monotonic() < deadline, f"{command} does not listen"
            time.sleep(0.05)
        time.sleep(SECOND_WORKER_SECONDS)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

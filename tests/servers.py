"""Embedded servers that a test starts for itself, in folders of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from ledger_project.database.embedded import EmbeddedPostgres

CHEAP = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "20",
}
PROJECT = Path(__file__).parents[1]

Make = Callable[..., EmbeddedPostgres]


def query(postgres: EmbeddedPostgres, statement: str, dbname: str = "postgres") -> list[tuple[object, ...]]:
    with psycopg.connect(
        host=str(postgres.socket_folder), port=5432, user="postgres", dbname=dbname, autocommit=True
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def show(postgres: EmbeddedPostgres, setting: str) -> object:
    return query(postgres, f"SHOW {setting}")[0][0]


def read_pid(postgres: EmbeddedPostgres) -> int:
    return int((postgres.log_file.parent / "data" / "postmaster.pid").read_text().split()[0])


def kill_postmaster(postgres: EmbeddedPostgres) -> None:
    os.kill(read_pid(postgres), signal.SIGKILL)


def wait_for(condition: Callable[[], bool], seconds_max: float = 10) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start_in_another_process(postgres: EmbeddedPostgres) -> subprocess.Popen[bytes]:
    program = (
        "import sys; from pathlib import Path; from ledger_project.database.embedded import EmbeddedPostgres;"
        f"EmbeddedPostgres(Path(sys.argv[1]), settings={CHEAP!r}).start()"
    )
    return subprocess.Popen([sys.executable, "-c", program, postgres.folder], cwd=PROJECT)

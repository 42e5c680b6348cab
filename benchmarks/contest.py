"""Other ways to write a ledger, each on a database of its own on our server, under the same load.

Their packages live in an environment of their own, benchmarks/.venv, made when it is first needed.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import Site, divide, measure
from benchmarks.figures import Figures, Run
from benchmarks.load import Target, run_wrk
from benchmarks.machine import PROJECT
from benchmarks.servers import make_granian, serving
from ledger_project.database.embedded import EmbeddedPostgres
from tests.service import find_free_port

HERE = Path(__file__).parent
VENV = HERE / ".venv"
REQUIREMENTS = HERE / "requirements.txt"
HORDAK_ACCOUNTS = 1000
CONNECTIONS = (1, 16, 64)
PREFIX = "contestant: "  # of their runs' names


@dataclass(frozen=True)
class Ring:
    """Where they all stand: the server, the ids of the accounts they are to have, and how long a run is."""

    server: EmbeddedPostgres
    postmaster: int
    account_ids: Path
    accounts: int
    seconds: int

    def make_environment(self, database: str) -> Mapping[str, str]:
        """Creates the database. None of our settings reach the contestant."""
        self.server.ensure_database(database)
        own = {"DJANGO_SETTINGS_MODULE", "LEDGER_VAR", "BROKER_URL", "WEBHOOK_LOOPBACK"}
        kept = {name: value for name, value in os.environ.items() if name not in own}
        folder = str(self.server.socket_folder)
        return kept | {"PGHOST": folder, "PGPORT": "5432", "PGUSER": "postgres", "PGDATABASE": database}

    def prepare_once(self, command: list[str], database: str) -> str:
        """Have the contestant make its tables and accounts, unless it has; what it said then."""
        kept = self.account_ids.parent / f"{database}.prepared"
        if not kept.exists():
            environment = self.make_environment(database)
            made = subprocess.run(
                command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            kept.write_text(made.stdout.strip())
        return kept.read_text()

    def http(self, port: int, pid: int, database: str, token: str, connections: int) -> Run:
        target = Target(port, self.account_ids, token, Site(pid, self.postmaster, database))
        return lambda: run_wrk(
            target, "bare", connections=connections, count=self.accounts, seconds=self.seconds
        )


def make_python() -> str:
    """The interpreter of the contestants' environment, made by the one that runs this."""
    python = VENV / "bin" / "python"
    made = VENV / "made"
    if not made.exists() or made.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--use-pep517",
        ]
        subprocess.run([*command, "-r", str(REQUIREMENTS)], check=True)
        made.touch()
    return str(python)


@contextmanager
def serving_aiohttp(ring: Ring, python: str) -> Iterator[dict[str, Run]]:
    database, port = "aiohttp_ledger", find_free_port()
    environment = ring.make_environment(database)
    command = [python, "-m", "benchmarks.contestants.aiohttp_ledger"]
    ring.prepare_once([*command, "prepare", str(ring.account_ids)], database)
    with serving([*command, "serve", str(port)], port, environment) as pid:
        yield {
            f"aiohttp + SQLAlchemy + asyncpg, {number}": ring.http(port, pid, database, "none", number)
            for number in CONNECTIONS
        }


@contextmanager
def serving_drf(ring: Ring, python: str) -> Iterator[dict[str, Run]]:
    module, database, port = "benchmarks.contestants.drf_ledger", "drf_ledger", find_free_port()
    token = ring.prepare_once([python, "-m", module, str(ring.account_ids)], database)
    command = make_granian(python, f"{module}:application", port)
    with serving(command, port, ring.make_environment(database)) as pid:
        yield {
            f"stock DRF and ORM, {number}": ring.http(port, pid, database, token, number)
            for number in CONNECTIONS
        }


@contextmanager
def running_hordak(ring: Ring, python: str) -> Iterator[dict[str, Run]]:
    database = "hordak_ledger"
    command = [python, "-m", "benchmarks.contestants.hordak_ledger"]
    ring.prepare_once([*command, "prepare", str(HORDAK_ACCOUNTS)], database)
    with subprocess.Popen(
        [*command, "run"],
        cwd=PROJECT,
        env=ring.make_environment(database),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None
        site = Site(process.pid, ring.postmaster, database)

        def run() -> Figures:
            with measure(site) as used:
                print(ring.seconds, file=asked, flush=True)
                answer = json.loads(answers.readline())
            return Figures(answer["rate"], answer["p50"], answer["p99"], divide(used, answer["count"]))

        yield {"django-hordak in process, 1": run}
        asked.close()


def run_contestants(ring: Ring, only: str) -> dict[str, Figures]:
    """One round of them, each started for it, warmed and ended: they would hold the server's connections."""
    python = make_python()
    found: dict[str, Figures] = {}
    for start in (serving_aiohttp, serving_drf, running_hordak):
        with start(ring, python) as runs:
            chosen = {name: run for name, run in runs.items() if re.search(only, f"{PREFIX}{name}")}
            for run in list(chosen.values())[-1:]:  # opens every connection
                run()
            found |= {f"{PREFIX}{name}": run() for name, run in chosen.items()}
    return found

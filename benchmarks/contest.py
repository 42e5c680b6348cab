"""Other ways to write a ledger, each on a database of its own on our server, under the same load.

Their packages live in an environment of their own, benchmarks/.venv, made when it is first needed.
"""

import json
import os
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
from ledger_project.embedded_postgres import EmbeddedPostgres
from tests.service import find_free_port

HERE = Path(__file__).parent
VENV = HERE / ".venv"
REQUIREMENTS = HERE / "requirements.txt"
HORDAK_ACCOUNTS = 1000
CONNECTIONS = (1, 16, 64)


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
    module, database, port = "benchmarks.contestants.aiohttp_ledger", "aiohttp_ledger", find_free_port()
    environment = ring.make_environment(database)
    command = [python, "-m", module]
    subprocess.run([*command, "prepare", str(ring.account_ids)], cwd=PROJECT, env=environment, check=True)
    with serving([*command, "serve", str(port)], port, environment) as pid:
        yield {
            f"aiohttp + SQLAlchemy + asyncpg, {number}": ring.http(port, pid, database, "none", number)
            for number in CONNECTIONS
        }


@contextmanager
def serving_drf(ring: Ring, python: str) -> Iterator[dict[str, Run]]:
    module, database, port = "benchmarks.contestants.drf_ledger", "drf_ledger", find_free_port()
    environment = ring.make_environment(database)
    command = [python, "-m", module, str(ring.account_ids)]
    made = subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    token = made.stdout.strip()
    with serving(make_granian(python, f"{module}:application", port), port, environment) as pid:
        yield {
            f"stock DRF and ORM, {number}": ring.http(port, pid, database, token, number)
            for number in CONNECTIONS
        }


@contextmanager
def running_hordak(ring: Ring, python: str) -> Iterator[dict[str, Run]]:
    module, database = "benchmarks.contestants.hordak_ledger", "hordak_ledger"
    with subprocess.Popen(
        [python, "-m", module, str(HORDAK_ACCOUNTS)],
        cwd=PROJECT,
        env=ring.make_environment(database),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None
        assert answers.readline() == "ready\n"
        site = Site(process.pid, ring.postmaster, database)

        def run() -> Figures:
            with measure(site) as used:
                print(ring.seconds, file=asked, flush=True)
                answer = json.loads(answers.readline())
            cpu = divide(used, answer["count"])
            return Figures(answer["rate"], answer["p50"], answer["p99"], cpu)

        yield {"django-hordak in process, 1": run}
        asked.close()


CONTESTANTS = (serving_aiohttp, serving_drf, running_hordak)

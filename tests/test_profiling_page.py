"""docs/profiling.md: its commands, as they stand there, on a service under load and PostgreSQL 15."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cast import new_id
from tests.deploy.postgres import BINARIES, DebianPostgres
from tests.faults.hammer import make_account
from tests.faults.own_ledger import KEYS
from tests.programs import require
from tests.servers import PROJECT
from tests.service import Service
from tests.slow_clients import in_threads

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]

PAGE = (PROJECT / "docs/profiling.md").read_text()
PASSWORD = "a-password-that-nobody-guesses"
LOADED = "shared_preload_libraries = 'pg_stat_statements,auto_explain'"
LIBRARIES = LOADED.translate({ord(" "): None, ord("'"): None})  # as in `-c`
ALL_KEYS = {**KEYS, "ANCHOR_KEY": "an anchor key for tests, used nowhere else",
            "SECOND_FACTOR_KEY": "a key of second factors for tests, used nowhere else"}  # fmt: skip


def read_commands(kind=""):
    """The page's commands, one block after the other."""
    return "\n".join(re.findall(rf"^```sh{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The page's variables, while a service is asked for balances and postings without pause."""
    require(BINARIES / "postgres", "postgresql-15")
    folder = Path(f"/tmp/ledger-profiling-{os.getpid()}")
    folder.mkdir()
    try:
        postgres = DebianPostgres(folder / "postgres").start(PASSWORD, "fsync=off", LIBRARIES)
        try:
            url = f"postgres://postgres:{PASSWORD}@127.0.0.1:{postgres.port}/ledger"
            var = tmp_path_factory.mktemp("profiling")
            service = Service(var, {**ALL_KEYS, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}).start()
            try:
                (var / "api_token").write_text(service.issue_token("api-admin"))
                account = make_account(service)
                with in_threads(2, lambda: ask(service, account)):
                    yield {
                        "SERVE": str(service.process.pid),
                        "DATABASE_URL": url,
                        "SERVER_LOG": str(postgres.folder / "log"),
                        "ACCOUNT": account,
                    }
            finally:
                service.stop()
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(folder)


def ask(service, account):
    body = {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"}
    service.insist("POST", "/api/v1/transactions", body)
    service.insist("GET", f"/api/v1/accounts/{account}/balance")


def run(place, folder, commands):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path, **place},
        capture_output=True,
        text=True,
    )


def test_every_command_of_the_page_does_what_it_says(place, tmp_path):
    assert LOADED in PAGE
    done = run(place, tmp_path, read_commands())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "<svg" in (tmp_path / "worker.svg").read_text()
    for told in (
        "relay_events",  # of the relay's stack
        "total_ms",
        "wait_event",
        "hot_percent",
        "Query Text: SELECT pg_sleep(0.2)",  # of the server's log
        "Limit  (cost=",
        "Buffers: shared",
    ):
        assert told in done.stdout, done.stdout
    assert re.search(r"\d+ .*\(.*\.py", done.stdout)  # a function with its count
    assert re.search(r"\| WITH ", done.stdout)  # the writing statement
    assert "Seq Scan" not in done.stdout
    kept = Path(place["SERVER_LOG"]).parent / "data/postgresql.auto.conf"
    assert "log_min_duration" not in kept.read_text()


def test_below_python_perf_finds_the_way(place, tmp_path):
    if shutil.which("perf") is None or run(place, tmp_path, "perf record -o x -- true").returncode:
        pytest.skip("perf is not here, or may not record")
    worker = next(line for line in read_commands().splitlines() if line.startswith("WORKER="))
    done = run(place, tmp_path, worker + "\n" + read_commands(" perf"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overhead" in done.stdout

"""The whole run: a served ledger, floors and contestants interleaved; then the books and the report."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import django
from rich.console import Console

from benchmarks import load, machine
from benchmarks.figures import OURS, Figures, Run
from benchmarks.record import Record
from benchmarks.rows import IDLE, MEMORY
from ledger_project.database.embedded import MAJOR_VERSION

if TYPE_CHECKING:
    from benchmarks.cells import Ground  # loads models: only when Django is set up

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "ledger_project.settings",
    "WEBHOOK_LOOPBACK": "true",
    "BROKER_URL": "amqp://guest:guest@127.0.0.1:1//",  # nobody listens there
}
SETTINGS = ("rounds", "seconds", "accounts", "only", "large", "idle")
CONSOLE = Console()
TRIES_MAX = 3


def main(options: argparse.Namespace) -> int:
    load.require_wrk()
    settings = {name: getattr(options, name) for name in SETTINGS} | {"postgres": MAJOR_VERSION}
    settings |= machine.recommend_postgres()
    record = Record(machine.describe(), settings)
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= ENVIRONMENT | {"LEDGER_VAR": folder}
        os.environ.pop("DATABASE_URL", None)
        django.setup()
        measure(Path(folder), options, record)
    if options.large and not options.only:
        measure_large(options.large, record)
    from benchmarks import report

    CONSOLE.print(report.describe(record), markup=False, highlight=False, soft_wrap=True)
    if options.write:
        CONSOLE.print(f"Rounds in {record.save()}")
        report.write(record)
    return 1 if record.books["wrong"] or record.books["audit"] != "clean" else 0


def measure(folder: Path, options: argparse.Namespace, record: Record) -> None:
    """Fill the record. Django is set up on the folder."""
    from django.conf import settings

    from benchmarks.cells import make_ground, making_cells
    from benchmarks.contest import run_contestants
    from tests.service import Service

    server = settings.EMBEDDED_POSTGRES
    assert server is not None
    server.settings |= machine.recommend_postgres()
    server.start()
    service = Service(folder).start()
    try:
        CONSOLE.print(f"{options.accounts} accounts …")
        ground = make_ground(service, options.accounts, options.seconds)
        if options.idle and not options.only:
            measure_idle(ground, options.idle, record)
        with making_cells(ground) as cells:
            cells = {name: run for name, run in cells.items() if re.search(options.only, name)}
            for number in range(options.rounds + 1):
                ground.vacuum()
                row = {}
                for name, run in cells.items():
                    os.sync()  # nobody waits for the disk because of what ran before
                    row[name] = run_again_if_it_fails(f"{number} {name}", run, record)
                    CONSOLE.print(f"{number} {name}: {row[name].rate:.0f}/s, {row[name].price:.0f} µs")
                if options.contestants:
                    row |= run_contestants(ground.ring, options.only)
                if number:  # the first opens connections, prepares statements and warms caches
                    record.rounds.append(row)
        check_books(record)
    finally:
        service.stop()


def run_again_if_it_fails(name: str, run: Run, record: Record) -> Figures:
    """A run with an error in it has no figures. It is told in the report, and taken again a few times."""
    for _ in range(TRIES_MAX - 1):
        try:
            return run()
        except load.LoadFailed as error:
            record.failed.append(f"{name}: {str(error).strip().splitlines()[-1]}")
            CONSOLE.print(record.failed[-1])
    return run()


def measure_idle(ground: "Ground", seconds: float, record: Record) -> None:
    """After a few requests to every worker, so that nothing is left to be loaded."""
    from benchmarks import idle

    for what in ("balance", "transaction"):
        ground.http(what, 16)()
    CONSOLE.print(f"{seconds} s of nothing …")
    record.idle = idle.measure_idle(ground.site, seconds)
    record.singles[IDLE.name] = sum(record.idle.get(name, 0) for name in OURS)
    record.memory = idle.measure_memory(ground.service.process.pid)
    record.singles[MEMORY.name] = sum(record.memory.values())


def check_books(record: Record) -> None:
    """Sums by SQL of the benchmark's own, and the audit that an operator runs."""
    from benchmarks import books

    transactions, wrong = books.count_transactions(), books.count_wrong_accounts()
    audit = subprocess.run([sys.executable, "manage.py", "audit_balances"], cwd=machine.PROJECT)
    outcome = "clean" if audit.returncode == 0 else f"exit status {audit.returncode}"
    record.books = {"transactions": transactions, "wrong": wrong, "audit": outcome}


def measure_large(rows: int, record: Record) -> None:
    """An account of so many rows, and an audit of so many, each on a ledger and in a process of its own."""
    for module, arguments in (
        ("long_account", ["--rows", str(rows)]),
        ("audit", ["--transactions", str(rows)]),
    ):
        with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
            command = [sys.executable, "-m", f"benchmarks.{module}", *arguments, "--json", answer.name]
            subprocess.run(command, cwd=machine.PROJECT, check=True)
            record.singles |= json.load(answer)

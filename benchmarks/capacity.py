"""What requests cost on this machine, and what machines some rates would need.

Each kind of request is sent by wrk for some seconds to a service that is started for it; counted is the CPU
of its processes and of PostgreSQL's, and the WAL that was written meanwhile.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import django
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.cpu import Site
from benchmarks.figures import Figures
from benchmarks.idle import measure_memory
from benchmarks.load import BATCH_SECONDS_MIN, Target, require_wrk, run_wrk
from benchmarks.rows import AUDIT
from benchmarks.sizing import BUSY, KEPT_DAYS, Need, Price, Prices, compute_need
from tests.service import Service

# What is asked by wrk (see request.lua), and by how many connections; none: as many as are asked for.
KINDS: dict[str, tuple[str, int | None]] = {
    "posts": ("post", None),
    "batched": ("batch", 2),
    "transfers": ("transfer", None),
    "holds": ("hold", None),
    "balances": ("balance", None),
    "histories": ("past", None),
    "reads": ("transaction", None),
    "lists": ("list", None),
    "feeds": ("events", None),
}
WRITING = ("posts", "batched", "transfers", "holds")
DATABASE = ("backends", "walwriter", "checkpointer", "autovacuum", "other of PostgreSQL")
KEPT, PRUNED = ("transactions_transaction",), ("events_event", "events_placement")
SIZES = """
SELECT json_object_agg(relname, pg_total_relation_size(oid)) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def main(options: argparse.Namespace) -> int:
    console = Console()
    if options.prices and options.prices.exists():
        prices = load_prices(options.prices)
    else:
        require_wrk()
        prices = measure(options, console)
        if options.prices:
            options.prices.write_text(json.dumps(asdict(prices), indent=1) + "\n")
    console.print(f"{prices.machine['python']}, {prices.machine['cpu']}, commit {prices.machine['commit']}")
    console.print(describe_prices(prices))
    if rates := {kind: rate for kind in KINDS if (rate := getattr(options, kind))}:
        console.print(describe_need(rates, options.hours, compute_need(prices, rates, hours=options.hours)))
    return 0


def load_prices(file: Path) -> Prices:
    kept = json.loads(file.read_text())
    requests = {kind: Price(**price) for kind, price in kept.pop("requests").items()}
    return Prices(requests=requests, **kept)


def measure(options: argparse.Namespace, console: Console) -> Prices:
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as temporary:
        var = Path(temporary)
        var.chmod(0o755)
        service = Service(var, {"DJANGO_SETTINGS_MODULE": "ledger_project.settings"})
        environment = service.make_environment()
        os.environ.clear()
        os.environ |= environment
        django.setup()
        from django.conf import settings

        server = settings.EMBEDDED_POSTGRES
        assert server is not None
        server.settings |= machine.recommend_postgres()
        server.start()
        service.start()
        try:
            requests, sizes = measure_requests(service, options, console)
            memory = sum(measure_memory(service.process.pid).values())
        finally:
            service.stop()
        return Prices(
            requests=requests,
            kept=sum(sizes[table] for table in KEPT),
            pruned=sum(sizes[table] for table in PRUNED),
            audit=measure_audit(options.audit_rows) if options.audit_rows else 0,
            memory=memory,
            connections=settings.CONN_MAX,
            machine=machine.describe(),
        )


def measure_requests(
    service: Service, options: argparse.Namespace, console: Console
) -> tuple[dict[str, Price], dict[str, float]]:
    """The price of each kind, and by how many bytes each table grows for a transaction of a batch."""
    from benchmarks import books

    ids, transaction_ids = service.var / "account_ids", service.var / "transaction_ids"
    transaction_ids.write_text("\n".join(books.make_accounts(service, options.accounts, ids)))
    began = int(query("SELECT extract(epoch FROM now())"))
    site = make_site(service)
    requests: dict[str, Price] = {}
    grown: dict[str, float] = {}
    for kind, (what, connections) in KINDS.items():
        file = transaction_ids if what == "transaction" else ids
        target = Target(service.port, file, service.token, site)
        run = partial(
            run_wrk,
            target,
            what,
            connections=connections or options.connections,
            count=len(file.read_text().split()),
            history=(began, began + 1),
        )
        run(seconds=1)  # opens connections, prepares statements, and touches pages for the first time
        drain_feed()
        wal, sizes = read_wal(), read_sizes()
        figures = run(seconds=options.seconds)
        drain_feed()
        done = figures.rate * (
            max(options.seconds, BATCH_SECONDS_MIN) if what == "batch" else options.seconds
        )
        requests[kind] = make_price(figures, (read_wal() - wal) / done if kind in WRITING else 0)
        if kind == "batched":
            grown = {name: (size - sizes[name]) / done for name, size in read_sizes().items()}
        console.print(f"{kind}: {figures.rate:.0f} a second")
    return requests, grown


def make_site(service: Service) -> Site:
    """The service and PostgreSQL, without the backend of this process."""
    own = int(query("SELECT pg_backend_pid()"))
    return Site(service.process.pid, service.read_postmaster_pid(), "ledger", without={own})


def make_price(figures: Figures, wal: float) -> Price:
    """PostgreSQL's price is its backends' and that of all processes that write behind them."""
    database = sum(figures.cpu.get(name, 0) for name in DATABASE)
    return Price(figures.cpu["service"], database, figures.cpu.get("relay", 0), wal)


def measure_audit(rows: int) -> float:
    """Rows a second of a whole audit of so many, in two processes, on a ledger of its own."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
        command = [
            sys.executable,
            "-m",
            "benchmarks.audit",
            "--transactions",
            str(rows),
            "--json",
            answer.name,
        ]
        subprocess.run(command, cwd=machine.PROJECT, check=True)
        return rows / float(json.load(answer)[AUDIT.name])


def query(statement: str) -> Any:
    """The first value that it gives."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def read_wal() -> int:
    """Bytes of WAL that this server has written in its life."""
    return int(query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))


def read_sizes() -> dict[str, int]:
    """Bytes of each table, with its indexes and long values."""
    return dict(query(SIZES))


def drain_feed() -> None:
    """Until the relay has placed what was written, so that nobody pays for what another one wrote."""
    while query("SELECT EXISTS (SELECT FROM events_pending)"):
        time.sleep(0.05)


def describe_prices(prices: Prices) -> Table:
    table = Table(
        "a request of", "web µs", "database µs", "relay µs", "WAL bytes", title="What it costs here"
    )
    for kind, price in prices.requests.items():
        wal = f"{price.wal:,.0f}" if price.wal else ""
        table.add_row(kind, f"{price.web:,.0f}", f"{price.database:,.0f}", f"{price.relay:,.0f}", wal)
    table.caption = (
        f"Disk: {prices.kept:,.0f} bytes a transaction for ever, {prices.pruned:,.0f} for its event,"
        f" {KEPT_DAYS} days. Audit: {prices.audit:,.0f} rows a second in two processes."
        f" Memory of one serve with two workers: {prices.memory:.0f} MiB."
    )
    return table


def describe_need(rates: dict[str, float], hours: float, need: Need) -> Table:
    asked = ", ".join(f"{kind} {rate:g}" for kind, rate in rates.items())
    table = Table("needed", "", title=f"For {asked} a second, {hours:g} hours a day, {BUSY:.0%} busy")
    for name, value in asdict(need).items():
        table.add_row(name.replace("_", " "), f"{value:,.1f}" if isinstance(value, float) else f"{value:,}")
    return table

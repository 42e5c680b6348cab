"""How fast the ledger is: the whole service over HTTP beside bare SQL by pgbench, in one interleaved run.

A machine's speed changes from minute to minute, so a figure means something only beside the floor's of the
same round; what counts is the ratio. `--write` puts the table and the profile into RESULTS.md.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import django

from ledger_project.embedded_postgres import MAJOR_VERSION

ACCOUNTS = 10_000
RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each run in a round")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--only", default="", help="the runs whose name has this text, and no profile")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"LEDGER_VAR": folder, "DJANGO_SETTINGS_MODULE": "ledger_project.settings"}
        os.environ |= {"WEBHOOK_LOOPBACK": "true", "BROKER_URL": "amqp://guest:guest@127.0.0.1:1//"}
        os.environ.pop("DATABASE_URL", None)
        django.setup()
        return measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> int:
    from django.conf import settings
    from rich.console import Console

    from benchmarks import books, floor, load, profile, telling
    from tests.service import Service

    load.require_wrk()
    console = Console()
    service = Service(folder).start()
    server = settings.EMBEDDED_POSTGRES
    assert server is not None
    ids = folder / "account_ids"
    try:
        console.print(f"{options.accounts} accounts …")
        books.make_accounts(options.accounts, ids)
        floor.prepare(server, options.accounts)
        seconds = options.seconds

        def pgbench(
            script: str, clients: int, accounts: int = options.accounts
        ) -> Callable[[], floor.Figures]:
            return lambda: floor.run_pgbench(
                server, script, clients=clients, accounts=accounts, seconds=seconds
            )

        def http(
            what: str, connections: int, accounts: int = options.accounts
        ) -> Callable[[], floor.Figures]:
            return lambda: load.run_wrk(
                service, what, ids, connections=connections, accounts=accounts, seconds=seconds
            )

        cells = {
            "pgbench a, 16 clients": pgbench("a", 16),
            "POST, 16 connections": http("post", 16),
            "pgbench b, 16 clients": pgbench("b", 16),
            "pgbench a, one hot account, 64 clients": pgbench("a", 64, 1),
            "POST, one hot account, 64 connections": http("post", 64, 1),
            "pgbench read, 16 clients": pgbench("read", 16),
            "GET balance, 16 connections": http("balance", 16),
            "GET balance at a date, 16 connections": http("past", 16),
        }
        cells |= {
            "pgbench b, 4 clients, for a batch": pgbench("b", 4),
            "batch of 1,000 over HTTP, 2 connections": http("batch", 2),
            "pgbench b, 1 client, for a batch": pgbench("b", 1),
            "batch of 1,000 in process": lambda: books.run_batches(ids, seconds=seconds),
        }
        cells |= {
            "POST, 16 connections, told to nobody": http("post", 16),
            "POST, 16 connections, subscribers and broker down": lambda: telling.with_dead_subscribers(
                http("post", 16)
            ),
            "events read, 500 a page": lambda: telling.read_feed(seconds=seconds),
            "events sent to a webhook": telling.send_to_a_webhook,
        }
        cells = {name: run for name, run in cells.items() if options.only in name}
        for run in cells.values():  # connections opened, statements prepared, caches warm
            run()
        rounds = []
        for number in range(options.rounds):
            rounds.append({name: run() for name, run in cells.items()})
            rates = ", ".join(f"{figures.rate:.0f}" for figures in rounds[-1].values())
            console.print(f"round {number + 1}: {rates} a second")
        shares = [] if options.only else profile.profile_postings(service, http("post", 16))
        wrong, transactions = books.count_wrong_accounts(), books.count_transactions()
    finally:
        service.stop()
    report = describe(rounds, shares, options, wrong, transactions)
    console.print(report, markup=False, highlight=False, soft_wrap=True)
    if options.write:
        RESULTS.write_text(report)
    return 1 if wrong else 0


RATIOS = {
    "a POST of a transaction, 16 connections": ("POST, 16 connections", "pgbench a, 16 clients"),
    "the same beside one statement": ("POST, 16 connections", "pgbench b, 16 clients"),
    "the same on one hot account, 64 connections": (
        "POST, one hot account, 64 connections",
        "pgbench a, one hot account, 64 clients",
    ),
    "a balance now": ("GET balance, 16 connections", "pgbench read, 16 clients"),
    "a balance at a date, beside now": (
        "GET balance at a date, 16 connections",
        "GET balance, 16 connections",
    ),
    "transactions of a batch of 1,000 over HTTP, 2 connections": (
        "batch of 1,000 over HTTP, 2 connections",
        "pgbench b, 4 clients, for a batch",
    ),
    "a POST while subscribers and broker are down": (
        "POST, 16 connections, subscribers and broker down",
        "POST, 16 connections, told to nobody",
    ),
    "sending to a webhook, beside the postings": (
        "events sent to a webhook",
        "POST, 16 connections, told to nobody",
    ),
    "transactions of a batch of 1,000 in process": (
        "batch of 1,000 in process",
        "pgbench b, 1 client, for a batch",
    ),
}


def describe(rounds, shares, options, wrong, transactions) -> str:  # type: ignore[no-untyped-def]
    """The report in Markdown: ratios, figures, profile, books."""
    with_seconds = f"{len(rounds)} rounds of {options.seconds} s"
    lines = [
        "# Results",
        "",
        f"`make bench` on {date.today().isoformat()}: {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, PostgreSQL {MAJOR_VERSION} with fsync, "
        f"{options.accounts} accounts, {with_seconds}; load, service and database share the cores.",
        "",
        "| measure | ours / floor, median (lowest and highest round) |",
        "|---|---|",
    ]
    for name, (ours, beside) in RATIOS.items():
        if not {ours, beside} <= set(rounds[0]):
            continue
        ratios = sorted(row[ours].rate / row[beside].rate for row in rounds)
        median, spread = statistics.median(ratios), f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        lines.append(f"| {name} / {beside} | **{median:.2f}** ({spread}) |")
    if posts := [row["POST, 16 connections"] for row in rounds if "POST, 16 connections" in row]:
        tails = statistics.median(figures.p99 / figures.p50 for figures in posts)
        lines.append(f"| p99 / p50 of a POST, 16 connections | **{tails:.1f}** |")
    lines += ["", "| run | a second | p50 ms | p99 ms |", "|---|---|---|---|"]
    for name in rounds[0]:
        rate, p50, p99 = (
            statistics.median(getattr(row[name], figure) for row in rounds)
            for figure in ("rate", "p50", "p99")
        )
        lines.append(f"| {name} | {rate:.0f} | {p50:.2f} | {p99:.2f} |")
    lines += ["", "Where a worker's time goes while it posts (py-spy; a line includes what it calls):", ""]
    lines += ["| function | share |", "|---|---|"]
    lines += [f"| `{name}` | {share:.0%} |" for name, share in shares]
    lines += ["", f"Books afterwards: {transactions} transactions, {wrong} accounts that do not add up.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

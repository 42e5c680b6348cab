"""One size of `python -m benchmarks growth`: a ledger of so many rows under load, and what it grows by."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.audit import ACCOUNTS, write_ledger
from benchmarks.ground import embedded_ledger
from tests.service import Service

FUNDS = "1000000.00"
SAMPLE = """
SELECT id FROM transactions_transaction WHERE account_id IN (
    SELECT id FROM accounts_account ORDER BY id LIMIT 500
) LIMIT 5000
"""
SIZES = """
SELECT relname, pg_relation_size(oid) + coalesce(
    (SELECT pg_relation_size(toast.oid) FROM pg_class AS toast WHERE toast.oid = class.reltoastrelid), 0
) FROM pg_class AS class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grown", description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder, embedded_ledger(Path(folder)):
        found = measure(Path(folder), options)
    options.json.write_text(json.dumps(found))
    return 0


def measure(folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    from django.db import connection

    from benchmarks import books, stalls

    console = Console()
    console.print(f"Writing {options.rows} transactions of {ACCOUNTS} accounts …")
    write_ledger(options.rows, workers=2)
    service = Service(folder).start()
    try:
        cells = make_cells(folder, service, options.seconds)
        rounds, before, count = [], read_sizes(), books.count_transactions()
        for number in range(options.rounds + 1):
            row = {name: run() for name, run in cells.items()}
            console.print(
                f"{number}: " + ", ".join(f"{name} {run.price:.0f} µs" for name, run in row.items())
            )
            if number:
                rounds.append({name: figures.to_dict() for name, figures in row.items()})
        posted = books.count_transactions() - count
        grown = {name: (size - before.get(name, 0)) / posted for name, size in read_sizes().items()}
        found = {"rows": options.rows, "rounds": rounds, "posted": posted, "bytes": grown}
        if options.minutes:
            with connection.cursor() as cursor:
                found["stalls"] = stalls.look_for_stalls(
                    cursor, service, folder / "account_ids", options.minutes
                )
        return found | {"wrong": books.count_wrong_accounts()}
    finally:
        service.stop()


def make_cells(folder: Path, service: Service, seconds: int) -> Mapping[str, Any]:
    """Every account gets funds over HTTP, so that no withdrawal of the load is declined."""
    from django.conf import settings
    from django.db import connection

    from benchmarks import books, floor
    from benchmarks.cells import Ground

    ids, transactions = folder / "account_ids", folder / "transaction_ids"
    with connection.cursor() as cursor:
        for file, statement in ((ids, "SELECT id FROM accounts_account"), (transactions, SAMPLE)):
            cursor.execute(statement)
            file.write_text("".join(f"{id}\n" for (id,) in cursor.fetchall()))
        cursor.execute("SELECT pg_backend_pid()")
        own_backend = cursor.fetchone()[0]
    books.fund(service, ids.read_text().split(), FUNDS)
    server = settings.EMBEDDED_POSTGRES
    assert server is not None
    floor.prepare(server, ACCOUNTS)
    ground = Ground(service, server, ACCOUNTS, ids, transactions, own_backend, seconds)
    ground.vacuum()
    return {
        "pgbench a, 16": ground.pgbench("a", 16),
        "POST, 16": ground.http("post", 16),
        "GET balance, 16": ground.http("balance", 16),
        "GET transaction, 16": ground.http("transaction", 16),
        "batch over HTTP, 2": ground.http("batch", 2),
    }


def read_sizes() -> dict[str, int]:
    """Bytes of each table (with its long values) and each index."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SIZES)
        return dict(cursor.fetchall())


if __name__ == "__main__":
    sys.exit(main())

"""One ledger of `python -m benchmarks growth`, in a process of its own."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.audit import ACCOUNTS, write_ledger
from benchmarks.figures import Figures, Run
from benchmarks.ground import embedded_ledger
from tests.service import Service

FUNDS = "1000000.00"
# One transaction of each of so many accounts, out of all of its history.
SAMPLE = """
SELECT row.id
FROM (SELECT id, 1 + floor(random() * seq)::bigint AS seq FROM accounts_account LIMIT 5000) AS picked
JOIN transactions_transaction AS row ON (row.account_id, row.seq) = (picked.id, picked.seq)
"""
SIZES = """
SELECT relname, pg_relation_size(oid) + coalesce(
    (SELECT pg_relation_size(toast.oid) FROM pg_class AS toast WHERE toast.oid = class.reltoastrelid), 0
) FROM pg_class AS class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""


class Grown:
    """A ledger of so many rows, served. The ids of its accounts stand in the file `ids`."""

    def __init__(self, rows: int, seconds: int) -> None:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ledger-bench-")))
            stack.enter_context(embedded_ledger(folder))
            write_ledger(rows, workers=2)
            self.service = Service(folder).start()
            stack.callback(self.service.stop)
            self.ids = folder / "account_ids"
            self.cells = make_cells(self.ids, folder / "transaction_ids", self.service, seconds)
            self.stack = stack.pop_all()

    def run(self, cell: str) -> Figures:
        return self.cells[cell]()

    def start_counting(self) -> None:
        from benchmarks import books

        self.sizes, self.count = read_sizes(), books.count_transactions()

    def count_bytes(self) -> Mapping[str, float]:
        """What each table and index has grown by for a posting since `start_counting`."""
        from benchmarks import books

        posted = books.count_transactions() - self.count
        return {name: (size - self.sizes.get(name, 0)) / posted for name, size in read_sizes().items()}

    def look_for_stalls(self, minutes: float) -> Mapping[str, Any]:
        from django.db import connection

        from benchmarks import stalls

        with connection.cursor() as cursor:
            return stalls.look_for_stalls(cursor, self.service, self.ids, minutes)

    def count_wrong_accounts(self) -> int:
        from benchmarks import books

        return books.count_wrong_accounts()

    def close(self) -> None:
        self.stack.close()


def make_cells(ids: Path, transactions: Path, service: Service, seconds: int) -> Mapping[str, Run]:
    """Every account gets funds over HTTP, so that no withdrawal of the load is declined."""
    from django.conf import settings
    from django.db import connection

    from benchmarks import books, floor
    from benchmarks.cells import Ground

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


# What is called in the process. It has one ledger in its life, since Django works on one.
ledger: Grown | None = None


def start(rows: int, seconds: int) -> None:
    global ledger
    ledger = Grown(rows, seconds)


def call(method: str, *arguments: Any) -> Any:
    return getattr(ledger, method)(*arguments) if ledger else None

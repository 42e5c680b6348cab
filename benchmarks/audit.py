"""How long the audit of a large ledger takes: `python -m benchmarks.audit --transactions 10000000`.

The ledger is written past the engine, by COPY and with the guards off, because the engine would need hours;
then it is audited as an operator would, as a whole and since the last run, in processes of their own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

ACCOUNTS = 10_000
DEPOSITS_OF_THREE = 2  # the third movement takes out
AMOUNT = Decimal("10.00")
EVENT_COLUMNS = "type, account_id, account_sequence, recorded_at, request_id, data"
FEED = ("events_event", "events_pending", "events_placement", "events_feed_state")
TABLES = ("accounts_account", "transactions_transaction", *FEED)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"LEDGER_VAR": folder, "DJANGO_SETTINGS_MODULE": "ledger_project.settings"}
        os.environ.pop("DATABASE_URL", None)
        django.setup()
        return measure(options.transactions, options.workers)


def measure(transactions: int, workers: int) -> int:
    from django.conf import settings
    from django.core.management import call_command
    from rich.console import Console

    console = Console()
    server = settings.EMBEDDED_POSTGRES
    assert server is not None
    try:
        server.start()
        server.ensure_database(settings.DATABASES["default"]["NAME"])
        call_command("migrate", verbosity=0)
        console.print(f"Writing {transactions} transactions of {ACCOUNTS} accounts …")
        write_ledger(transactions)
        failed = 0
        for title, arguments in (("everything", []), ("since the last run", ["--since", "last"])):
            began = time.perf_counter()
            done = subprocess.run(
                [
                    sys.executable,
                    "manage.py",
                    "audit_balances",
                    "--json",
                    "--workers",
                    str(workers),
                    *arguments,
                ],
                cwd=settings.BASE_DIR,
                capture_output=True,
                text=True,
            )
            failed += done.returncode
            seconds = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            summary = done.stdout.splitlines()[-1] if done.stdout else done.stderr
            console.print(f"{title}: {seconds:.1f} s, {peak} MiB at most in a process: {summary}")
            if not arguments:
                post_some(1000)
        return failed
    finally:
        server.stop()


def post_some(count: int) -> None:
    """Through the engine, on accounts here and there."""
    import uuid_utils.compat

    from accounts.models import Account
    from transactions import posting
    from transactions.models import Transaction
    from transactions.orders import Order

    ids = list(Account._base_manager.values_list("id", flat=True)[:count])
    type = Transaction.Type.DEPOSIT
    orders = [Order(id=uuid_utils.compat.uuid7(), account_id=id, type=type, amount=AMOUNT) for id in ids]
    posting.post(orders, actor=ids[0])


def write_ledger(transactions: int) -> None:
    from django.db import connection

    from accounts import operations

    users = [
        operations.create_user(
            id=None, name=f"bench {number}", external_id=f"bench-{number}", request_id="bench"
        )
        for number in range(ACCOUNTS)
    ]
    accounts = [user.accounts.get() for user, _ in users]
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        raw = connection.connection.cursor()
        rows_of_each = transactions // ACCOUNTS
        for first in range(0, ACCOUNTS, 100):
            made = [list(make_rows(account, rows_of_each)) for account in accounts[first : first + 100]]
            with raw.copy(f"COPY transactions_transaction ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                for rows in made:
                    for row, _ in rows:
                        copy.write_row(row)
            with raw.copy(f"COPY events_event ({EVENT_COLUMNS}) FROM STDIN") as copy:
                for rows in made:
                    for _, event in rows:
                        copy.write_row(event)
            for account in accounts[first : first + 100]:
                account.save()
        cursor.execute("TRUNCATE events_pending, events_placement")
        cursor.execute(
            "INSERT INTO events_placement (position, event_id, account_id)"
            " SELECT row_number() OVER (ORDER BY id), id, account_id FROM events_event"
        )
        cursor.execute(
            "UPDATE events_feed_state SET last_position = (SELECT max(position) FROM events_placement)"
        )
        for table in TABLES:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        cursor.execute("VACUUM ANALYZE")


COLUMNS = (
    *("id", "account_id", "type", "amount", "reference", "metadata", "status", "version", "balance_after"),
    *("recorded_at", "effective_at", "late", "actor", "request_id", "chain_hash"),
)


def make_rows(account: Any, count: int) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """The account's rows and events; the account itself becomes what they make of it."""
    import uuid_utils.compat

    from transactions import chain
    from transactions.models import Transaction

    moment = datetime.now(UTC) - timedelta(days=30)
    for number in range(1, count + 1):
        type = Transaction.Type.WITHDRAW if number % 3 > DEPOSITS_OF_THREE - 1 else Transaction.Type.DEPOSIT
        moment += timedelta(microseconds=1000)
        account.balance += AMOUNT if type == Transaction.Type.DEPOSIT else -AMOUNT
        row = Transaction(
            id=uuid_utils.compat.uuid7(),
            account=account,
            type=type,
            amount=AMOUNT,
            reference="bench",
            metadata={},
            status=Transaction.Status.POSTED,
            version=number,
            balance_after=account.balance,
            recorded_at=moment,
            effective_at=moment,
            late=False,
            actor=account.user_id,
            request_id="bench",
        )
        account.chain_head = row.chain_hash = chain.compute_hash(account.chain_head, row)
        values = tuple(
            json.dumps(row.metadata) if column == "metadata" else getattr(row, column) for column in COLUMNS
        )
        sequence = account.event_sequence + number
        data = json.dumps(row.as_resource())
        yield values, ("transaction.posted", account.id, sequence, moment, "bench", data)
    account.version, account.event_sequence = count, account.event_sequence + count
    account.last_recorded_at = account.last_effective_at = moment


if __name__ == "__main__":
    sys.exit(main())

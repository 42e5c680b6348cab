"""How long the audit of a large ledger takes: `python -m benchmarks.audit --transactions 10000000`.

The ledger is written past the engine, by COPY and with the guards off, because the engine would need hours;
then it is audited as an operator would, as a whole and since the last run, in processes of their own.
"""

import argparse
import hmac
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.ground import embedded_ledger
from benchmarks.rows import AUDIT
from ledger.callers import Caller

ACCOUNTS = 10_000
AMOUNT = 10
START_DAYS = 30  # ago was the first transaction of each account; then one a millisecond
PART = 100  # accounts that a worker writes at a time
TAIL = 10  # of so many rows of an account one, more or less, is written when the indexes are there
FEED = ("events_event", "events_pending", "events_placement", "events_feed_state")
TABLES = ("accounts_user", "accounts_account", "transactions_transaction", *FEED)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder, embedded_ledger(Path(folder)):
        failed, figures = measure(options.transactions, options.workers)
    if options.json:
        options.json.write_text(json.dumps(figures))
    return failed


def measure(transactions: int, workers: int) -> tuple[int, dict[str, float]]:
    """Whether an audit failed, and what is to be kept of the whole one."""
    from django.conf import settings
    from rich.console import Console

    console = Console()
    console.print(f"Writing {transactions} transactions of {ACCOUNTS} accounts …")
    write_ledger(transactions, workers)
    failed, figures = 0, {}
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
            figures = {AUDIT.name: seconds, f"{AUDIT.name}, rows": transactions, f"{AUDIT.name}, MiB": peak}
            post_some(1000)
    return failed, figures


def post_some(count: int) -> None:
    """Through the engine, on accounts here and there."""
    import uuid_utils.compat

    from accounts.models import Account
    from transactions import posting
    from transactions.models import Transaction
    from transactions.posting.commands import NewTransaction

    accounts = list(Account._base_manager.values_list("id", "user_id")[:count])
    type = Transaction.Type.DEPOSIT
    orders = [
        NewTransaction(id=uuid_utils.compat.uuid7(), account_id=id, type=type, amount=Decimal(AMOUNT))
        for id, _ in accounts
    ]
    posting.post(orders, caller=Caller(accounts[0][1]))


def write_ledger(
    transactions: int, workers: int, accounts: int = ACCOUNTS, *, with_events: bool = True
) -> None:
    """Users by the code that makes them, rows by worker processes, events out of the rows by SQL.

    The last tenth, more or less, comes into the finished indexes in the order of recording, as postings do:
    an index that was made at once has full pages, and the next postings would split all of them at once.
    """
    from django.db import connection

    from accounts import operations
    from ledger.callers import Caller
    from transactions.proof.audit_worker import set_up

    for number in range(accounts):
        operations.create_user(id=None, name="bench", external_id=f"bench-{number}", caller=Caller(None))
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        make_older(cursor, days=START_DAYS + 1)
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " LEFT JOIN pg_constraint ON conindid = indexrelid"
            " WHERE indrelid = 'transactions_transaction'::regclass AND conindid IS NULL"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("CREATE UNLOGGED TABLE tail (LIKE transactions_transaction)")
        cursor.execute("SELECT id::text, user_id::text FROM accounts_account ORDER BY id")
        owners = cursor.fetchall()
        parts = [owners[first : first + PART] for first in range(0, len(owners), PART)]
        database = connection.settings_dict["NAME"]
        with ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=set_up, initargs=(database,)
        ) as pool:
            list(pool.map(write_rows, parts, [transactions // accounts] * len(parts)))
        for _, definition in indexes:
            cursor.execute(definition)
        if with_events:
            cursor.execute(EVENTS)
            cursor.execute(EVENTS.replace("transactions_transaction", "tail") + " ORDER BY t.recorded_at")
        columns = f"INSERT INTO transactions_transaction ({COLUMNS}) SELECT {COLUMNS}"
        cursor.execute(f"{columns} FROM tail ORDER BY recorded_at")
        cursor.execute("DROP TABLE tail")
        for statement in (*UPDATE_ACCOUNTS, *(PLACES if with_events else ())):
            cursor.execute(statement)
        enable_guards(cursor)
        cursor.execute("VACUUM ANALYZE")


def make_older(cursor: Any, *, days: int) -> None:
    """Users, accounts and the events that tell of them: what is written afterwards comes after them."""
    from events.models import Event
    from ledger.values import format_time, slice_up

    age = timedelta(days=days)
    for table in ("accounts_user", "accounts_account"):
        for column in ("created_at", "last_recorded_at"):
            cursor.execute(f"UPDATE {table} SET {column} = {column} - %s", [age])
    for some in slice_up(Event.objects.iterator(chunk_size=1000), 1000):
        changes = []
        for event in some:
            event.recorded_at -= age
            data = event.data or {}
            for told in (data, *data.get("accounts", ())):
                told["created_at"] = format_time(datetime.fromisoformat(told["created_at"]) - age)
            mac = event.sealed.compute_mac()
            changes.append((event.recorded_at, json.dumps(data), mac, *event.pk))
        cursor.executemany(
            "UPDATE events_event SET recorded_at = %s, data = %s::jsonb, mac = %s"
            " WHERE stream = %s AND sequence = %s",
            changes,
        )


def enable_guards(cursor: Any, tables: Iterable[str] = TABLES) -> None:
    for table in tables:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


EVENTS = """
INSERT INTO events_event (stream, sequence, type, recorded_at, about)
SELECT t.account_id, t.seq + 1, 'transaction.' || lower(t.status), t.recorded_at, t.seq
FROM transactions_transaction AS t
"""
UPDATE_ACCOUNTS = [
    """
UPDATE accounts_account SET balance = balance_after, seq = last.seq, version = last.version,
    event_sequence = last.seq + 1, last_recorded_at = recorded_at, last_effective_at = effective_at,
    chain_head = chain_hash
FROM (
    SELECT DISTINCT ON (account_id) * FROM transactions_transaction ORDER BY account_id, seq DESC
) AS last WHERE accounts_account.id = last.account_id
""",
    """
UPDATE accounts_account SET withdrawn_on = day, withdrawn = taken FROM (
    SELECT DISTINCT ON (account_id) account_id, (recorded_at AT TIME ZONE 'UTC')::date AS day,
        sum(amount) AS taken
    FROM transactions_transaction WHERE status = 'POSTED' AND type = 'WITHDRAW' AND reverses IS NULL
    GROUP BY 1, 2 ORDER BY account_id, day DESC
) AS last WHERE accounts_account.id = account_id
""",
]
PLACES = [
    "TRUNCATE events_pending, events_placement",
    "INSERT INTO events_placement (part, position, stream, sequence)"
    " SELECT 0, row_number() OVER (ORDER BY recorded_at, stream, sequence), stream, sequence"
    " FROM events_event",
    "UPDATE events_feed_state SET last_position = (SELECT max(position) FROM events_placement)",
]
COLUMNS = (
    "id, account_id, type, amount, reference, metadata, status, seq, version, balance_after, recorded_at,"
    " effective_at, late, actor, actor_kind, request_id, chain_format, chain_hash"
)


def write_rows(owners: list[tuple[str, str]], count: int) -> None:
    """Of some accounts: two deposits, then a withdrawal, and so on."""
    from django.conf import settings
    from django.db import connection

    connection.ensure_connection()
    key = settings.CHAIN_KEY.encode()
    lines = [make_lines(account, user, count, key) for account, user in owners]
    heads = [count - random.randint(0, 2 * (count // TAIL)) for _ in owners]  # noqa: S311, no secret
    with connection.connection.cursor() as cursor:
        for table, lengths in (("transactions_transaction", heads), ("tail", [count] * len(owners))):
            with cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy:
                for of_account, length in zip(lines, lengths, strict=True):
                    copy.write("".join(islice(of_account, length)))


def make_lines(account: str, user: str, count: int, key: bytes) -> Iterator[str]:
    """The rows of an account as COPY reads them. The audit says whether their chain is right."""
    import uuid_utils

    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=START_DAYS)
    microseconds, balance, link = int(start.timestamp()) * 1_000_000, 0, b""
    for number in range(1, count + 1):
        type, balance = ("WITHDRAW", balance - AMOUNT) if number % 3 == 0 else ("DEPOSIT", balance + AMOUNT)
        id, after, count_text = str(uuid_utils.uuid7()), f"{balance}.00000000", str(number)
        moment, stamp = start + timedelta(milliseconds=number), str(microseconds + number * 1000)
        numbers, times = f"{len(count_text)}:{count_text}" * 2, f"{len(stamp)}:{stamp}" * 2
        message = (
            f"36:{id}36:{account}{len(type)}:{type}11:{AMOUNT}.000000006:POSTED--{numbers}"
            f"{len(after)}:{after}{times}5:False5:bench2:{{}}----5:bench-36:{user}7:service"
        )
        link = hmac.digest(key, b"1:%d:%s%s" % (len(link), link, message.encode()), "sha256")
        yield (
            f"{id}\t{account}\t{type}\t{AMOUNT}\tbench\t{{}}\tPOSTED\t{number}\t{number}\t{balance}"
            f"\t{moment}\t{moment}\tf\t{user}\tservice\tbench\t1\t\\\\x{link.hex()}\n"
        )


if __name__ == "__main__":
    sys.exit(main())

"""What the search costs beside the postings: `python -m benchmarks.searching --keep folder`.

On the ledger that `python -m benchmarks.office --keep folder` has made: the sizes of its tables, how long it
is made anew (`--rebuild`), and how far the follower, in a relay of its own process, is behind while
transactions are posted.
"""

import argparse
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.ground import embedded_ledger

POSTED_AT_ONCE = 100
SAMPLE_SECONDS = 0.2
SIZES = """
SELECT relname, pg_relation_size(oid), reltuples::bigint FROM pg_class
WHERE relname LIKE 'transactions_searched%' AND relkind = 'r'
    OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid::regclass::text LIKE 'transactions_searched%')
ORDER BY relname
"""
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.searching", description=__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="the folder of a ledger")
    parser.add_argument("--seconds", type=float, default=20, help="of posting")
    parser.add_argument("--rate", type=float, default=100, help="transactions a second; 0: as many as go")
    parser.add_argument("--rebuild", action="store_true", help="make what is searched anew, too")
    options = parser.parse_args()
    with embedded_ledger(options.keep.resolve(), LOG_LEVEL="WARNING"):
        from ledger.sql import fetch

        for name, size, rows in fetch(SIZES):
            Console().print(f"{name}: {size / 1e6:.0f} MB, {rows} rows")
        if options.rebuild:
            began = time.perf_counter()
            subprocess.run([sys.executable, "manage.py", "rebuild_search"], check=True)
            Console().print(f"made anew in {time.perf_counter() - began:.0f} s")
        follow(options.seconds, options.rate)
    return 0


def follow(seconds: float, rate: float) -> None:
    from ledger.sql import fetch
    from transactions import search

    command = [sys.executable, "manage.py", "relay_events", "--metrics-port", "0"]
    relay = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # its webhooks are nobody's
    try:
        while search.read_knowledge().behind_seconds or not fetch(OTHERS)[0][0]:
            time.sleep(SAMPLE_SECONDS)
        posted, behind = post(seconds, rate)
        began = time.perf_counter()
        while search.read_knowledge().behind_seconds:
            time.sleep(0.05)
        caught_up = time.perf_counter() - began
        Console().print(
            f"{posted / seconds:.0f} transactions a second for {seconds:.0f} s: behind by"
            f" {statistics.median(behind):.2f} s (the median),"
            f" {max(behind):.2f} s at most; {caught_up:.2f} s after the last one it knew all;"
            f" the relay had {fetch(OTHERS)[0][0]} connections"
        )
    finally:
        relay.terminate()
        relay.wait()


def post(seconds: float, rate: float) -> tuple[int, list[float]]:
    """How many were posted, and by how many seconds the search was behind meanwhile."""
    import uuid_utils.compat

    from accounts.models import Account
    from ledger.callers import Caller
    from transactions import posting, search
    from transactions.models import Transaction
    from transactions.posting.commands import NewTransaction

    accounts = list(
        Account._base_manager.filter(status="ACTIVE").values_list("id", "user_id")[:POSTED_AT_ONCE]
    )
    began, posted, sampled_at, behind = time.perf_counter(), 0, 0.0, [0.0]
    while (now := time.perf_counter() - began) < seconds:
        if now > sampled_at + SAMPLE_SECONDS:
            behind.append(search.read_knowledge().behind_seconds)
            sampled_at = now
        if rate and posted > now * rate:
            time.sleep(0.01)
            continue
        orders: list[Any] = [
            NewTransaction(
                id=uuid_utils.compat.uuid7(),
                account_id=id,
                type=Transaction.Type.DEPOSIT,
                amount=Decimal(1),
                reference=f"order {posted}",
            )
            for id, _ in (accounts[:10] if rate else accounts)
        ]
        posting.post(orders, caller=Caller(accounts[0][1]))
        posted += len(orders)
    return posted, behind


if __name__ == "__main__":
    sys.exit(main())

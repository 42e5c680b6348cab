"""Minutes of posting, looking for moments in which nobody is answered: checkpoints and autovacuum at work."""

import http.client
import random
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.books import Client, client_of, make_deposit
from tests.service import Service

CONNECTIONS = 16
CHECKPOINTS = "SELECT num_timed + num_requested FROM pg_stat_checkpointer"
AUTOVACUUMS = "SELECT sum(autovacuum_count)::bigint FROM pg_stat_user_tables"


def look_for_stalls(cursor: Any, service: Service, ids: Path, minutes: float) -> dict[str, Any]:
    """The longest time without any answer and the longest request, in seconds, and what went on meanwhile."""
    accounts = ids.read_text().split()
    before = read_counts(cursor)
    until = time.monotonic() + 60 * minutes
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = list(pool.map(lambda _: post_until(service, accounts, until), range(CONNECTIONS)))
    answers = sorted(end for part in parts for _, end, ok in part if ok)
    longest = max(end - began for part in parts for began, end, _ in part)
    after = read_counts(cursor)
    return {
        "minutes": minutes,
        "posted": len(answers),
        "failed": sum(not ok for part in parts for *_, ok in part),
        "gap": max(later - earlier for earlier, later in pairwise(answers)),
        "longest": longest,
        "checkpoints": after[0] - before[0],
        "autovacuums": after[1] - before[1],
    }


def post_until(service: Service, accounts: list[str], until: float) -> list[tuple[float, float, bool]]:
    """One after the other on one connection: when each began and ended, and whether it was answered 201."""
    done = []
    with client_of(service) as client:
        while (began := time.monotonic()) < until:
            ok = post_once(client, random.choice(accounts))  # noqa: S311, not a secret
            done.append((began, time.monotonic(), ok))
    return done


def post_once(client: Client, account: str) -> bool:
    try:
        client.post("transactions", make_deposit(account, "1.00"))
    except (AssertionError, OSError, http.client.HTTPException):
        client.connection.close()  # the next request opens it again
        return False
    return True


def read_counts(cursor: Any) -> tuple[int, int]:
    counts = []
    for statement in (CHECKPOINTS, AUTOVACUUMS):
        cursor.execute(statement)
        counts.append(int(cursor.fetchone()[0] or 0))
    return counts[0], counts[1]

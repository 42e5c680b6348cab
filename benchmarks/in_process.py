"""What the ledger's Python costs by itself: the way in with the engine stubbed, and the engine on lists.

Counted is the CPU of this process, by its own clock, beside a loop of plain Python at the same moment.
"""

import io
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import uuid_utils.compat

from accounts.models import Account
from benchmarks.books import SLICE, make_deposit
from benchmarks.cpu import Site, divide, measure
from benchmarks.figures import Figures
from ledger.callers import Caller
from transactions import posting
from transactions.models import Transaction
from transactions.posting import PostingRequest
from transactions.posting.commands import NewTransaction

ENGINE = "transactions.posting.share"  # what the views call
LOOP = 20_000  # additions of the calibration loop
WARM = 20


def run_batches(file: Path, site: Site, *, seconds: int) -> Figures:
    """Batches of a thousand in this process, one after the other, over the accounts in the file."""
    ids = read_ids(file)
    times: list[float] = []
    with measure(site) as used:
        while sum(times) < seconds:
            orders = make_orders(ids, SLICE)
            began = time.perf_counter()
            posting.post(orders, caller=find_owner(ids[0]))
            times.append(time.perf_counter() - began)
    times.sort()
    rate = SLICE * len(times) / sum(times)
    p50, p99 = (1000 * times[len(times) * part // 100] for part in (50, 99))
    return Figures(rate, p50, p99, divide(used, SLICE * len(times)))


def run_engine(file: Path, size: int, *, seconds: float) -> Figures:
    """The engine on lists of `size`: `python` is this process's CPU per transaction."""
    ids = read_ids(file)
    return run_python(
        lambda: posting.post(make_orders(ids, size), caller=find_owner(ids[0])), size, seconds=seconds
    )


def run_front(file: Path, token: str, *, seconds: float) -> Figures:
    """A POST from the server's call to the answer's body, with an engine that answers at once."""
    from ledger_project.wsgi import application

    ids = read_ids(file)
    before = posting.post(make_orders(ids, 1), caller=find_owner(ids[0]))
    calls: list[None] = []

    def answer(request: PostingRequest) -> "Future[posting.Answers]":
        calls.append(None)
        answered: Future[posting.Answers] = Future()
        answered.set_result(list(before))
        return answered

    def post() -> None:
        body = json.dumps(make_deposit(str(random.choice(ids)), "1.00")).encode()  # noqa: S311, no secret
        answered = application(make_environ(body, token), start_response)
        b"".join(answered)
        answered.close()

    with patch(ENGINE, answer), no_stderr():
        figures = run_python(post, 1, seconds=seconds)
    assert calls, f"{ENGINE} is no longer what the views call"
    return figures


def start_response(status: str, *_: object) -> Callable[[bytes], object]:
    assert status == "201 Created", status
    return lambda body: None


@contextmanager
def no_stderr() -> Iterator[None]:
    """The log is written, as it is by the service, but to nowhere."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def make_environ(body: bytes, token: str) -> dict[str, Any]:
    """As granian makes it for a POST of a client that keeps its connection."""
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/transactions",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1:8080",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def run_python(work: Callable[[], object], size: int, *, seconds: float) -> Figures:
    """`work` again and again; its own CPU without what made its input is not told apart (some µs)."""
    for _ in range(WARM):
        work()
    loop = calibrate()
    done, began, spent = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        work()
        done += size
    spent, took = time.process_time() - spent, time.perf_counter() - began
    return Figures(done / took, cpu={"python": 1e6 * spent / done, "calibration": loop})


def calibrate() -> float:
    """Microseconds of CPU of a fixed loop of plain Python; the lowest of five."""
    times = []
    for _ in range(5):
        began = time.thread_time()
        total = 0
        for number in range(LOOP):
            total += number
        times.append(1e6 * (time.thread_time() - began))
    return min(times)


def read_ids(file: Path) -> list[UUID]:
    return [UUID(line) for line in file.read_text().split()]


def find_owner(id: UUID) -> Caller:
    """Of the account."""
    return Caller(Account._base_manager.values_list("user_id", flat=True).get(id=id))


def make_orders(ids: list[UUID], count: int) -> list[NewTransaction]:
    return [
        NewTransaction(
            id=uuid_utils.compat.uuid7(), account_id=id, type=Transaction.Type.DEPOSIT, amount=Decimal(1)
        )
        for id in random.choices(ids, k=count)  # noqa: S311, not a secret
    ]

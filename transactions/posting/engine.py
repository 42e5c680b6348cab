"""The engine: the only code that moves money.

One path: lock the accounts, look the ids up and read the clock, decide in memory, write everything in one
statement, commit. One order is a batch of one, and one request a group of one.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.transaction import on_commit

from accounts import operations
from accounts.models import Account
from events.errors import LedgerError
from transactions import errors, ledger_sql, metrics, queries
from transactions.books import Books
from transactions.declines import Decline
from transactions.ledger_sql import Look
from transactions.models import Transaction
from transactions.orders import Order, PostingRequest
from transactions.posting.own_transaction import OwnTransaction

ATTEMPTS_MAX = 5
LOCK_NOT_AVAILABLE = "55P03"
# A duplicate id, a serialization failure, a deadlock: nothing was written. A shutdown: unknown.
RUN_AGAIN = {"23505", "40001", "40P01", "57P01", "57P02", "57P03"}


@dataclass(frozen=True, slots=True)
class Posting:
    """The answer to one order: its transaction, POSTED or DECLINED, and whether it was decided before."""

    transaction: Transaction
    replayed: bool


Answers = list[Posting | LedgerError]
Outcome = Answers | LedgerError  # of a request: the answers to its orders, or why all of it is refused


def post(
    orders: Sequence[Order], *, actor: UUID, request_id: str = "", together: bool = False
) -> list[Posting]:
    """Decide the orders in turn and write them in one commit; answers in the order of the orders.

    An id decided before is answered from its row, whatever has happened since. A decline is an answer, not an
    exception. The legs of a transfer are posted both or neither; `together` asks that of the whole list.
    Raises `LedgerError`s for what is refused unrecorded; then nothing of the list is written.

    Called outside a transaction it owns one, and runs again (with the same ids, so that nothing is doubled)
    after a lost connection, a deadlock or a lost race. Inside a caller's `atomic()` it is part of that
    transaction: one call, before the caller locks other rows; errors propagate, retries are the caller's.
    """
    request = PostingRequest(orders=orders, actor=actor, request_id=request_id, together=together)
    return [answer for answer in post_alone(request) if not isinstance(answer, LedgerError)]


def post_each(orders: Sequence[Order], *, actor: UUID, request_id: str = "") -> Answers:
    """As `post`, but a refusal is the answer to its own order only and the others are posted."""
    return post_alone(PostingRequest(orders=orders, actor=actor, request_id=request_id, each=True))


def post_alone(request: PostingRequest) -> Answers:
    """The answers to the orders of one request. Raises why all of it is refused."""
    if not request.orders:
        return []
    if connection.in_atomic_block:
        with metrics.POSTING_SECONDS.time():
            outcome = _post_within([request])[0]
    else:
        outcome = post_group([request])[0]
    if isinstance(outcome, LedgerError):
        raise outcome
    return outcome


def post_group(requests: Sequence[PostingRequest], *, attempts_max: int = ATTEMPTS_MAX) -> list[Outcome]:
    """Post requests that have no id in common in one commit; each is refused, declined or posted by itself.

    Outside a transaction. Raises the database's error when none of it could be posted, or nobody knows.
    """
    with metrics.POSTING_SECONDS.time():
        for attempt in range(1, attempts_max + 1):
            try:
                return _post_once(requests)
            except (Error, errors.CommitNotConfirmed) as error:
                if attempt == attempts_max or not _may_run_again(error):
                    raise
            metrics.POSTING_RETRIES.inc()
            connection.close_if_unusable_or_obsolete()
            time.sleep(random.uniform(0.005, 0.02 * 2**attempt))  # noqa: S311, not a secret
    raise AssertionError("unreachable")


def post_what_is_free(requests: Sequence[PostingRequest]) -> list[Outcome | None]:
    """As `post_group`, once, but waits for nobody: None for a request whose accounts others work on."""
    with metrics.POSTING_SECONDS.time():
        return _post_once(requests, skip_locked=True)


def is_lost(error: Exception) -> bool:
    """Whether the database could not be asked: what failed for that fails for everybody."""
    sqlstate: str | None = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate.startswith(("08", "57P", "25006"))


def is_lock_timeout(error: Exception) -> bool:
    """Whether somebody else held a lock for longer than anybody waits."""
    return getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _may_run_again(error: Exception) -> bool:
    """Whether running the whole posting again can answer it. A lost connection has no SQLSTATE."""
    if isinstance(error, errors.CommitNotConfirmed):
        return True
    sqlstate: str | None = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in RUN_AGAIN or sqlstate.startswith("08")


def _post_once(requests: Sequence[PostingRequest], *, skip_locked: bool = False) -> list[Any]:
    """In a transaction of its own, in two round trips."""
    own = OwnTransaction()
    try:
        accounts, look = own.begin(*_find_ids(requests), skip_locked=skip_locked)
        waiting = _find_waiting(requests, accounts, look) if skip_locked else set()
        outcomes, books = _decide([each for each in requests if id(each) not in waiting], accounts, look)
        with _writing():
            own.commit(*([books.describe_write()] if books and books.rows else []))
    finally:
        own.end()
    _count(outcomes)
    decided = iter(outcomes)
    return [None if id(request) in waiting else next(decided) for request in requests]


def _post_within(requests: Sequence[PostingRequest]) -> list[Outcome]:
    """In the caller's transaction."""
    account_ids, ids = _find_ids(requests)
    accounts = operations.lock_accounts(account_ids)
    look = ledger_sql.look(ids)
    if look.isolation != "read committed":
        raise ImproperlyConfigured(f"Postings run in READ COMMITTED, not in {look.isolation.upper()}.")
    outcomes, books = _decide(requests, accounts, look)
    if books and books.rows:
        with _writing():
            ledger_sql.write(*books.describe_write())
    on_commit(lambda: _count(outcomes), robust=True)
    return outcomes


@contextmanager
def _writing() -> Iterator[None]:
    """Who waits in the write, waits for another transaction that has one of its ids in hand."""
    try:
        yield
    except OperationalError as error:
        if is_lock_timeout(error):
            raise errors.RequestInProgress("The same id is being worked on at this moment.") from error
        raise


def _find_ids(requests: Sequence[PostingRequest]) -> tuple[list[UUID], list[UUID]]:
    """The accounts of the requests, and the ids of their orders."""
    orders = [order for request in requests for order in request.orders]
    return [order.account_id for order in orders], [order.id for order in orders]


def _find_waiting(
    requests: Iterable[PostingRequest], accounts: Mapping[UUID, Account], look: Look
) -> set[int]:
    """The requests with an account that was not to be had. One that does not exist keeps nobody waiting."""
    missing = [
        (id(request), order.account_id)
        for request in requests
        for order in request.orders
        if order.account_id not in accounts and order.id not in look.decided
    ]
    if not missing:
        return set()
    locked = ledger_sql.find_existing(account_id for _, account_id in missing)
    return {request for request, account_id in missing if account_id in locked}


def _decide(
    requests: Sequence[PostingRequest], accounts: dict[UUID, Account], look: Look
) -> tuple[list[Outcome], Books | None]:
    """The outcomes, and the books with what is to be written."""
    before = queries.find_transactions(look.decided) if look.decided else {}
    outcomes: list[Outcome] = []
    books = None
    for request in requests:
        try:
            answers = _replay(request, before) if before else {}
            if new := [order for order in request.orders if order.id not in answers]:
                books = books or Books(requests, accounts, clock=look.clock, decided=before)
                _decide_new(request, new, before, books, answers)
            outcomes.append([answers[order.id] for order in request.orders])
        except LedgerError as error:
            outcomes.append(error)
    return outcomes, books


def _replay(request: PostingRequest, before: Mapping[UUID, Transaction]) -> dict[UUID, Posting | LedgerError]:
    """What was decided before, answered from its row."""
    answers: dict[UUID, Posting | LedgerError] = {}
    for order in request.orders:
        row = before.get(order.id)
        if row is None:
            continue
        differs = list(order.find_differences(row))
        if not differs:
            answers[order.id] = Posting(row, replayed=True)
            continue
        error = errors.IdempotencyKeyReused(row, differs)
        error.command_id = order.id
        if not request.each:
            raise error
        answers[order.id] = error
    # Of a transfer whose id was used for something else, the other leg is refused with it.
    refused = {
        order.transfer: answers[order.id]
        for order in request.orders
        if order.transfer and isinstance(answers.get(order.id), LedgerError)
    }
    answers.update(
        (order.id, refused[order.transfer]) for order in request.orders if order.transfer in refused
    )
    return answers


def _decide_new(
    request: PostingRequest,
    orders: Sequence[Order],
    before: Mapping[UUID, Transaction],
    books: Books,
    answers: dict[UUID, Posting | LedgerError],
) -> None:
    """Decide `orders`, which are new. A refusal is raised, and nothing of them is in the books; with `each`,
    it is an answer."""
    decline = _find_declined(request.orders, before) if request.together else None
    groups = request.group(orders)
    stock = books.take_stock(orders) if len(groups) > 1 and not request.each else None
    for group in groups:
        try:
            for row in books.decide(group, request, decline):
                answers[row.id] = Posting(row, replayed=False)
        except LedgerError as error:
            if not request.each:
                if stock:
                    books.restore(stock)
                raise
            answers.update((order.id, error) for order in group)


def _find_declined(orders: Iterable[Order], before: Mapping[UUID, Transaction]) -> Decline | None:
    """Why an atomic list cannot be posted any more: one of it was declined before."""
    for order in orders:
        row = before.get(order.id)
        if row and row.decline_reason:
            return errors.BATCH_DECLINED, {"culprit": str(row.id)}
    return None


def _count(outcomes: Iterable[Outcome]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        for answer in () if isinstance(outcome, LedgerError) else outcome:
            if isinstance(answer, Posting):
                row = answer.transaction
                counts[row.type, "replayed" if answer.replayed else row.decline_reason or "posted"] += 1
    for labels, count in counts.items():
        _find_counter(*labels).inc(count)


@cache
def _find_counter(type: str, outcome: str) -> Any:
    return metrics.POSTINGS.labels(type=type, outcome=outcome)

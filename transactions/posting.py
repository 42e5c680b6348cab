"""The engine: the only code that moves money.

One path: look the ids up, lock the accounts, look again and read the clock, decide in memory, write
everything in one statement, commit. One order is a batch of one.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.transaction import atomic, on_commit

from accounts import operations
from accounts.models import Account
from events.errors import LedgerError
from transactions import errors, ledger_sql, metrics, queries
from transactions.books import Books
from transactions.declines import Decline
from transactions.models import Transaction
from transactions.orders import Order

ATTEMPTS_MAX = 5
LEGS = 2  # of a transfer
# A duplicate id, a serialization failure, a deadlock: nothing was written. A shutdown: unknown.
RUN_AGAIN = {"23505", "40001", "40P01", "57P01", "57P02", "57P03"}


@dataclass(frozen=True, slots=True)
class Posting:
    """The answer to one order: its transaction, POSTED or DECLINED, and whether it was decided before."""

    transaction: Transaction
    replayed: bool


Answers = list[Posting | LedgerError]


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
    answers = _post(orders, actor=actor, request_id=request_id, together=together, each=False)
    return [answer for answer in answers if not isinstance(answer, LedgerError)]


def post_each(orders: Sequence[Order], *, actor: UUID, request_id: str = "") -> Answers:
    """As `post`, but a refusal is the answer to its own order only and the others are posted."""
    return _post(orders, actor=actor, request_id=request_id, together=False, each=True)


def _post(orders: Sequence[Order], *, actor: UUID, request_id: str, together: bool, each: bool) -> Answers:
    if len({order.id for order in orders}) < len(orders):
        raise ValueError("An id stands twice in one posting.")

    def run() -> Answers:
        return _post_once(orders, actor, request_id, together, each)

    with metrics.POSTING_SECONDS.time():
        if connection.in_atomic_block:
            return run()
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return _commit(run)
            except (Error, errors.CommitNotConfirmed) as error:
                if attempt == ATTEMPTS_MAX or not _may_run_again(error):
                    raise
            metrics.POSTING_RETRIES.inc()
            connection.close_if_unusable_or_obsolete()
            time.sleep(random.uniform(0.005, 0.02 * 2**attempt))  # noqa: S311, not a secret
    raise AssertionError("unreachable")


def _commit(run: Callable[[], Answers]) -> Answers:
    committed: list[bool] = []
    with atomic():
        answers = run()
        on_commit(lambda: committed.append(True))
    if not committed:
        raise errors.CommitNotConfirmed
    return answers


def _may_run_again(error: Exception) -> bool:
    """Whether running the whole posting again can answer it. A lost connection has no SQLSTATE."""
    if isinstance(error, errors.CommitNotConfirmed):
        return True
    sqlstate: str | None = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in RUN_AGAIN or sqlstate.startswith("08")


def _post_once(orders: Sequence[Order], actor: UUID, request_id: str, together: bool, each: bool) -> Answers:
    ids = [order.id for order in orders]
    decided = ledger_sql.look(ids).decided
    accounts: dict[UUID, Account] = {}
    if open_orders := [order for order in orders if order.id not in decided]:
        accounts = operations.lock_accounts(order.account_id for order in open_orders)
        seen = ledger_sql.look(ids)
        if seen.isolation != "read committed":
            raise ImproperlyConfigured(f"Postings run in READ COMMITTED, not in {seen.isolation.upper()}.")
        decided = seen.decided
    before = queries.find_transactions(decided)
    answers: dict[UUID, Posting | LedgerError] = {}
    for order in orders:
        if order.id in before:
            with _kept(answers, [order], each):
                answers[order.id] = _replay(order, before[order.id])
    # Of a transfer whose id was used for something else, the other leg is refused with it.
    refused = {
        order.transfer: answers[order.id]
        for order in orders
        if order.transfer and isinstance(answers.get(order.id), LedgerError)
    }
    answers.update((order.id, refused[order.transfer]) for order in orders if order.transfer in refused)
    if new := [order for order in orders if order.id not in before and order.id not in answers]:
        books = Books(new, accounts, clock=seen.clock, actor=actor, request_id=request_id)
        decline = _find_declined(orders, before) if together else None
        for group in _group(new, together):
            with _kept(answers, group, each):
                rows = books.decide(group, decline)
                answers.update((row.id, Posting(row, replayed=False)) for row in rows)
        if books.rows:
            books.write()
    on_commit(lambda: _count(answers.values()), robust=True)
    return [answers[id] for id in ids]


@contextmanager
def _kept(answers: dict[UUID, Posting | LedgerError], orders: Sequence[Order], each: bool) -> Iterator[None]:
    """With `each`, a refusal is the answer to these orders; without, it is raised."""
    try:
        yield
    except LedgerError as error:
        if not each:
            raise
        answers.update((order.id, error) for order in orders)


def _replay(order: Order, before: Transaction) -> Posting:
    if differs := list(order.find_differences(before)):
        error = errors.IdempotencyKeyReused(before, differs)
        error.command_id = order.id
        raise error
    return Posting(before, replayed=True)


def _find_declined(orders: Iterable[Order], before: Mapping[UUID, Transaction]) -> Decline | None:
    """Why an atomic list cannot be posted any more: one of it was declined before."""
    for order in orders:
        row = before.get(order.id)
        if row and row.decline_reason:
            return errors.BATCH_DECLINED, {"culprit": str(row.id)}
    return None


def _group(orders: Sequence[Order], together: bool) -> list[list[Order]]:
    """What is posted or declined together: everything, or the two legs of each transfer."""
    legs = Counter((order.transfer, order.amount) for order in orders if order.transfer)
    if any(count != LEGS for count in legs.values()):
        raise ValueError("A transfer has two legs with the same amount.")
    groups: dict[UUID, list[Order]] = {}
    for order in orders:
        groups.setdefault(order.transfer or order.id, []).append(order)
    if together:  # the legs of a transfer one after the other, at the same moment
        return [[order for group in groups.values() for order in group]]
    return list(groups.values())


def _count(postings: Iterable[Posting | LedgerError]) -> None:
    for posting in postings:
        if isinstance(posting, LedgerError):
            continue
        row = posting.transaction
        outcome = "replayed" if posting.replayed else row.decline_reason or "posted"
        metrics.POSTINGS.labels(type=row.type, outcome=outcome).inc()

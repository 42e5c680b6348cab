"""The engine: the only code that moves money, sets it aside or changes the rules of an account.

One path: lock the accounts, look the ids up and read the clock, decide in memory, write everything in one
statement, commit. One command is a batch of one, and one request a group of one.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.transaction import atomic, on_commit

from accounts import operations
from accounts.queries import find_accounts_with_due_holds, find_payees
from ledger.callers import ActorKind, Caller
from ledger.errors import LedgerError
from ledger.sql import UNAVAILABLE
from ledger.values import write_ids
from transactions import errors
from transactions.models import Transaction
from transactions.posting import metrics, writing
from transactions.posting.commands import Expiry
from transactions.posting.deciding import decide
from transactions.posting.own_transaction import OwnTransaction
from transactions.posting.requests import Answers, Outcome, PostingRequest, PostingResult
from transactions.posting.settling.thresholds import FELL, ROSE
from transactions.posting.state import COLUMNS, MoreAccounts, State
from transactions.posting.writing import Look

ATTEMPTS_MAX = 5
NOBODY = Caller(None, ActorKind.LEDGER)
# A duplicate id, a serialization failure, a deadlock: nothing was written. A shutdown: unknown.
RUN_AGAIN = {"23505", "40001", "40P01", "57P01", "57P02", "57P03"}


def post_request(request: PostingRequest) -> Answers:
    """The answers to the commands: `in_process.post` says how. Raises `LedgerError` for a refusal of all.

    With `each`, a refusal is the answer to its own command, and the others are posted.
    """
    if not request.commands and request.batch is None:
        return []
    if len(request.commands) > 1:
        request.require_different_ids()
    if connection.in_atomic_block:
        with metrics.POSTING_SECONDS.time():
            outcome = _post_within([request])[0]
    else:
        outcome = post_group([request])[0]
    if isinstance(outcome, LedgerError):
        raise outcome
    return outcome


def post_and_stay(request: PostingRequest, transaction: ExitStack) -> Answers:
    """As `post_request`, but the transaction is still open: closing `transaction` commits it."""
    if len(request.commands) > 1:
        request.require_different_ids()

    def post_within(requests: Sequence[PostingRequest]) -> list[Outcome]:
        with ExitStack() as attempt:
            attempt.enter_context(atomic())
            outcomes = _post_within(requests)
            transaction.enter_context(attempt.pop_all())
        return outcomes

    attempts_max = 1 if connection.in_atomic_block else ATTEMPTS_MAX  # in a transaction of a test
    [outcome] = post_group([request], attempts_max=attempts_max, once=post_within)
    if isinstance(outcome, LedgerError):
        raise outcome
    return outcome


def post_group(
    requests: Sequence[PostingRequest],
    *,
    attempts_max: int = ATTEMPTS_MAX,
    once: Callable[[Sequence[PostingRequest]], list[Outcome]] | None = None,
) -> list[Outcome]:
    """Post requests that have no id in common in one commit; each is refused, declined or posted by itself.

    Outside a transaction. Raises the database's error when none of it could be posted, or nobody knows.
    """
    with metrics.POSTING_SECONDS.time():
        for attempt in range(1, attempts_max + 1):
            try:
                return (once or _post_once)(requests)
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


def expire_some(accounts_max: int = 100) -> int:
    """End due holds of so many accounts at most, an account per commit; how many holds there were.

    An account that is being worked on is left alone: who works on it ends its due holds. In a caller's
    transaction it is waited for.
    """
    expired = 0
    for id in find_accounts_with_due_holds(accounts_max):
        request = PostingRequest(commands=[Expiry(account_id=id)], caller=NOBODY)
        outcome = post_request(request) if connection.in_atomic_block else post_what_is_free([request])[0]
        if outcome is not None and not isinstance(outcome, LedgerError):
            expired += sum(len(answer.made) for answer in outcome if isinstance(answer, PostingResult))
    if expired:
        metrics.HOLDS_EXPIRED.inc(expired)
    return expired


def is_lost(error: Exception) -> bool:
    """Whether the database could not be asked: what failed for that fails for everybody."""
    sqlstate: str | None = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate.startswith(UNAVAILABLE)


def _may_run_again(error: Exception) -> bool:
    """Whether running the whole posting again can answer it. A lost connection has no SQLSTATE."""
    if isinstance(error, errors.CommitNotConfirmed):
        return True
    sqlstate: str | None = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in RUN_AGAIN or sqlstate.startswith("08")


def _post_once(
    requests: Sequence[PostingRequest], *, skip_locked: bool = False, owing: Collection[UUID] = ()
) -> list[Any]:
    """In a transaction of its own, in two round trips. With the accounts that those of `owing` pay to."""
    accounts, rows = _find_ids(requests)
    payees: set[UUID] = find_payees(owing) if owing else set()
    accounts |= payees
    account_ids, ids = write_ids(accounts), write_ids(rows)
    batch_ids = ""
    for request in requests:
        if request.batch is not None:  # seldom: a look at batches is another statement
            batch_ids = write_ids(_find_batch_ids(requests))
            break
    own, more = OwnTransaction(), None
    try:
        locked, look = own.begin(account_ids, ids, batch_ids, skip_locked=skip_locked)
        had = {row[0] for row in locked} if skip_locked else set()
        waiting = _find_waiting(requests, had, look, payees) if skip_locked else set()
        if len(waiting) == len(requests):
            return [None] * len(requests)
        outcomes, state = decide([each for each in requests if id(each) not in waiting], locked, look)
        own.commit(*writing.describe_write(state))
    except MoreAccounts as error:
        more = error.account_id
    finally:
        own.end()
    if more is not None:  # once more, with them
        return _post_once(requests, skip_locked=skip_locked, owing={*owing, more})
    _count(outcomes, state)
    decided = iter(outcomes)
    return [None if id(request) in waiting else next(decided) for request in requests]


def _post_within(requests: Sequence[PostingRequest], owing: Collection[UUID] = ()) -> list[Outcome]:
    """In the caller's transaction. What it locks more, for claims, is not in the order of all others."""
    account_ids, ids = _find_ids(requests)
    locked = operations.lock_rows(account_ids | (find_payees(owing) if owing else set()), COLUMNS)
    look = writing.look(ids, _find_batch_ids(requests))
    if look.isolation != "read committed":
        raise ImproperlyConfigured(f"Postings run in READ COMMITTED, not in {look.isolation.upper()}.")
    try:
        outcomes, state = decide(requests, locked, look)
    except MoreAccounts as error:
        return _post_within(requests, {*owing, error.account_id})
    for step in writing.describe_write(state):
        writing.write(*step)
    on_commit(lambda: _count(outcomes, state), robust=True)
    return outcomes


def _find_ids(requests: Sequence[PostingRequest]) -> tuple[set[UUID], list[UUID]]:
    """The accounts of the requests, and the ids of the rows that they make."""
    every = [command.needs for request in requests for command in request.commands]
    return {id for needs in every for id in needs.accounts}, [id for needs in every for id in needs.rows]


def _find_batch_ids(requests: Sequence[PostingRequest]) -> list[UUID]:
    return [request.batch.id for request in requests if request.batch]


def _find_waiting(
    requests: Iterable[PostingRequest],
    locked: set[UUID],
    look: Look,
    payees: set[UUID],
) -> set[int]:
    """The requests with an account that was not to be had. One that does not exist keeps nobody waiting.

    Who has one of the `payees`, among whom are those who pay, needs all of them.
    """
    missing = [
        (id(request), account_id)
        for request in requests
        for command in request.commands
        for account_id in (
            command.needs.accounts
            if payees.isdisjoint(command.needs.accounts)
            else payees.union(command.needs.accounts)
        )
        if account_id not in locked
        and not (command.needs.rows and look.decided.issuperset(command.needs.rows))
    ]
    if not missing:
        return set()
    existing = writing.find_existing(account_id for _, account_id in missing)
    return {request for request, account_id in missing if account_id in existing}


def _count(outcomes: Iterable[Outcome], state: State) -> None:
    if state.collections:
        metrics.COLLECTIONS.inc(state.collections)
    if state.changed_thresholds:
        for event in state.events:
            if event["type"] in (FELL, ROSE):
                metrics.CROSSINGS.labels(type=event["type"]).inc()
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        for answer in () if isinstance(outcome, LedgerError) else outcome:
            if isinstance(answer, PostingResult):
                for row in answer.made:
                    if type(row) is Transaction:
                        decided = "replayed" if answer.replayed else row.decline_reason or "posted"
                        counts[row.type, decided] += 1
    for labels, count in counts.items():
        _find_counter(*labels).inc(count)


@cache
def _find_counter(type: str, outcome: str) -> Any:
    return metrics.POSTINGS.labels(type=type, outcome=outcome)

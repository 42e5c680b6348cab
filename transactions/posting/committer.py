"""Group commit: what several requests want posted at the same moment is posted in one commit.

Three threads of a process post what is shared with them. The first waits for nobody: a request whose accounts
others are working on goes on to the second, which waits for locks and runs again what failed; if a group
fails for another reason than a lost database, its requests are posted one by one, so that none harms another.
The third posts big lists, which would hold up the others, one after another.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

from django.conf import settings
from django.db import connections

from ledger.errors import LedgerError
from ledger.grouping import Grouping, Waiting
from transactions.posting import engine
from transactions.posting.requests import Answers, Outcome, PostingRequest
from transactions.posting.writing import is_lock_timeout

COMMANDS_MAX = 500  # of a group
BIG = 50  # commands of a list that goes alone
WAIT_SECONDS_MAX = 3  # of a request whose account is locked, while other accounts are waited for in vain

Shared = Waiting[PostingRequest, Answers]


def share(request: PostingRequest) -> "Future[Answers]":
    """The answers to the commands of `request`, which may be posted together with other requests.

    In a caller's transaction, or where no committer was started, it is posted alone and at once.
    """
    if _prompt.thread is None or _is_in_transaction() or not request.commands:
        answer: Future[Answers] = Future()
        try:
            answer.set_result(engine.post_request(request))
        except Exception as error:
            answer.set_exception(error)
        return answer
    if len(request.commands) > 1:
        request.require_different_ids()
    return (_big if len(request.commands) > BIG else _prompt).ask(request)


def _is_in_transaction() -> bool:
    """Whether the caller has begun one. Who has no connection is not given one for the question: on a loop's
    thread every request would make one of its own and leave it to the garbage collector."""
    return any(wrapper.in_atomic_block for wrapper in connections.all(initialized_only=True))


def start() -> None:
    """From now on requests are posted together, by threads of this process."""
    for grouping in (_patient, _big, _prompt):
        grouping.start()


def stop() -> None:
    """Post what waits. What is shared from now on is posted alone."""
    for grouping in (_prompt, _big, _patient):
        grouping.stop()


def _weigh(request: PostingRequest) -> int:
    return len(request.commands)


def _find_ids(request: PostingRequest) -> Sequence[UUID]:
    return request.ids if request.batch is None else [*request.ids, request.batch.id]


def _answer(waiting: Shared, outcome: Outcome) -> None:
    if isinstance(outcome, LedgerError):
        waiting.answer.set_exception(outcome)
    else:
        waiting.answer.set_result(outcome)


def _post_what_is_free(group: list[Shared]) -> None:
    for waiting in _try(group):
        _patient.pass_on(waiting)


def _try(group: list[Shared]) -> list[Shared]:
    """Post what waits for nobody. The others."""
    try:
        outcomes = engine.post_what_is_free([waiting.asked for waiting in group])
    except Exception:
        outcomes = [None] * len(group)
    others = []
    for waiting, outcome in zip(group, outcomes, strict=True):
        if outcome is None:
            others.append(waiting)
        else:
            _answer(waiting, outcome)
    return others


def _post_patiently(group: list[Shared]) -> None:
    """Wait for the accounts of the first request, holding no others that somebody else may want meanwhile.

    If that was in vain, those who have waited long enough are not kept until it is their turn.
    """
    first = set(group[0].asked.account_ids)
    here: list[Shared] = []
    elsewhere: list[Shared] = []
    for waiting in group:
        apart = first.isdisjoint(waiting.asked.account_ids)
        (elsewhere if apart else here).append(waiting)
    others = _try(elsewhere) if elsewhere else []
    timeout = _post_waiting(here)
    for waiting in others:
        if timeout and time.monotonic() - waiting.since > WAIT_SECONDS_MAX:
            _post_one_by_one([waiting], timeout)
        else:
            _patient.put_off(waiting)


def _post_waiting(group: list[Shared]) -> Exception | None:
    """Answers all of them. Returns the error if a lock was waited for in vain."""
    try:
        outcomes = engine.post_group([waiting.asked for waiting in group])
    except Exception as error:
        if len(group) == 1 or engine.is_lost(error):
            for waiting in group:
                waiting.answer.set_exception(error)
        else:
            _post_one_by_one(group, error)
        return error if is_lock_timeout(error) else None
    for waiting, outcome in zip(group, outcomes, strict=True):
        _answer(waiting, outcome)
    return None


def _post_one_by_one(group: list[Shared], error: Exception) -> None:
    """Once somebody has waited for a lock in vain, nobody waits any more: who would, gets that error."""
    for waiting in group:
        post = engine.post_what_is_free if is_lock_timeout(error) else engine.post_group
        try:
            [outcome] = post([waiting.asked])
        except Exception as own_error:
            waiting.answer.set_exception(own_error)
            if is_lock_timeout(own_error):
                error = own_error
        else:
            if outcome is None:
                waiting.answer.set_exception(error)
            else:
                _answer(waiting, outcome)


_prompt: Grouping[PostingRequest, Answers] = Grouping(
    "payments",
    _post_what_is_free,
    weight_max=COMMANDS_MAX,
    weigh=_weigh,
    find_keys=_find_ids,
    gather_seconds=settings.GATHER_SECONDS,
)
_patient: Grouping[PostingRequest, Answers] = Grouping(
    "locked payments", _post_patiently, weight_max=COMMANDS_MAX, weigh=_weigh, find_keys=_find_ids
)
_big: Grouping[PostingRequest, Answers] = Grouping("batches", _post_patiently, weight_max=1)

"""How other apps of the monolith post: `post` answers, `post_or_raise` raises declines, `posted` takes the
caller's own rows into the same commit. docs/in-process.md has them at work.

Each takes one command, or a list of them, and answers in the same shape. What is asked is checked here too:
who asks, and that the ids are ones that somebody has chosen.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache
from typing import Any, overload
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from psycopg.pq import TransactionStatus

from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.errors import DECLINES_OF_CLAIMS, IdInvalid, UserNotFound
from accounts.models import Claim, Hold, User
from ledger.callers import ActorKind, Caller
from ledger.text import Rule, TypeInvalid, is_plain, require_text
from ledger.values import NO_CHOSEN_ID
from transactions import errors
from transactions.posting import engine
from transactions.posting.asked import require_id
from transactions.posting.batches import NewBatch
from transactions.posting.commands import (
    Capture,
    ChangeHold,
    ClaimedReversal,
    Command,
    NewClaim,
    NewHold,
    NewTransaction,
    Release,
    RemoveThreshold,
    Reversal,
    SetLimits,
    SetMetadata,
    SetStatus,
    SetThreshold,
    Transfer,
    WaiveClaim,
)
from transactions.posting.requests import PostingRequest, PostingResult, find_culprit

REQUEST_ID_LENGTH_MAX = 64
KINDS = frozenset(
    {
        *(Capture, ChangeHold, ClaimedReversal, NewClaim, NewHold, NewTransaction, Release, RemoveThreshold),
        *(Reversal, SetLimits, SetMetadata, SetStatus, SetThreshold, Transfer, WaiveClaim),
    }
)
ACTOR_KINDS = frozenset(map(str, ActorKind)) - {str(ActorKind.LEDGER)}
MAX = UUID(int=2**128 - 1).int


@overload
def post(
    new: Sequence[Command], *, caller: Caller, all_or_nothing: bool = False, batch: NewBatch | None = None
) -> list[PostingResult]: ...
@overload
def post(
    new: Command, *, caller: Caller, all_or_nothing: bool = False, batch: NewBatch | None = None
) -> PostingResult: ...
def post(new: Any, *, caller: Caller, all_or_nothing: bool = False, batch: NewBatch | None = None) -> Any:
    """Decide the commands in turn and write them in one commit; results in the order of the commands.

    What was decided under an id before is answered again, whatever has happened since. A decline is a result,
    not an exception. The legs of a transfer are posted both or neither; `all_or_nothing` asks it of the whole
    list, to which a `batch` gives an id and a row of its own. Raises `LedgerError`s for what is refused
    unrecorded; then nothing of the list is written.

    Called outside a transaction it owns one, and runs again (with the same ids, so that nothing is doubled)
    after a lost connection, a deadlock or a lost race. Inside a caller's `atomic()` it is part of that
    transaction: one call, before the caller locks other rows; errors propagate, retries are the caller's.
    """
    request = _make_request(new, caller, all_or_nothing, batch)
    results: Any = engine.post_request(request)  # without `each` no refusal is among them
    return results if request.commands is new else results[0]


@overload
def post_or_raise(
    new: Sequence[Command], *, caller: Caller, batch: NewBatch | None = None
) -> list[PostingResult]: ...
@overload
def post_or_raise(new: Command, *, caller: Caller, batch: NewBatch | None = None) -> PostingResult: ...
def post_or_raise(new: Any, *, caller: Caller, batch: NewBatch | None = None) -> Any:
    """As `post`, everything or nothing, but a decline is raised as `Declined`, when it is committed.

    Inside a caller's `atomic()` it raises `InsideTransaction` before anything is asked: the error would take
    the recorded decline back, and the same id could succeed later.
    """
    _require_outermost()
    request = _make_request(new, caller, True, batch)
    results: Any = engine.post_request(request)  # without `each` no refusal is among them
    _raise_if_declined(results)
    return results if request.commands is new else results[0]


@overload
def posted(
    new: Sequence[Command], *, caller: Caller, batch: NewBatch | None = None
) -> AbstractContextManager[list[PostingResult]]: ...
@overload
def posted(
    new: Command, *, caller: Caller, batch: NewBatch | None = None
) -> AbstractContextManager[PostingResult]: ...
@contextmanager
def posted(new: Any, *, caller: Caller, batch: NewBatch | None = None) -> Iterator[Any]:
    """What is done in the block is committed together with the posting, which comes first: both or neither.

    Declined, everything or nothing: the block is not entered, the decline is committed, and `Declined` is
    raised. An error in the block is raised after both were rolled back, and then the ids are free again. What
    was posted before under the same ids enters the block again, with `replayed`.

    It owns the outermost transaction: inside a caller's `atomic()` it raises `InsideTransaction`. It runs
    again like `post` until it enters the block, never after. Raises `CommitNotConfirmed` if the block has
    swallowed an error of the database: nothing is written then.
    """
    _require_outermost()
    request = _make_request(new, caller, True, batch)
    with ExitStack() as transaction:
        results: Any = engine.post_and_stay(request, transaction)
        if not find_culprit(results):
            yield results if request.commands is new else results[0]
            _require_sound()
    _raise_if_declined(results)


def _make_request(new: Any, caller: Caller, all_or_nothing: bool, batch: NewBatch | None) -> PostingRequest:
    """Raises what is wrong with who asks, and `IdInvalid` for an id that nobody may choose; derived ids stand
    only in a list that has an id of its own.
    """
    commands = new if isinstance(new, list | tuple) else (new,)
    if type(caller) is not Caller or caller.batch is not None:
        raise TypeInvalid("The caller is a Caller, of no list: that is the batch of its own.")
    actor, kind, request_id, _ = caller
    if type(actor) is not UUID or kind not in ACTOR_KINDS:
        _refuse_actor(actor, kind)
    if type(request_id) is not str or len(request_id) > REQUEST_ID_LENGTH_MAX or not is_plain(request_id):
        require_text(request_id, Rule.IDENTIFIER, "request_id", length_max=REQUEST_ID_LENGTH_MAX)
    if batch is not None and type(batch) is not NewBatch:
        raise TypeInvalid("The batch is a NewBatch.")
    for command in commands if batch is None else (*commands, batch):
        if type(command) not in KINDS and (batch is None or command is not batch):
            raise TypeInvalid("Not a command of transactions.posting.commands.")
        id = command.id
        if id is None:
            continue
        number = id.int
        is_derived = (number >> 76) & 0xF == 8 and (number >> 62) & 0x3 == 2
        if not 0 < number < MAX or (is_derived and (batch is None or command is batch)):
            error = IdInvalid(NO_CHOSEN_ID)
            error.command = command
            raise error
    _require_user(actor)
    return PostingRequest(commands=commands, caller=caller, all_or_nothing=all_or_nothing, batch=batch)


def _refuse_actor(actor: object, kind: object) -> None:
    require_id(actor, "actor")
    error = errors.ChoiceInvalid(f"One of {', '.join(sorted(ACTOR_KINDS))}.")
    error.field = "actor_kind"
    raise error


def _require_user(id: Any) -> None:
    """Raises `UserNotFound`. A connection that was lost meanwhile is replaced, as for the posting itself."""
    try:
        _find_user(id)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close_if_unusable_or_obsolete()
        _find_user(id)


@lru_cache(maxsize=4096)
def _find_user(id: UUID) -> None:
    """Asked once of each, since nobody who is there ever leaves."""
    if not User.objects.filter(pk=id).exists():
        error = UserNotFound("There is no such user.")
        error.field = "actor"
        raise error


def _raise_if_declined(results: list[PostingResult]) -> None:
    if culprit := find_culprit(results):
        details = errors.DECLINES
        if isinstance(culprit, Hold | Claim):
            details = DECLINES_OF_HOLDS if isinstance(culprit, Hold) else DECLINES_OF_CLAIMS
        raise errors.Declined(details[culprit.decline_reason or ""], culprit, results)


def _require_outermost() -> None:
    """Django's `TestCase` puts a transaction around a test: it does not count, as with a durable `atomic`."""
    if connection.in_atomic_block:
        is_inside = not connection.atomic_blocks[-1]._from_testcase  # type: ignore[attr-defined]
    else:
        is_inside = not connection.get_autocommit()
    if is_inside:
        raise errors.InsideTransaction(
            "There is a transaction already, which could take a recorded decline back: end it first, mark "
            "the view with non_atomic_requests, or call posting.post and look at what it answers."
        )


def _require_sound() -> None:
    """COMMIT rolls back, without a word, what has met an error before."""
    status = connection.connection.info.transaction_status
    if connection.needs_rollback or status != TransactionStatus.INTRANS:
        raise errors.CommitNotConfirmed("An error of the database was swallowed: nothing is written.")

"""Keeping what is searched: it follows the feed, a moment behind, so that no posting does anything for it.

An event says of what to read, and the rows are read as they are then: read twice or late, they come to the
same. Every step is a short transaction that holds the lock of `SearchState`; killed at any moment, the next
one goes on. Erasing a person holds it too, until its commit: nothing read before is written after.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from threading import Event as Flag
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.db import connection
from django.db.transaction import atomic

from accounts.models import Account, User
from ledger.logs import describe_error
from ledger.sql import fetch
from transactions.models import SearchState
from transactions.search import keys, statements
from transactions.search.folding import find_digits, fold, fold_address

EVENTS = 500  # that are read in a step
ROWS = 500  # that are made anew in a step
PAUSE_SECONDS = 0.5
PAUSE_SECONDS_AFTER_ERROR = 5.0
LAST = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
Rebuilding = SearchState.Rebuilding
NEXT = {
    Rebuilding.PEOPLE: Rebuilding.TRANSACTIONS,
    Rebuilding.TRANSACTIONS: Rebuilding.HOLDS,
    Rebuilding.HOLDS: Rebuilding.NOTHING,
}

logger = structlog.get_logger(__name__)


class Knowledge(NamedTuple):
    """What the search knows `now`: everything up to `known_at`, but for what is still being made anew."""

    now: datetime
    known_at: datetime
    behind_seconds: float
    behind_events: int
    is_rebuilding: bool


def read_knowledge() -> Knowledge:
    position, rebuilding, last, _, now, oldest_unread = fetch(statements.LOOK)[0]
    behind = max(0.0, (now - oldest_unread).total_seconds()) if oldest_unread else 0.0
    return Knowledge(now, oldest_unread or now, behind, last - (position or 0), bool(rebuilding))


def keep(stopping: Flag) -> None:
    """Follow until told to stop. Meant for a thread of its own: whatever goes wrong is tried again later, and
    stops nobody else.
    """
    try:
        while not stopping.is_set():
            stopping.wait(0 if attempt(stopping) else PAUSE_SECONDS)
    finally:
        connection.close()


def attempt(stopping: Flag | None = None) -> bool:
    """A step; whether there may be more to do. What goes wrong is logged, and there is a pause."""
    try:
        return follow_some()
    except Exception as error:  # whatever it is, it must not end the thread
        logger.warning("search_waits", error=describe_error(error))
        connection.close_if_unusable_or_obsolete()
        (stopping or Flag()).wait(PAUSE_SECONDS_AFTER_ERROR if stopping else 0)
        return False


def follow_some() -> bool:
    """Read the next events, and make some rows anew if that is due. Returns whether there is more to do now;
    what has come meanwhile waits for the next time, so that a step is not for one event alone.
    """
    position, rebuilding, last, pruned_through, *_ = fetch(statements.LOOK)[0]
    if position is None:
        _execute(statements.BEGIN)
    elif not rebuilding and position == last:
        return False
    with atomic():
        state = _lock(statements.LOCK_IF_FREE)
        if state is None:  # somebody else is doing it
            return False
        if state.position < pruned_through:  # events that were never read are gone
            _begin_rebuilding(last)
            return True
        followed = _follow(state, last)
        return _rebuild_some(state) or followed


@atomic
def begin_rebuilding() -> None:
    """Make everything anew, from the ledger, in steps: the feed is followed all the while."""
    _execute(statements.BEGIN)
    state = _lock()
    _begin_rebuilding(state.position if state else 0)


@atomic
def forget(user_id: UUID) -> None:
    """Nobody finds the person by any words of theirs: part of the transaction that erases them."""
    _execute(statements.BEGIN)
    _lock()
    accounts = list(Account.objects.filter(user=user_id).values_list("id", flat=True))
    _execute(statements.FORGET_PEOPLE, [[user_id]])
    _execute(statements.FORGET_REFERENCES, {"accounts": accounts})


def _lock(how: str = statements.LOCK) -> SearchState | None:
    for position, rebuilding, before_at, before_id in fetch(how):
        return SearchState(position=position, rebuilding=rebuilding, before_at=before_at, before_id=before_id)
    return None


def _begin_rebuilding(position: int) -> None:
    """All that is committed is met by it; what is not is told by an event behind the position."""
    _execute(statements.MOVE, [position])
    _execute(statements.GO_ON, [Rebuilding.PEOPLE, None, None])


def _follow(state: SearchState, last: int) -> bool:
    position, streams, numbers, people, holds, count = fetch(
        statements.EVENTS, {"after": state.position, "last": last, "limit": EVENTS}
    )[0]
    if not count:
        return False
    _write_people(set(people or ()))
    if numbers:
        _write_references(fetch(statements.TRANSACTIONS, [streams, numbers]))
    if holds:
        _write_references(fetch(statements.HOLDS, [list(map(UUID, holds))]))
    _execute(statements.MOVE, [position])
    return bool(count == EVENTS)


def _rebuild_some(state: SearchState) -> bool:
    if not state.rebuilding:
        return False
    before_at, before_id = (state.before_at, state.before_id) if state.before_at else LAST
    page = [before_at, before_id, ROWS]
    if state.rebuilding == Rebuilding.PEOPLE:
        rows = [(id, moment) for id, moment in fetch(statements.BEFORE_PEOPLE, page)]
        _write_people([id for id, _ in rows])
    else:
        is_of_holds = state.rebuilding == Rebuilding.HOLDS
        found = fetch(statements.BEFORE_HOLDS if is_of_holds else statements.BEFORE_TRANSACTIONS, page)
        _write_references(found)
        rows = [(id, recorded_at) for id, _, recorded_at, _ in found]
    if len(rows) < ROWS:
        next_one: tuple[Any, ...] = (NEXT[Rebuilding(state.rebuilding)], None, None)
    else:
        next_one = (state.rebuilding, rows[-1][1], rows[-1][0])
    _execute(statements.GO_ON, next_one)
    return True


def _write_people(ids: Collection[UUID]) -> None:
    """As they are now; whoever is no account holder, or was forgotten, is not there."""
    if not ids:
        return
    found = User.objects.filter(id__in=ids, is_holder=True, erased_at=None)
    rows = [_describe_person(user) for user in found]
    gone = set(ids) - {user.id for user in found}
    if rows:
        _execute(statements.WRITE_PEOPLE, [_write_json(rows)])
    if gone:
        _execute(statements.FORGET_PEOPLE, [list(gone)])


def _write_references(rows: Iterable[tuple[Any, ...]]) -> None:
    described = {}
    for id, is_hold, recorded_at, reference in rows:
        found = _describe_reference(reference, keys.number_quarter(datetime.fromisoformat(recorded_at)))
        if found["reference"]:
            moved = {"id": id, "is_hold": is_hold, "recorded_at": recorded_at}
            described[id, is_hold] = moved | found
    if described:
        _execute(statements.WRITE_REFERENCES, [_write_json(described.values())])


@lru_cache(1000)  # many movements have the same one
def _describe_reference(reference: str, quarter: int) -> dict[str, Any]:
    folded = fold(reference)
    return {"reference": folded, "keys": keys.of_reference(folded, quarter)}


def _describe_person(user: User) -> dict[str, Any]:
    name, external_id = fold(user.name), fold(user.external_id or "")
    contacts = find_contacts(user.metadata)
    return {
        "user_id": user.id,
        "name": name,
        "external_id": external_id,
        "contacts": contacts,
        "keys": keys.of_person(name=name, external_id=external_id, contacts=contacts),
    }


def find_contacts(metadata: dict[str, str]) -> list[str]:
    """What the metadata says of how somebody is reached: the keys of `SEARCH_CONTACT_KEYS`."""
    contacts = []
    for name in settings.SEARCH_CONTACT_KEYS:
        value = metadata.get(name, "")
        contact = fold_address(value) if "@" in value else find_digits(value)
        if "@" in contact or len(contact) >= keys.DIGITS_MIN:
            contacts.append(contact)
    return list(dict.fromkeys(contacts))


def _write_json(rows: Iterable[dict[str, Any]]) -> str:
    return orjson.dumps(list(rows)).decode()


def _execute(statement: str, values: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

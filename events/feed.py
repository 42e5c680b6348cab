"""The feed: every event in one order without gaps, and cursors into it.

An event gets its position after its commit. Sequence numbers are given under the lock of the stream, and
`recorded_at` never falls along them, so whoever sees an event of a stream in `events_pending` sees the
earlier ones too: taken in the order of (recorded_at, stream, sequence) they keep each stream's order.
Positions are given one batch after another, under the lock of `events_feed_state`, so that whoever sees a
position sees all before it. Readers give positions first: the feed needs no process of its own. Operators
begin another epoch of it and let old events go.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson
from django.db.transaction import atomic

from events import errors, record, resources
from events.feed_sql import (
    BEGIN_EPOCH,
    COLUMNS,
    EVENTS,
    LOCK,
    LOOK,
    PLACE,
    POSITIONS,
    POSITIONS_OF_SEQUENCE,
    POSITIONS_OF_STREAMS,
    REMOVE,
)
from events.models import FREE, PART, Cursor, Event, FeedState, Placement, Subscription
from ledger.callers import ActorKind, Caller
from ledger.sql import fetch

PLACED_AT_ONCE = 1000
LOCK_WAIT_SECONDS_MAX = 1.0
READ_MAX = 500  # events that one reading gives
SCAN_MAX = 5000  # events that one reading by types looks at
RETENTION_DAYS_MIN = 30  # the triggers say so too
PRUNED_AT_ONCE = 1000


class State(NamedTuple):
    """How far the feed has come: its last position, and what was pruned of its beginning."""

    epoch: UUID
    last_position: int
    pruned_through: int
    has_pending: bool

    @property
    def start(self) -> Cursor:
        """The cursor before the oldest event that is kept."""
        return Cursor(self.epoch, self.pruned_through)

    @property
    def end(self) -> Cursor:
        """The cursor after the newest event that has a position."""
        return Cursor(self.epoch, self.last_position)

    def require(self, cursor: Cursor) -> None:
        """Refuse a cursor that the feed cannot be read on from.

        Raises `FeedEpochChanged`, `CursorAheadOfFeed`, `EventsPruned`.
        """
        if cursor.epoch != self.epoch:
            raise errors.FeedEpochChanged("The cursor is of another epoch of the feed.")
        if cursor.position > self.last_position:
            raise errors.CursorAheadOfFeed("The cursor is ahead of the feed.")
        if cursor.position < self.pruned_through:
            raise errors.EventsPruned("Events after this cursor are not kept any more.")


class Page(NamedTuple):
    """Events in their order, as the API shows them, and the cursor after them."""

    events: list[dict[str, Any]]
    cursor: Cursor
    has_more: bool


def read_state() -> State:
    """How far the feed has come at this moment; no lock is taken. Raises `FeedStopped`."""
    return make_state(*fetch(LOOK)[0])


def make_state(
    epoch: UUID, last_position: int, pruned_through: int, is_ours: bool, has_pending: bool
) -> State:
    """The state that a row with the columns `STATE` describes. Raises `FeedStopped`."""
    if not is_ours:
        raise errors.FeedStopped(
            "The database was restored or has failed over: the feed waits for an operator (new_feed_epoch)."
        )
    return State(epoch, last_position, pruned_through, has_pending)


def place_pending() -> int:
    """Give positions to pending events, 1,000 at most. Returns how many got one.

    Waits a second at most for somebody else who is doing it. Raises `FeedStopped`.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS_MAX
    while read_state().has_pending:
        with atomic():
            if locked := fetch(LOCK):
                [[last]] = locked
                return int(fetch(PLACE, {"last": last, "limit": PLACED_AT_ONCE})[0][0] - last)
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return 0


def read(
    after: Cursor | None = None,
    *,
    types: Collection[str] = (),
    streams: Iterable[UUID] | None = None,
    limit: int = READ_MAX,
    placed_only: bool = False,
    of_all: bool = True,
) -> Page:
    """The events after a cursor (None: from the oldest that is kept), of all types and streams or of some.

    Which streams is asked when it is known how far to read: whatever has a position then belongs to streams
    that were there before, so that what a query finds by then (the accounts of a user) leaves none out.
    With `placed_only` of the events alone that have their positions already: none is given one. Without
    `of_all` nothing of the page but its cursor depends on events of other accounts: `has_more` is not true
    for an event, perhaps another's, that waits for its position.
    A reading that finds few of its types looks at a bounded part of the feed and gives a cursor beyond it.
    Raises `FeedStopped`, `FeedEpochChanged`, `CursorAheadOfFeed`, `EventsPruned`.
    """
    if not placed_only:
        place_pending()
    state = read_state()
    after = after or state.start
    state.require(after)
    scan = SCAN_MAX if types else limit
    scanned = fetch(
        POSITIONS if streams is None else POSITIONS_OF_STREAMS,
        {
            "after": after.position,
            "last": state.last_position,
            "limit": scan,
            "streams": list(set(streams or ())),
        },
    )
    wanted = [place for *place, type in scanned if not types or type in types][:limit]
    is_scanned_out = len(scanned) < scan
    if len(wanted) == limit:
        position = wanted[-1][0]
    else:
        position = state.last_position if is_scanned_out else scanned[-1][0]
    events = _describe(wanted, state)
    read_state().require(after)  # nothing was pruned meanwhile
    return Page(
        events,
        Cursor(state.epoch, position),
        has_more=(of_all and state.has_pending)
        or not is_scanned_out
        or (bool(scanned) and scanned[-1][0] > position),
    )


def read_account(account_id: UUID, after_sequence: int, *, limit: int = READ_MAX) -> Page:
    """The events of an account after one of its own sequence numbers: what fills a consumer's gap.

    Raises `FeedStopped`, `EventsPruned`.
    """
    place_pending()
    state = read_state()
    found = fetch(
        POSITIONS_OF_SEQUENCE,
        {"stream": account_id, "after": after_sequence, "last": state.last_position, "limit": limit + 1},
    )
    wanted = found[:limit]
    events = _describe(wanted, state)
    last_read = Placement.objects.filter(stream=account_id, sequence=after_sequence)
    is_kept = found or not state.pruned_through or last_read.exists()
    if not is_kept or (found and found[0][-1] != after_sequence + 1) or len(events) < len(wanted):
        raise errors.EventsPruned("Events of this account after that one are not kept any more.")
    return Page(
        events, Cursor(state.epoch, wanted[-1][0]) if wanted else state.end, has_more=len(found) > limit
    )


def _describe(places: Sequence[Sequence[Any]], state: State) -> list[dict[str, Any]]:
    """The envelopes of the events at these places: (position, stream, sequence)."""
    if not places:
        return []
    _, streams, sequences = zip(*places, strict=True)
    events = {}
    for values in fetch(EVENTS, {"streams": list(streams), "sequences": list(sequences)}):
        known = dict(zip(COLUMNS, values, strict=True))
        objects = {name: known[name] and orjson.loads(known[name]) for name in ("data", "before")}
        event = Event(**known | objects)
        events[event.pk] = event
    told = resources.find(list(events.values()))
    return [
        events[key].to_dict(told[key], epoch=state.epoch, position=position)
        for position, *stream_and_sequence in places
        if (key := tuple(stream_and_sequence)) in told  # else it was pruned a moment ago
    ]


@atomic
def begin_epoch(*, force: bool = False) -> UUID | None:
    """Begin another history of the feed, if the database is not that of the present one (or `force`).

    Subscriptions go on from where they are, in the new epoch. Returns that epoch, or None if nothing was to
    be done.
    """
    before = FeedState.objects.select_for_update().get().epoch
    try:
        read_state()
        if not force:
            return None
    except errors.FeedStopped:
        pass
    epoch: UUID = fetch(BEGIN_EPOCH, [uuid4()])[0][0]
    Subscription.objects.update(epoch=epoch, **FREE)
    record.write(
        Caller(None, ActorKind.COMMAND),
        type="feed.epoch_begun",
        subject="feed",
        before={"epoch": str(before)},
        after={"epoch": str(epoch)},
    )
    return epoch


@atomic
def prune(*, days: int) -> int:
    """Let events go that are older than so many days and that no live subscription waits for.

    They lose their positions; those whose facts stand in rows are removed, all others stay for ever. A
    thousand at most: it is called again until there are none. Returns how many there were. Raises
    `ValueError` for less than 30 days.
    """
    if days < RETENTION_DAYS_MIN:
        raise ValueError(f"Events are kept for {RETENTION_DAYS_MIN} days at least.")
    state = FeedState.objects.select_for_update().get()
    kept = Placement.objects.filter(part=PART, position__gt=state.pruned_through).order_by("position")
    oldest_kept = fetch("SELECT clock_timestamp()")[0][0] - timedelta(days=days)
    sent = (
        Subscription.objects.exclude(status=Subscription.Status.DISABLED)
        .order_by("position")
        .values_list("position", flat=True)
        .first()
    )
    old = 0
    times = kept.values_list("position", "event__recorded_at")[:PRUNED_AT_ONCE]
    for position, recorded_at in times:
        if recorded_at >= oldest_kept or (sent is not None and position > sent):
            break
        old = position
    if not old:
        return 0
    FeedState.objects.update(pruned_through=old)
    fetch(REMOVE, {"part": PART, "old": old})
    return Placement.objects.filter(part=PART, position__lte=old)._raw_delete("default")

"""The feed: every event in one order without gaps, and cursors into it.

An event gets its position after its commit. Ids are drawn under the lock of the account, so whoever sees an
event of an account in `events_pending` sees the earlier ones too: taken in the order of their ids they keep
each account's order. Positions are given one batch after another, under the lock of `events_feed_state`, so
that whoever sees a position sees all before it. Readers give positions first: the feed needs no process of
its own. Operators begin another epoch of it and let old events go.
"""

import time
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db.transaction import atomic

from events import errors
from events.models import FREE, Cursor, Event, FeedState, Placement, Subscription
from ledger.sql import fetch

PLACED_AT_ONCE = 1000
LOCK_WAIT_SECONDS_MAX = 1.0
READ_MAX = 500  # events that one reading gives
SCAN_MAX = 5000  # events that one reading by types looks at
RETENTION_DAYS_MIN = 30  # the triggers say so too
PRUNED_AT_ONCE = 1000

# Which cluster, which of its histories, which database, and whether its tables were made anew in it, as a
# restore does. `pg_control_checkpoint` learns of a promotion late.
IDENTITY = """
(SELECT system_identifier FROM pg_control_system()),
('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint,
(SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
'events_feed_state'::regclass::bigint
"""
IDENTIFIERS = "system_identifier, timeline_id, database_id, table_id"
# Not `EXISTS (SELECT FROM events_pending)`: that would read the whole table, dead rows and all.
STATE = f"""
epoch, last_position, pruned_through, ({IDENTIFIERS}) = ({IDENTITY}),
(SELECT min(event_id) FROM events_pending) IS NOT NULL
"""  # noqa: S608, no value is in the text
LOOK = f"SELECT {STATE} FROM events_feed_state WHERE id = 1"  # noqa: S608
LOCK = "SELECT last_position FROM events_feed_state WHERE id = 1 FOR UPDATE SKIP LOCKED"
# Tables are joined row by row here and in the guards, by LATERAL with OFFSET 0 or a sub-select of one value:
# a plan that was made while they were empty is kept, and must still be right when they are large.
PLACE = """
WITH taken AS (
    DELETE FROM events_pending
    WHERE event_id = ANY(ARRAY(SELECT event_id FROM events_pending ORDER BY event_id LIMIT %(limit)s))
    RETURNING event_id
), placed AS (
    INSERT INTO events_placement (position, event_id, account_id)
    SELECT %(last)s + row_number() OVER (ORDER BY event_id), event_id, account_id
    FROM taken, LATERAL (SELECT account_id FROM events_event WHERE id = event_id OFFSET 0) AS event
    RETURNING position
)
UPDATE events_feed_state SET last_position = last_position + (SELECT count(*) FROM placed) WHERE id = 1
RETURNING last_position
"""
# Positions after one, with the type of their event.
POSITIONS = """
SELECT position, event_id, (SELECT type FROM events_event WHERE id = event_id) FROM events_placement
WHERE position > %(after)s AND position <= %(last)s ORDER BY position LIMIT %(limit)s
"""
# Compared as pairs, so that no other index gives the order, whatever the planner thinks of the accounts.
POSITIONS_OF_ACCOUNTS = """
SELECT position, event_id, (SELECT type FROM events_event WHERE id = event_id)
FROM unnest(%(accounts)s::uuid[]) AS asked (account), LATERAL (
    SELECT position, event_id FROM events_placement
    WHERE (account_id, position) > (account, %(after)s) AND (account_id, position) <= (account, %(last)s)
    ORDER BY account_id, position LIMIT %(limit)s
) AS place
ORDER BY position LIMIT %(limit)s
"""
# Of one account by its own numbers, with these.
POSITIONS_OF_SEQUENCE = """
SELECT position, id, account_sequence FROM events_event, LATERAL (
    SELECT position FROM events_placement WHERE event_id = id OFFSET 0
) AS place
WHERE (account_id, account_sequence) > (%(account)s, %(after)s) AND account_id <= %(account)s
    AND position <= %(last)s
ORDER BY account_id, account_sequence LIMIT %(limit)s
"""
# What operators ask for after a restore or a failover.
BEGIN_EPOCH = f"""
UPDATE events_feed_state
SET epoch = %s, ({IDENTIFIERS}) = ({IDENTITY})
RETURNING epoch
"""  # noqa: S608, no value is in the text


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
    accounts: Iterable[UUID] | None = None,
    limit: int = READ_MAX,
    placed_only: bool = False,
) -> Page:
    """The events after a cursor (None: from the oldest that is kept), of all types and accounts or of some.

    With `placed_only` of the events alone that have their positions already: none is given one.
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
        POSITIONS if accounts is None else POSITIONS_OF_ACCOUNTS,
        {
            "after": after.position,
            "last": state.last_position,
            "limit": scan,
            "accounts": list(set(accounts or ())),
        },
    )
    wanted = [(position, id) for position, id, type in scanned if not types or type in types][:limit]
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
        has_more=state.has_pending or not is_scanned_out or (bool(scanned) and scanned[-1][0] > position),
    )


def read_account(account_id: UUID, after_sequence: int, *, limit: int = READ_MAX) -> Page:
    """The events of an account after one of its own sequence numbers: what fills a consumer's gap.

    Raises `FeedStopped`, `EventsPruned`.
    """
    place_pending()
    state = read_state()
    found = fetch(
        POSITIONS_OF_SEQUENCE,
        {"account": account_id, "after": after_sequence, "last": state.last_position, "limit": limit + 1},
    )
    wanted = [(position, id) for position, id, _ in found[:limit]]
    events = _describe(wanted, state)
    last_read = Event.objects.filter(account_id=account_id, account_sequence=after_sequence)
    is_kept = found or not state.pruned_through or last_read.exists()
    if not is_kept or (found and found[0][2] != after_sequence + 1) or len(events) < len(wanted):
        raise errors.EventsPruned("Events of this account after that one are not kept any more.")
    return Page(
        events, Cursor(state.epoch, wanted[-1][0]) if wanted else state.end, has_more=len(found) > limit
    )


def _describe(positions: list[tuple[int, int]], state: State) -> list[dict[str, Any]]:
    events = Event.objects.in_bulk([id for _, id in positions])
    return [
        events[id].to_dict(epoch=state.epoch, position=position)
        for position, id in positions
        if id in events  # else it was pruned a moment ago, which the caller looks into
    ]


@atomic
def begin_epoch(*, force: bool = False) -> UUID | None:
    """Begin another history of the feed, if the database is not that of the present one (or `force`).

    Subscriptions go on from where they are, in the new epoch. Returns that epoch, or None if nothing was to
    be done.
    """
    FeedState.objects.select_for_update().get()
    try:
        read_state()
        if not force:
            return None
    except errors.FeedStopped:
        pass
    epoch: UUID = fetch(BEGIN_EPOCH, [uuid4()])[0][0]
    Subscription.objects.update(epoch=epoch, **FREE)
    return epoch


@atomic
def prune(*, days: int) -> int:
    """Remove events that are older than so many days and that no live subscription waits for.

    A thousand at most: it is called again until there are none. Returns how many were removed. Raises
    `ValueError` for less than 30 days.
    """
    if days < RETENTION_DAYS_MIN:
        raise ValueError(f"Events are kept for {RETENTION_DAYS_MIN} days at least.")
    state = FeedState.objects.select_for_update().get()
    kept = Placement.objects.filter(position__gt=state.pruned_through).order_by("position")
    oldest_kept = fetch("SELECT clock_timestamp()")[0][0] - timedelta(days=days)
    sent = (
        Subscription.objects.exclude(status=Subscription.Status.DISABLED)
        .order_by("position")
        .values_list("position", flat=True)
        .first()
    )
    old = 0
    for position, recorded_at in kept.values_list("position", "event__recorded_at")[:PRUNED_AT_ONCE]:
        if recorded_at >= oldest_kept or (sent is not None and position > sent):
            break
        old = position
    if not old:
        return 0
    FeedState.objects.update(pruned_through=old)
    gone = Placement.objects.filter(position__lte=old)
    Event.objects.filter(id__in=list(gone.values_list("event_id", flat=True)))._raw_delete("default")
    return gone._raw_delete("default")

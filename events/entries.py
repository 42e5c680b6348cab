"""Finding entries of the record, newest first: each way along an index, and never further than a bounded way.

Changes have indexes of their own, so that what people looked at is not walked through for what they changed.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from events.models import RecordEntry
from ledger.sql import fetch

WALK_MAX = 1000  # entries that are looked at for one page
ID_MAX = 2**63 - 1
# Ids and times of different streams differ in their order by less: an id is given just after the time.
OUT_OF_ORDER_MAX = timedelta(minutes=1)

# The first id of that moment or later, by halves: no index has the entries by time.
FIRST_SINCE = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 1::bigint, coalesce((SELECT id FROM events_recordentry ORDER BY id DESC LIMIT 1), 0) + 1
    UNION ALL
    SELECT CASE WHEN earlier THEN (low + high) / 2 + 1 ELSE low END,
        CASE WHEN earlier THEN high ELSE (low + high) / 2 END
    FROM halves, LATERAL (
        SELECT coalesce((
            SELECT recorded_at < %(at)s FROM events_recordentry
            WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1
        ), FALSE) AS earlier
    ) AS middle
    WHERE low < high
)
SELECT max(low) FROM halves
"""
COLUMNS = """id, (%(actions)s::text[] IS NULL OR action = ANY(%(actions)s))
    AND (%(actors)s::uuid[] IS NULL OR actor = ANY(%(actors)s))
    AND (%(subjects)s::text[] IS NULL OR subject = ANY(%(subjects)s))
    AND (%(kinds)s::text[] IS NULL OR actor_kind = ANY(%(kinds)s))
    AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s) AS fits"""
RANGE = "id >= %(first)s AND id < %(before)s"


def _write_walk(changes: bool, column: str = "") -> str:
    """SQL: the newest entries in the range, of each of `wanted` by that column, or of all; and which fit.

    That the column has one value is said by two bounds: else the index of everybody's is in order, too, and
    for who has changed little PostgreSQL would walk through what all others have.
    """
    where = f"{RANGE} AND action = 'CHANGE'" if changes else RANGE  # for its index it is written out
    if not column:
        return f"SELECT '', {COLUMNS} FROM events_recordentry WHERE {where} ORDER BY id DESC LIMIT %(each)s"  # noqa: S608
    kind = {"actor": "uuid", "subject_id": "text"}[column]
    return f"""
SELECT of.which::text, entry.id, entry.fits FROM unnest(%(wanted)s::{kind}[]) AS of (which), LATERAL (
    SELECT {COLUMNS} FROM events_recordentry
    WHERE {column} >= of.which AND {column} <= of.which AND {where}
    ORDER BY {column} DESC, id DESC LIMIT %(each)s
) AS entry"""  # noqa: S608, of names, never of values


WALKS = {
    (changes, column): _write_walk(changes, column)
    for changes in (True, False)
    for column in ("", "actor", "subject_id")
}


class Found(NamedTuple):
    """Ids of entries, newest first. `before`: where older ones go on, None if there are none. It `is_cut` if
    the walk ended before the page was full."""

    ids: list[int]
    before: int | None
    is_cut: bool


def find(
    *,
    limit: int,
    actors: Collection[UUID] | None = None,
    subject_ids: Collection[str] | None = None,
    action: str = "",
    subjects: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
) -> Found:
    """The newest entries about these ids, by these actors, or of all: before the id `before`.

    They have the `action`, are about `subjects` (kinds of things), by actors of these `kinds`, and recorded
    from `since` on and before `until`, where these are given.
    """
    column = "subject_id" if subject_ids is not None else "" if actors is None else "actor"
    wanted: list[str | UUID] = list(subject_ids if subject_ids is not None else actors or ())
    each = max(limit + 1, WALK_MAX // max(1, len(wanted)))
    upper = ID_MAX if until is None else find_first(until + OUT_OF_ORDER_MAX)
    rows: list[tuple[str, int, bool]] = fetch(
        WALKS[action == RecordEntry.Action.CHANGE, column],
        {
            "wanted": wanted,
            "each": each,
            "first": 0 if since is None else find_first(since - OUT_OF_ORDER_MAX),
            "before": min(upper, before or ID_MAX),
            "actions": [action] if action else None,
            "actors": None if actors is None else list(actors),
            "subjects": None if subjects is None else list(subjects),
            "kinds": None if kinds is None else list(kinds),
            "since": since,
            "until": until,
        },
    )
    cut = _find_cut(rows, each)
    ids = sorted((id for _, id, fits in rows if fits and id >= cut), reverse=True)
    if len(ids) > limit:
        return Found(ids[:limit], ids[limit - 1], False)
    return Found(ids, cut or None, cut > 0)


def find_first(at: datetime) -> int:
    """The id of the first entry of that moment or later; one more than the last if there is none."""
    [[first]] = fetch(FIRST_SINCE, {"at": at})
    return int(first)


def _find_cut(rows: list[tuple[str, int, bool]], each: int) -> int:
    """The id down to which all sources were walked; 0: to their ends."""
    walked: dict[str, list[int]] = {}
    for which, id, _ in rows:
        walked.setdefault(which, []).append(id)
    return max((min(ids) for ids in walked.values() if len(ids) == each), default=0)

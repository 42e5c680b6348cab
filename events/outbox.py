"""Writing events: inside the statement of the change they tell of, or beside it in the same transaction."""

from typing import Any, TypedDict

import orjson

from ledger.sql import fetch

# Two arms of a WITH clause.
WRITE_EVENTS = """
recorded AS (
    INSERT INTO events_event (
        stream, sequence, type, recorded_at, about, actor, actor_kind, request_id, data
    )
    SELECT stream, sequence, type, recorded_at, about, actor, actor_kind, request_id, data
    FROM jsonb_to_recordset(%s::jsonb) AS event (
        stream uuid, sequence bigint, type text, recorded_at timestamptz, about bigint, actor uuid,
        actor_kind text, request_id text, data jsonb
    )
    RETURNING recorded_at, stream, sequence
), pending AS (
    INSERT INTO events_pending (recorded_at, stream, sequence)
    SELECT recorded_at, stream, sequence FROM recorded
)"""


class NewEvent(TypedDict, total=False):
    """An event, as JSON holds it: for `record`, or for a statement that contains `WRITE_EVENTS`.

    It has `data`, an actor and a `request_id`, or is `about` a row. Along a stream `recorded_at` never falls.
    """

    stream: str
    sequence: int
    type: str
    recorded_at: str
    about: int
    actor: str | None
    actor_kind: str
    request_id: str
    data: dict[str, Any]


def record(event: NewEvent) -> None:
    """Write the event in the caller's transaction, beside the change it tells of."""
    fetch(f"WITH {WRITE_EVENTS} SELECT", [orjson.dumps([event]).decode()])

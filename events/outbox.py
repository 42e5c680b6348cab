"""Writing events: inside the statement of the change they tell of, or beside it in the same transaction."""

from typing import Any, TypedDict

import orjson

from ledger.sql import fetch

# Two arms of a WITH clause. Ids are drawn under the account's lock, in the order of its sequence numbers.
WRITE_EVENTS = """
recorded AS (
    INSERT INTO events_event (type, account_id, account_sequence, recorded_at, request_id, data)
    SELECT type, account_id, account_sequence, recorded_at, request_id, data
    FROM jsonb_to_recordset(%s::jsonb) AS event (
        type text, account_id uuid, account_sequence bigint, recorded_at timestamptz, request_id text,
        data jsonb
    )
    ORDER BY account_id, account_sequence
    RETURNING id
), pending AS (
    INSERT INTO events_pending (event_id) SELECT id FROM recorded
)"""


class NewEvent(TypedDict):
    """An event, as JSON holds it: for `record`, or for a statement that contains `WRITE_EVENTS`."""

    type: str
    account_id: str | None
    account_sequence: int | None
    recorded_at: str
    request_id: str
    data: dict[str, Any] | orjson.Fragment


def record(event: NewEvent) -> None:
    """Write the event in the caller's transaction, beside the change it tells of."""
    fetch(f"WITH {WRITE_EVENTS} SELECT", [orjson.dumps([event]).decode()])

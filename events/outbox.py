"""Writing events: inside the statement of the change they tell of, or beside it in the same transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from events import texts
from events.models import Sealed
from ledger.callers import Caller
from ledger.values import write_bytes

COLUMNS_OF_ROWS = {
    "stream": "uuid",
    "sequence": "bigint",
    "type": "text",
    "recorded_at": "timestamptz",
    "about": "bigint",
}
COLUMNS_OF_TOLD = {
    "actor": "uuid",
    "actor_kind": "text",
    "request_id": "text",
    "data": "jsonb",
    "before": "jsonb",
    "text": "uuid",
    "text_mac": "bytea",
    "mac": "bytea",
}


def _compile_arms(columns: Mapping[str, str]) -> str:
    names = ", ".join(columns)
    return f"""
recorded AS (
    INSERT INTO events_event ({names})
    SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS event (
        {", ".join(f"{name} {type}" for name, type in columns.items())}
    )
    RETURNING recorded_at, stream, sequence
), pending AS (
    INSERT INTO events_pending (recorded_at, stream, sequence)
    SELECT recorded_at, stream, sequence FROM recorded
)"""  # noqa: S608, of names, never of values


# Arms of a WITH clause: of personal texts; of events about rows alone; of any events, with their texts.
WRITE_TEXTS = """
texts AS (
    INSERT INTO events_text (id, owner, content)
    SELECT id, owner, content FROM jsonb_to_recordset(%s::jsonb) AS text (id uuid, owner uuid, content jsonb)
)"""
WRITE_EVENTS = _compile_arms(COLUMNS_OF_ROWS)
WRITE_TOLD_EVENTS = f"{WRITE_TEXTS}, {_compile_arms(COLUMNS_OF_ROWS | COLUMNS_OF_TOLD)}"
# An event for one of these, by columns; in JSON its bytes are as `write_bytes` has them. It is about a row,
# or what `tell` has made. Along a stream `recorded_at` never falls.
NewEvent = dict[str, Any]


class Told(NamedTuple):
    """What an event tells: the resource, what of it was otherwise before (None: it is new), and the reason.

    `owner` is the user whose it is. Of money, references and metadata are bookkeeping: not `personal`.
    """

    data: dict[str, Any]
    before: dict[str, Any] | None
    reason: str
    owner: UUID
    personal: Collection[str] = texts.PERSONAL


def tell(
    *, stream: UUID, sequence: int, type: str, recorded_at: datetime, told: Told, caller: Caller
) -> tuple[NewEvent, texts.NewText | None]:
    """The event, and its personal text if there is any: both are written in one transaction."""
    public, text = texts.split(
        {"data": told.data, "before": told.before, "reason": told.reason or None}, told.owner, told.personal
    )
    sealed = Sealed(
        stream=stream,
        sequence=sequence,
        type=type,
        recorded_at=recorded_at,
        actor=caller.actor,
        actor_kind=str(caller.actor_kind),
        request_id=caller.request_id,
        data=public["data"],
        before=public["before"],
        text=text and text.id,
        text_mac=text and text.mac,
    )
    return {**sealed._asdict(), "stream": str(stream), "mac": sealed.compute_mac()}, text


def record(
    event: NewEvent, text: texts.NewText | None, change: str = "SELECT", values: Collection[Any] = ()
) -> None:
    """Write the event in the caller's transaction; in the same statement as the `change`, if there is one,
    which has these values.
    """
    new = [write_texts([text] if text else []), orjson.dumps([event], default=write_bytes).decode()]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {WRITE_TOLD_EVENTS} {change}", [*new, *values])


def write_texts(new: Collection[texts.NewText]) -> str:
    """The texts as JSON, for the statement."""
    return orjson.dumps([text.to_dict() for text in new]).decode()

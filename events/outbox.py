"""Writing events: inside the statement of the change they tell of, or beside it in the same transaction."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

import orjson
from django.db import connection

from events import texts
from events.models import Event
from ledger import macs
from ledger.callers import Caller
from ledger.values import format_time

# Arms of a WITH clause: of events about rows alone, and of any events, with their personal texts.
WRITE_EVENTS = """
recorded AS (
    INSERT INTO events_event (stream, sequence, type, recorded_at, about)
    SELECT stream, sequence, type, recorded_at, about FROM jsonb_to_recordset(%s::jsonb) AS event (
        stream uuid, sequence bigint, type text, recorded_at timestamptz, about bigint
    )
    RETURNING recorded_at, stream, sequence
), pending AS (
    INSERT INTO events_pending (recorded_at, stream, sequence)
    SELECT recorded_at, stream, sequence FROM recorded
)"""
WRITE_TOLD_EVENTS = """
texts AS (
    INSERT INTO events_text (id, owner, content)
    SELECT id, owner, content FROM jsonb_to_recordset(%s::jsonb) AS text (id uuid, owner uuid, content jsonb)
), recorded AS (
    INSERT INTO events_event (
        stream, sequence, type, recorded_at, about, actor, actor_kind, request_id, data, before, text,
        text_mac, mac
    )
    SELECT stream, sequence, type, recorded_at, about, actor, actor_kind, request_id, data, before, text,
        text_mac, mac
    FROM jsonb_to_recordset(%s::jsonb) AS event (
        stream uuid, sequence bigint, type text, recorded_at timestamptz, about bigint, actor uuid,
        actor_kind text, request_id text, data jsonb, before jsonb, text uuid, text_mac bytea, mac bytea
    )
    RETURNING recorded_at, stream, sequence
), pending AS (
    INSERT INTO events_pending (recorded_at, stream, sequence)
    SELECT recorded_at, stream, sequence FROM recorded
)"""


class NewEvent(TypedDict, total=False):
    """An event, as JSON holds it: for a statement that contains one of the above.

    It is `about` a row, or all that `tell` has put into it. Along a stream `recorded_at` never falls.
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
    before: dict[str, Any] | None
    text: str | None
    text_mac: str | None
    mac: str


class Told(NamedTuple):
    """What an event tells: the resource, what of it was otherwise before (None: it is new), and the reason.

    `owner` is the user whose it is. Of money, references and metadata are bookkeeping: not `personal`.
    """

    data: dict[str, Any]
    before: dict[str, Any] | None
    reason: str
    owner: UUID
    personal: Collection[str] = texts.PERSONAL


def find_before(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What of a resource was otherwise."""
    return {name: value for name, value in before.items() if value != after[name]}


def tell(
    *, stream: UUID, sequence: int, type: str, recorded_at: datetime, told: Told, caller: Caller
) -> tuple[NewEvent, texts.NewText | None]:
    """The event, and its personal text if there is any: both are written in one transaction."""
    public, text = texts.split(
        {"data": told.data, "before": told.before, "reason": told.reason or None}, told.owner, told.personal
    )
    values = {
        "stream": stream,
        "sequence": sequence,
        "type": type,
        "recorded_at": recorded_at,
        "actor": caller.actor,
        "actor_kind": str(caller.actor_kind),
        "request_id": caller.request_id,
        "data": public["data"],
        "before": public["before"],
        "text": text and text.id,
        "text_mac": text and text.mac,
    }
    mac = macs.compute("event", *(values[name] for name in Event.SEALED))
    event = NewEvent(
        stream=str(stream),
        sequence=sequence,
        type=type,
        recorded_at=format_time(recorded_at),
        actor=caller.actor_text,
        actor_kind=caller.actor_kind,
        request_id=caller.request_id,
        data=public["data"],
        before=public["before"],
        text=str(text.id) if text else None,
        text_mac=_write_bytes(text.mac) if text else None,
        mac=_write_bytes(mac),
    )
    return event, text


def record(
    event: NewEvent, text: texts.NewText | None, change: str = "SELECT", values: Collection[Any] = ()
) -> None:
    """Write the event in the caller's transaction; in the same statement as the `change`, if there is one,
    which has these values.
    """
    new = [write_texts([text] if text else []), orjson.dumps([event]).decode()]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {WRITE_TOLD_EVENTS} {change}", [*new, *values])


def write_texts(new: Collection[texts.NewText]) -> str:
    """The texts as JSON, for the statement."""
    return orjson.dumps([text.to_dict() for text in new]).decode()


def _write_bytes(value: bytes) -> str:
    return "\\x" + value.hex()

"""Writing and reading the record: who saw and did what, beside the events that tell of money.

Every change of which no event tells has an entry, which the function that makes the change writes in its own
transaction; so has everything that staff look at, and every login.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.transaction import TransactionManagementError

from events import outbox, texts
from events.models import NIL, RecordEntry, RecordHead
from ledger import macs
from ledger.callers import Caller
from ledger.sql import fetch

Action = RecordEntry.Action
HEADS_AT_ONCE = 10_000  # that are read

# Waits for the stream's lock, and reads the clock under it.
LOCK = """
INSERT INTO events_recordhead AS head (stream, number, chain_hash) VALUES (%s, 0, '')
ON CONFLICT (stream) DO UPDATE SET number = head.number
RETURNING number, chain_hash, greatest(clock_timestamp(), recorded_at)
"""
WRITE = """
entry AS (
    INSERT INTO events_recordentry (
        stream, number, recorded_at, actor, actor_kind, request_id, type, action, subject, subject_id, data,
        text, text_mac, chain_hash
    )
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)
    RETURNING stream, number, recorded_at, chain_hash
)
UPDATE events_recordhead AS head
SET number = entry.number, recorded_at = entry.recorded_at, chain_hash = entry.chain_hash
FROM entry WHERE head.stream = entry.stream
RETURNING head.number
"""
HASHES = """
SELECT stream, number, chain_hash FROM unnest(%s::uuid[], %s::bigint[]) AS asked (stream, number), LATERAL (
    SELECT chain_hash FROM events_recordentry AS entry
    WHERE entry.stream = asked.stream AND entry.number = asked.number OFFSET 0
) AS entry
"""


class Values(NamedTuple):
    """What the hash of an entry is computed of, in this order, after the hash of the one before it."""

    stream: UUID
    number: int
    recorded_at: datetime
    actor: UUID | None
    actor_kind: str
    request_id: str
    type: str
    action: str
    subject: str
    subject_id: str
    data: dict[str, Any]
    text: UUID | None
    text_mac: bytes | None


def write(
    caller: Caller,
    *,
    type: str,
    action: Action = Action.CHANGE,
    subject: str,
    subject_id: object = "",
    owner: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    detail: str = "",
    words: str = "",
    reason: str = "",
) -> UUID | None:
    """Write an entry in the caller's transaction. Returns the id of its personal text, if it has any.

    Call it last in the transaction: until its end, all other entries of this actor wait. `subject` is the
    kind of thing (`staff`), `subject_id` which one. `before` and `after` are values as JSON has them, without
    fractions, of what was changed. `detail` says what exactly was done. `words`, those of a search or a
    stranger's, and the `reason` are personal text, of the user `owner` if that is known.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("An entry is written in the transaction of what it tells of.")
    told = {"before": before, "after": after, "detail": detail, "words": words, "reason": reason}
    data, text = texts.split({name: value for name, value in told.items() if value}, owner)
    stream = caller.actor or NIL
    [[number, hash_before, recorded_at]] = fetch(LOCK, [stream])
    values = Values(
        stream=stream,
        number=number + 1,
        recorded_at=recorded_at,
        actor=caller.actor,
        actor_kind=str(caller.actor_kind),
        request_id=caller.request_id,
        type=type,
        action=str(action),
        subject=subject,
        subject_id=str(subject_id),
        data=data,
        text=text and text.id,
        text_mac=text and text.mac,
    )
    parameters = [
        *(orjson.dumps(data).decode() if value is data else value for value in values),
        macs.compute("entry", bytes(hash_before), *values),
    ]
    if text:
        fetch(f"WITH {outbox.WRITE_TEXTS}, {WRITE}", [outbox.write_texts([text]), *parameters])
    else:  # operators' commands may write none, and have none
        fetch(f"WITH {WRITE}", parameters)
    return values.text


def read_told(entries: Collection[RecordEntry]) -> list[dict[str, Any]]:
    """What each entry tells: its data with the personal text, or what shows that it was erased. One query."""
    contents = texts.read([entry.text for entry in entries if entry.text])
    return [texts.join(entry.data, contents.get(entry.text)) for entry in entries]


def read_heads() -> Iterator[tuple[UUID, int, bytes]]:
    """The stream, the last number and the last hash of every stream, streamed in the order of their ids."""
    heads = RecordHead.objects.order_by("stream").values_list("stream", "number", "chain_hash")
    for stream, number, chain_hash in heads.iterator(chunk_size=HEADS_AT_ONCE):
        yield stream, number, bytes(chain_hash)


def read_hashes(pairs: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], bytes]:
    """The hashes of the entries with these streams and numbers; of those that are there."""
    asked = [[stream for stream, _ in pairs], [number for _, number in pairs]]
    return {(stream, number): bytes(found) for stream, number, found in fetch(HASHES, asked)}

"""The proof of the record of people: its streams without gaps, each hash and each personal text as written.

Whoever removes the last entries of a stream and sets its head back leaves nothing to see here: the heads
stand in the anchors.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from events import record, texts
from events.models import RecordEntry, Text
from ledger import macs
from ledger.sql import fetch
from ledger.values import format_time, slice_up

AT_ONCE = 1000  # entries that are read
ENTRIES, HEADS, TEXTS = "events_recordentry", "events_recordhead", "events_text"
# Heads that are not those of the last entry of their stream, and entries of a stream without a head.
WRONG_HEADS = """
WITH last AS (
    SELECT DISTINCT ON (stream) stream, number, recorded_at, chain_hash
    FROM events_recordentry ORDER BY stream, number DESC
)
SELECT coalesce(head.stream, last.stream)::text, last.number, last.recorded_at, head.number, head.recorded_at
FROM events_recordhead AS head FULL JOIN last ON last.stream = head.stream
WHERE (head.number, head.recorded_at, head.chain_hash)
    IS DISTINCT FROM (coalesce(last.number, 0), last.recorded_at, coalesce(last.chain_hash, ''))
"""

# As `audit_sql.Wrong` has it; no entry is one of an account.
Wrong = tuple[None, str, str, str, str]


class Entry(NamedTuple):
    id: int
    chain_hash: bytes
    values: record.Values


def find_wrong_entries(parameters: dict[str, Any]) -> Iterator[Wrong]:
    """Every entry once, in the order of the chains, streamed."""
    for stream, number, recorded_at, found, found_at in fetch(WRONG_HEADS):
        expected = f"number {number} of {format_time(recorded_at)}" if number else "no entry"
        known = f"number {found} of {format_time(found_at)}" if found else "no head, or an empty one"
        yield None, HEADS, stream, f"the head of the last entry: {expected}", f"{known}, or another hash"
    before: Entry | None = None
    rows = RecordEntry.objects.order_by("stream", "number")
    columns = rows.values_list("id", "chain_hash", *record.Values._fields)
    for some in slice_up(columns.iterator(chunk_size=AT_ONCE), AT_ONCE):
        entries = [Entry(id, hash, record.Values._make(values)) for id, hash, *values in some]
        found = Text.objects.in_bulk([entry.values.text for entry in entries if entry.values.text])
        for entry in entries:
            if before and before.values.stream != entry.values.stream:
                before = None
            yield from _look_at(entry, before)
            if entry.values.text:
                yield from _look_at_text(entry, entry.values.text, found.get(entry.values.text))
            before = entry


def _look_at(entry: Entry, before: Entry | None) -> Iterator[Wrong]:
    """The entry after the one before it, if it is not the first of its stream."""
    id, values = str(entry.id), entry.values
    number = before.values.number + 1 if before else 1
    if values.number != number:
        yield None, ENTRIES, id, f"number {number} of its stream", f"number {values.number}"
    if before and values.recorded_at < before.values.recorded_at:
        expected = f"recorded at {format_time(before.values.recorded_at)} or later"
        yield None, ENTRIES, id, expected, format_time(values.recorded_at)
    if before and entry.id < before.id:
        yield None, ENTRIES, id, f"an id after {before.id}", "an earlier one"
    if not macs.is_right(entry.chain_hash, "entry", before.chain_hash if before else b"", *values):
        yield None, ENTRIES, id, "the hash of this entry and the one before it", "another"


def _look_at_text(entry: Entry, id: UUID, text: Text | None) -> Iterator[Wrong]:
    if text is None:
        yield None, TEXTS, str(id), f"the text of entry {entry.id}, or that it was erased", "none"
        return
    content, mac = text.content, entry.values.text_mac
    if content is not None and not texts.is_right(mac, id, text.owner, content):
        yield None, ENTRIES, str(entry.id), "the text that was written, or none any more", "another text"

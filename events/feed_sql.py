"""The statements of the feed: how far it has come, giving positions, reading on from one, letting go."""

from django.conf import settings

from events.models import PART, Event

# Which cluster and which of its histories: `pg_control_checkpoint` learns of a promotion late.
CLUSTER = """
(SELECT system_identifier FROM pg_control_system()),
('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint
"""
# And which database, and whether its tables were made anew in it, as a restore does.
IDENTITY = f"""
{CLUSTER if settings.FEED_EPOCH_OF == "cluster" else "0::bigint, 0::bigint"},
(SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
'events_feed_state'::regclass::bigint
"""  # noqa: S608, no value is in the text
IDENTIFIERS = "system_identifier, timeline_id, database_id, table_id"
# Not `EXISTS (SELECT FROM events_pending)`: that would read the whole table, dead rows and all.
STATE = f"""
epoch, last_position, pruned_through, ({IDENTIFIERS}) = ({IDENTITY}),
(SELECT min(recorded_at) FROM events_pending) IS NOT NULL
"""  # noqa: S608, no value is in the text
LOOK = f"SELECT {STATE} FROM events_feed_state WHERE part = {PART}"  # noqa: S608
LOCK = f"SELECT last_position FROM events_feed_state WHERE part = {PART} FOR UPDATE SKIP LOCKED"  # noqa: S608
# Tables are joined row by row here and in the guards, by LATERAL with OFFSET 0 or a sub-select of one value:
# a plan that was made while they were empty is kept, and must still be right when they are large.
PLACE = f"""
WITH taken AS (
    DELETE FROM events_pending WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM events_pending ORDER BY recorded_at, stream, sequence LIMIT %(limit)s
    ))
    RETURNING recorded_at, stream, sequence
), placed AS (
    INSERT INTO events_placement (part, position, stream, sequence)
    SELECT {PART}, %(last)s + row_number() OVER (ORDER BY recorded_at, stream, sequence), stream, sequence
    FROM taken
    RETURNING position
)
UPDATE events_feed_state SET last_position = last_position + (SELECT count(*) FROM placed)
WHERE part = {PART}
RETURNING last_position
"""  # noqa: S608, no value is in the text
# That a relay works. It waits for nobody who has the row: it is said again in the next round.
SHOW = f"""
UPDATE events_feed_state SET relay_seen_at = clock_timestamp()
WHERE part = (SELECT part FROM events_feed_state WHERE part = {PART} FOR UPDATE SKIP LOCKED)
RETURNING part
"""  # noqa: S608
# Positions after one, with their events and the types of these.
TYPE = "(SELECT type FROM events_event AS e WHERE e.stream = place.stream AND e.sequence = place.sequence)"
POSITIONS = f"""
SELECT position, stream, sequence, {TYPE} FROM events_placement AS place
WHERE (part, position) > ({PART}, %(after)s) AND (part, position) <= ({PART}, %(last)s)
ORDER BY part, position LIMIT %(limit)s
"""  # noqa: S608
# Along a stream the positions rise with the sequence, which is without gaps. So the first event after a
# position is looked for in the middle, then in the middle of one half, and so on: no index of positions by
# stream is written for it. What is nearest is looked for among the events of all streams: so only the index
# in that order is cheap, whatever the statistics; and no more of them than the stream has left.
POSITIONS_OF_STREAMS = f"""
SELECT position, stream, sequence, {TYPE}
FROM unnest(%(streams)s::uuid[]) AS asked (id), LATERAL (
    WITH RECURSIVE halves (low, high) AS (
        SELECT * FROM (
            SELECT CASE stream WHEN asked.id THEN sequence END FROM events_placement
            WHERE (stream, sequence) >= (asked.id, 0) ORDER BY stream, sequence LIMIT 1
        ) AS first, (
            SELECT CASE stream WHEN asked.id THEN sequence + 1 END FROM events_placement
            WHERE (stream, sequence) <= (asked.id, {2**62}) ORDER BY stream DESC, sequence DESC LIMIT 1
        ) AS behind
        UNION ALL
        SELECT CASE WHEN is_read THEN (low + high) / 2 + 1 ELSE low END,
            CASE WHEN is_read THEN high ELSE (low + high) / 2 END
        FROM halves, LATERAL (
            SELECT position <= %(after)s AS is_read FROM events_placement AS middle
            WHERE middle.stream = asked.id AND middle.sequence = (low + high) / 2 OFFSET 0
        ) AS middle
        WHERE low < high
    )
    SELECT position, stream, sequence FROM (
        SELECT position, stream, sequence FROM events_placement
        WHERE (stream, sequence) >= (asked.id, (SELECT max(low) FROM halves))
        ORDER BY stream, sequence
        LIMIT least(%(limit)s, (SELECT coalesce(max(high) - max(low), 0) FROM halves))
    ) AS next WHERE stream = asked.id AND position <= %(last)s
) AS place
ORDER BY position LIMIT %(limit)s
"""  # noqa: S608
# Of one stream by its own numbers.
POSITIONS_OF_SEQUENCE = """
SELECT position, stream, sequence FROM (
    SELECT position, stream, sequence FROM events_placement
    WHERE (stream, sequence) > (%(stream)s, %(after)s) ORDER BY stream, sequence LIMIT %(limit)s
) AS next WHERE stream = %(stream)s AND position <= %(last)s
ORDER BY sequence
"""
COLUMNS = [field.attname for field in Event._meta.concrete_fields]
EVENTS = f"""
SELECT {", ".join(f"event.{name}" for name in COLUMNS)} FROM
    unnest(%(streams)s::uuid[], %(sequences)s::bigint[]) AS wanted (stream, sequence),
LATERAL (
    SELECT * FROM events_event AS e WHERE e.stream = wanted.stream AND e.sequence = wanted.sequence OFFSET 0
) AS event
"""  # noqa: S608, of names
REMOVE = """
DELETE FROM events_event AS event USING events_placement AS place
WHERE part = %(part)s AND position <= %(old)s
    AND event.stream = place.stream AND event.sequence = place.sequence AND about IS NOT NULL
RETURNING 1
"""
# What operators ask for after a restore or a failover.
BEGIN_EPOCH = f"""
UPDATE events_feed_state
SET epoch = %s, ({IDENTIFIERS}) = ({IDENTITY})
RETURNING epoch
"""  # noqa: S608, no value is in the text

"""The first epoch of the feed: the history of this cluster and database."""

from django.db import migrations

BEGIN = """
INSERT INTO events_feed_state (
    id, epoch, last_position, pruned_through, system_identifier, timeline_id, database_id, table_id
)
SELECT 1, gen_random_uuid(), 0, 0,
    (SELECT system_identifier FROM pg_control_system()),
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint,
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
    'events_feed_state'::regclass::bigint;
"""
END = """
ALTER TABLE events_feed_state DISABLE TRIGGER feed_state_is_never_deleted;
DELETE FROM events_feed_state;
ALTER TABLE events_feed_state ENABLE ALWAYS TRIGGER feed_state_is_never_deleted;
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0004_feed_guards")]
    operations = [migrations.RunSQL(BEGIN, END)]

"""Events are append-only, for every writer. The guards are ALWAYS: `session_replication_role` does not switch them off."""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_event ENABLE ALWAYS TRIGGER event_is_never_changed;
ALTER TABLE events_event ENABLE ALWAYS TRIGGER events_are_never_emptied;
"""

DROP = """
DROP TRIGGER events_are_never_emptied ON events_event;
DROP TRIGGER event_is_never_changed ON events_event;
DROP FUNCTION ledger_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]

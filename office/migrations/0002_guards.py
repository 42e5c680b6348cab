"""The access log is append-only, for every writer."""

from django.db import migrations

CREATE = """
CREATE TRIGGER access_is_never_changed BEFORE UPDATE OR DELETE ON office_access
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER accesses_are_never_emptied BEFORE TRUNCATE ON office_access
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE office_access ENABLE ALWAYS TRIGGER access_is_never_changed;
ALTER TABLE office_access ENABLE ALWAYS TRIGGER accesses_are_never_emptied;
"""

DROP = """
DROP TRIGGER accesses_are_never_emptied ON office_access;
DROP TRIGGER access_is_never_changed ON office_access;
"""


class Migration(migrations.Migration):
    dependencies = [("office", "0001_initial"), ("events", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]

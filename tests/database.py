"""The test database: how its server is run, how it is asked in SQL, and how it is emptied."""

from importlib import import_module

from django.db import connection

from tests import roles

BEGIN = import_module("events.migrations.0001_initial").BEGIN

FAST_AND_UNSAFE = {
    "autovacuum": "off",  # plans must not depend on when it came
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
}

FILLED_BY_MIGRATIONS = {
    *("django_migrations", "django_content_type"),
    *("auth_permission", "auth_group", "auth_group_permissions"),
}


def execute(sql, *values, **named):
    """Run SQL on the connection of the test; its rows, or how many it has changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or named or None)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def take_stock():
    """The contents of the whole database, as one number per table."""
    tables = connection.introspection.table_names()
    sums = ", ".join(f"(SELECT sum(hashtextextended(t::text, 0)) FROM {table} t)" for table in tables)
    [row] = execute(f"SELECT {sums}")
    return dict(zip(tables, row, strict=True))


def find_who_waits_for_a_lock():
    """Not in the database of other tests on the same server: such a lock is of no database, others are."""
    waiting = execute(
        "SELECT DISTINCT pid FROM pg_locks AS waiting WHERE NOT granted AND EXISTS ("
        " SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE pid = waiting.pid AND datname = current_database())"
    )
    return [pid for (pid,) in waiting]


@roles.as_owner()
def empty_the_ledger(test_case=None):
    """Instead of Django's flush, which the guards refuse: only here, only as owner of a test database."""
    database = connection.settings_dict["NAME"]
    assert database.startswith("test_"), f"{database} is not a test database"
    guards = execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
        " WHERE tgfoid = 'ledger_refuse'::regproc AND tgtype & 32 = 32"  # on TRUNCATE
    )
    for table, guard in guards:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
    execute(f"TRUNCATE {', '.join(set(connection.introspection.table_names()) - FILLED_BY_MIGRATIONS)}")
    execute(BEGIN)
    for table, guard in guards:
        execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")

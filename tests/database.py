"""The test database: how its server is run, how it is asked in SQL, and how it is emptied."""

from django.core.management import call_command
from django.db import connection

from tests import roles

FAST_AND_UNSAFE = {
    "autovacuum": "off",  # plans must not depend on when it came
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
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
def empty_the_ledger():
    """As Django does after a test; as the owner, whatever role the tests are of."""
    call_command("flush", interactive=False, verbosity=0)

"""Django's `flush`, which its `TransactionTestCase` runs after each test: of a test database alone."""

from importlib import import_module
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import flush
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.transaction import atomic

FILLED_BY_MIGRATIONS = {
    *("django_migrations", "django_content_type"),
    *("auth_permission", "auth_group", "auth_group_permissions"),
}
FIND_GUARDS = """
SELECT tgrelid::regclass::text, tgname FROM pg_trigger
WHERE tgfoid = 'ledger_refuse'::regproc AND tgtype & 32 = 32  -- on TRUNCATE
"""


class Command(flush.Command):
    help = "Empty a test database, as Django does after tests. No other ledger is ever emptied."

    def handle(self, **options: Any) -> None:
        if options["database"] != DEFAULT_DB_ALIAS:
            super().handle(**options)
            return
        name = connection.settings_dict["NAME"]
        if not name.startswith("test_"):
            raise CommandError(f"{name} is no test database, and no other ledger is ever emptied.")
        empty_the_ledger()


@atomic
def empty_the_ledger() -> None:
    """As after the migrations: what these have filled stays. Only the owner can lift the guards for it."""
    begin = import_module("events.migrations.0001_initial").BEGIN
    with connection.cursor() as cursor:
        cursor.execute(FIND_GUARDS)
        guards = cursor.fetchall()
        for table, guard in guards:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
        tables = {*connection.introspection.table_names(cursor)} - FILLED_BY_MIGRATIONS
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, sorted(tables)))}")
        for table, guard in guards:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")
        cursor.execute(begin)

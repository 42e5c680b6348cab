"""The migrations: complete, named by hand, reversible; and the groups that follow them."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader

from ledger_project.groups import GROUPS, create_groups

APPS = ("events", "accounts", "transactions")
MIGRATIONS = [
    pytest.param(migration, id=f"{app} {name}")
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items())
    if app in APPS
]
# In a process of its own: the settings of this one stay with the test database.
MIGRATE = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
settings.DATABASES["default"]["NAME"] = sys.argv.pop(1)
execute_from_command_line(["manage.py", "migrate", "--verbosity=0", *sys.argv[1:]])
"""
# All that makes a schema, but for what belongs to extensions and to PostgreSQL itself.
SCHEMA = """
SELECT 'column', table_name, ordinal_position || ' ' || column_name,
    concat_ws(' ', data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable,
        column_default, is_identity, collation_name)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text || ' ' || pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', '', oid::regprocedure::text, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def other_database(db):
    """A connection to an empty database beside the test database, gone after the test."""
    server, other = connection.copy(), connection.copy()
    server.settings_dict["NAME"] = "postgres"
    name = other.settings_dict["NAME"] = f"{connection.settings_dict['NAME']}_down"
    try:
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        yield other
    finally:
        other.close()
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.close()


def migrate(database, *arguments):
    command = [sys.executable, "-c", MIGRATE, database.settings_dict["NAME"], *arguments]
    run = subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def read_schema(database):
    with database.cursor() as cursor:
        cursor.execute(SCHEMA)
        return cursor.fetchall()


def read_rights():
    return {
        group.name: {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
        for group in Group.objects.prefetch_related("permissions__content_type")
    }


@pytest.mark.drill
def test_all_migrations_go_down_to_nothing_and_up_again(other_database):
    migrate(other_database)
    before = read_schema(other_database)
    for app in reversed(APPS):
        migrate(other_database, app, "zero")
    left = [
        (kind, table, name)
        for kind, table, name, _ in read_schema(other_database)
        if table.startswith(APPS) or kind in ("function", "trigger")
    ]
    assert left == []
    migrate(other_database)
    assert read_schema(other_database) == before


@pytest.mark.drill
@pytest.mark.parametrize("app", APPS)
def test_one_app_alone_can_be_migrated(other_database, app):
    migrate(other_database, app)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_a_migration_is_named_by_hand_and_changes_the_schema_or_the_data(migration):
    assert re.fullmatch(r"\d{4}_[a-z0-9_]+", migration.name)
    assert not re.search(r"_auto_|_and_more$|_squashed_", migration.name)
    assert len({isinstance(operation, RunPython) for operation in migration.operations}) == 1


@pytest.mark.django_db
def test_every_group_has_exactly_its_rights_and_making_them_again_changes_nothing():
    assert read_rights() == GROUPS
    permissions = Group.permissions.through.objects.order_by("id")
    before = [list(Group.objects.order_by("id").values()), list(permissions.values())]
    create_groups()
    assert [list(Group.objects.order_by("id").values()), list(permissions.values())] == before


@pytest.mark.django_db
def test_creating_the_groups_again_repairs_a_changed_one():
    Group.objects.get(name="auditor").permissions.set(Permission.objects.filter(codename="delete_user"))
    Group.objects.get(name="support").permissions.clear()
    Group.objects.get(name="operations").delete()
    assert read_rights() != GROUPS
    create_groups()
    assert read_rights() == GROUPS

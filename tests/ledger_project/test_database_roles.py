"""The roles of the database: each may do what it needs and nothing else, and a difference is noticed."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.transaction import atomic

from ledger_project.database import rights as table_rights
from ledger_project.database.rights import RIGHTS, USER_SHOWN, find_models
from ledger_project.database.roles import Roles, find_tables
from tests.ledger_project.tables_of_roles import (
    NEVER_CHANGED,
    OF_LOGGING_IN,
    OF_MAINTENANCE,
    OF_THE_APP,
    OF_THE_AUDITOR,
)

pytestmark = pytest.mark.django_db

PREFIX = "test_roles"
OWNER, APP, MAINTENANCE, AUDITOR = Roles(PREFIX).names.values()
ROLES = (APP, MAINTENANCE, AUDITOR)
DENIED = "42501"
GENERATED = "428C9"  # a column that the database computes: nobody sets it, the owner neither
SECRETS = ["accounts_user.password", "django_session.session_data", "django_session.session_key"]
SECRETS += ["accounts_token.digest"]  # its first letters are in the record, too
SECRETS += [f"accounts_secondfactor.{name}" for name in ("id", "name", "secret", "drift", "last_t")]
SECRETS += [f"accounts_secondfactor.throttling_failure_{name}" for name in ("timestamp", "count")]
TEMPORARY_TABLE = "CREATE TEMPORARY TABLE events_placement (stream uuid, position bigint)"
# In psql, nobody of the three comes any further.
BREAKING_OUT = [
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "SET session_replication_role = replica",
    f"SET ROLE {OWNER}",
    f"ALTER ROLE {APP} SUPERUSER",
    f"GRANT {OWNER} TO {APP}",
    "DROP FUNCTION ledger_refuse() CASCADE",
    "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "ALTER FUNCTION ledger_refuse() RENAME TO ledger_allow",
    "CREATE TRIGGER mine BEFORE INSERT ON accounts_account FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "SELECT setval('django_admin_log_id_seq', 1)",
    "SELECT * FROM pg_authid",
    "SELECT pg_read_file('postgresql.conf')",
    "COPY accounts_account TO PROGRAM 'cat'",
]


def execute(statement, values=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def find_refusal(statement):
    """The SQLSTATE; None if it was done, which is taken back."""
    try:
        with atomic():
            execute(statement)
            raise InterruptedError
    except DatabaseError as error:
        return error.__cause__.sqlstate
    except InterruptedError:
        return None


def become(role):
    """For the rest of the test, as if it had logged in."""
    execute(f"SET LOCAL SESSION AUTHORIZATION {role}")


def find_rights(role):
    """By table, what the database would let the role do, on some columns at least."""
    found = {}
    for table in find_tables():
        on_columns = [
            privilege
            for privilege in ("SELECT", "INSERT", "UPDATE")
            if execute("SELECT has_any_column_privilege(%s, %s, %s)", [role, table, privilege])[0][0]
        ]
        on_table = [
            privilege
            for privilege in ("DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
            if execute("SELECT has_table_privilege(%s, %s, %s)", [role, table, privilege])[0][0]
        ]
        found[table] = " ".join(sorted([*on_columns, *on_table]))
    return found


def run(*arguments, prefix=PREFIX):
    output = StringIO()
    call_command("database_roles", *arguments, prefix=prefix, stdout=output)
    return output.getvalue()


@pytest.fixture(autouse=True)
def roles(db):
    """Made in the transaction of the test, so that nothing of them stays."""
    run("--apply")


@pytest.mark.parametrize(
    ("role", "rights"), [(APP, OF_THE_APP), (MAINTENANCE, OF_MAINTENANCE), (AUDITOR, OF_THE_AUDITOR)]
)
def test_somebody_has_decided_for_every_table(role, rights):
    assert find_rights(role) == rights
    assert set(RIGHTS) == set(find_models())
    assert set(find_tables()) == set(connection.introspection.table_names())


def test_what_was_asked_for_is_never_changed_by_the_service():
    kept = {}
    for model in find_models().values():
        table = model._meta.db_table
        if "UPDATE" in OF_THE_APP[table]:
            columns = sorted(str(field.column) for field in model._meta.concrete_fields)
            may = "SELECT has_column_privilege(%s, %s, %s, 'UPDATE')"
            kept[table] = " ".join(name for name in columns if not execute(may, [APP, table, name])[0][0])
    assert kept == NEVER_CHANGED


def test_columns_that_rights_name_are_there():
    for label, model in find_models().items():
        columns = {field.column for field in model._meta.concrete_fields}
        for kind in table_rights.SETTINGS:
            for named in getattr(RIGHTS[label], kind).values():
                assert set(named) <= columns, label
    shown = {field.column for field in find_models()["accounts.user"]._meta.concrete_fields}
    assert set(USER_SHOWN.split()) == shown - {"password"}


def test_a_model_without_a_decision_stops_the_command(monkeypatch):
    monkeypatch.delitem(RIGHTS, "transactions.transaction")
    for arguments in ((), ("--apply",), ("--check",)):
        with pytest.raises(CommandError, match=r"transactions\.transaction"):
            run(*arguments)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_empties_alters_or_drops_a_table(role):
    become(role)
    for table in find_tables():
        for statement in (
            f"TRUNCATE {table} CASCADE",
            f"DROP TABLE {table} CASCADE",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"ALTER TABLE {table} DISABLE TRIGGER USER",
            f"ALTER TABLE {table} ADD COLUMN mine int",
            f"ALTER TABLE {table} OWNER TO {role}",
            f"CREATE INDEX ON {table} ((1))",
            f"CREATE RULE mine AS ON UPDATE TO {table} DO INSTEAD NOTHING",
        ):
            assert find_refusal(statement) == DENIED, statement


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("statement", BREAKING_OUT)
def test_nobody_breaks_out(role, statement):
    become(role)
    assert find_refusal(statement) == DENIED


@pytest.mark.parametrize(("role", "refusal"), [(APP, DENIED), (MAINTENANCE, None), (AUDITOR, DENIED)])
def test_temporary_tables_are_the_audits_alone(role, refusal):
    become(role)
    assert find_refusal(TEMPORARY_TABLE) == refusal


@pytest.mark.parametrize(
    ("role", "rights"), [(APP, OF_THE_APP), (MAINTENANCE, OF_MAINTENANCE), (AUDITOR, OF_THE_AUDITOR)]
)
def test_what_is_not_given_is_refused(role, rights):
    kind = role.removeprefix(f"{PREFIX}_")
    become(role)
    for label, model in find_models().items():
        table = model._meta.db_table
        allowed = getattr(RIGHTS[label], kind).get("UPDATE", ())
        if "UPDATE" not in rights[table] or allowed:
            for field in model._meta.concrete_fields:
                if field.column not in allowed:
                    refusal = find_refusal(f"UPDATE {table} SET {field.column} = {field.column}")
                    assert refusal == (GENERATED if field.generated else DENIED), (table, field.column)
        if "DELETE" not in rights[table]:
            assert find_refusal(f"DELETE FROM {table}") == DENIED, table
        if "INSERT" not in rights[table]:
            assert find_refusal(f"INSERT INTO {table} DEFAULT VALUES") == DENIED, table


@pytest.mark.parametrize("role", [MAINTENANCE, AUDITOR])
def test_all_of_the_ledger_is_read_and_no_secret(role):
    become(role)
    for model in find_models().values():
        table = model._meta.db_table
        for column in (field.column for field in model._meta.concrete_fields):
            closed = ["django_session"]
            if role == MAINTENANCE:
                closed += ["accounts_secondfactor", *OF_LOGGING_IN]
            hidden = f"{table}.{column}" in SECRETS or table in closed
            refusal = find_refusal(f"SELECT {column} FROM {table}")
            assert refusal == (DENIED if hidden else None), (table, column)


def test_the_statements_are_printed_and_name_no_password():
    printed = run()
    assert printed.startswith("BEGIN;")
    assert "\nCOMMIT;\n" in printed
    assert "PASSWORD '" not in printed
    assert f"\\password {APP}" in printed
    for name in Roles(PREFIX).names.values():
        assert f"CREATE ROLE {name}" in printed


def test_a_prefix_that_would_need_quotes_is_refused():
    for prefix in ("Ledger", "1st", "", "x; DROP TABLE y", "a" * 41, "é"):
        with pytest.raises(CommandError, match="prefix"):
            run(prefix=prefix)


def test_without_the_right_to_it_the_roles_are_not_made():
    become(APP)
    with pytest.raises(CommandError, match="permission denied"), atomic():
        run("--apply", prefix="test_others")

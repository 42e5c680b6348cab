"""The differences between what the database's roles are and may do, and what `rights` has decided."""

from collections.abc import Iterator

from django.db import connection

from ledger.sql import fetch
from ledger_project.database.rights import LOGIN, SETTINGS, TEMPORARY, find_grants
from ledger_project.database.roles import OWNS, Roles, describe, find_settings, find_tables

# What a role is: whether it logs in, its powers, memberships, settings, and its settings in this database.
ROLES = """
SELECT rolname, rolcanlogin,
    array_remove(ARRAY[
        CASE WHEN rolsuper THEN 'SUPERUSER' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN rolreplication THEN 'REPLICATION' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' END
    ], NULL),
    array(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = pg_roles.oid),
    coalesce(rolconfig, '{}'),
    array(
        SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE setrole = pg_roles.oid AND datname = current_database()
    )
FROM pg_roles WHERE rolname = ANY(%s)
"""
TABLES = """
SELECT relname, relowner::regrole::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
"""
FUNCTIONS = """
SELECT proname, proowner::regrole::text FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, 'ledger_')
"""
# The rights of everybody but owners, on whole relations and on columns.
GRANTED = """
SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, relname,
    privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, attname
FROM (
    SELECT relname, relowner, '' AS attname, (aclexplode(relacl)).* FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT relname, relowner, attname, (aclexplode(attacl)).* FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT attisdropped
) AS granted WHERE grantee <> relowner
"""
REACH = """
SELECT sentence FROM (VALUES
    (1, 'has no USAGE of the schema public', NOT has_schema_privilege(%(role)s, 'public', 'USAGE')),
    (2, 'may CREATE in the schema public', has_schema_privilege(%(role)s, 'public', 'CREATE')),
    (
        3, 'may not CONNECT to the database',
        NOT has_database_privilege(%(role)s, current_database(), 'CONNECT')
    ),
    (4, 'may CREATE in the database', has_database_privilege(%(role)s, current_database(), 'CREATE')),
    (
        5, %(temporary)s, has_database_privilege(%(role)s, current_database(), 'TEMPORARY') <> %(may)s
    ),
    (6, 'owns something', {owns})
) AS reach (place, sentence, is_so) WHERE is_so ORDER BY place
"""
REPLICA = "SELECT has_parameter_privilege(%s, 'session_replication_role', 'SET')"


def find_differences(roles: Roles) -> Iterator[str]:
    """A sentence for each difference. Raises `Undecided`."""
    wanted: set[tuple[str, ...]] = {
        (roles.names[kind], table, privilege, column)
        for kind, table, privilege, columns in find_grants()
        for column in columns or ("",)
    }
    found = {name: rest for name, *rest in fetch(ROLES, [list(roles.names.values())])}
    for kind, name in roles.names.items():
        if name in found:
            yield from _compare_role(kind, name, *found[name])
        else:
            yield f"There is no role {name}."
    yield from _compare_owners(roles.names["owner"])
    for kind in SETTINGS:
        if roles.names[kind] in found:
            yield from _compare_reach(roles.names[kind], may_make_temporary=TEMPORARY[kind])
    yield from _compare_grants(wanted, set(roles.names.values()))


def _compare_role(
    kind: str,
    name: str,
    logs_in: bool,
    powers: list[str],
    memberships: list[str],
    settings: list[str],
    overridden: list[str],
) -> Iterator[str]:
    if logs_in != LOGIN[kind]:
        yield f"{name} {'can' if logs_in else 'cannot'} log in."
    for power in powers:
        yield f"{name} is {power}."
    for other in memberships:
        yield f"{name} is a member of {other}."
    has, here = (dict(setting.split("=", 1) for setting in each) for each in (settings, overridden))
    for setting, value in find_settings(kind).items():
        if has.get(setting) != value:
            yield f"{name} has {setting} = {has.get(setting)}, not {value}."
        if setting in here:
            yield f"{name} has {setting} = {here[setting]} in this database."


def _compare_owners(owner: str) -> Iterator[str]:
    tables = find_tables()
    owners = dict(fetch(TABLES, [tables]))
    for table in tables:
        if table not in owners:
            yield f"There is no table {table}: migrate first."
        elif owners[table] != owner:
            yield f"{table} belongs to {owners[table]}."
    for function, found in fetch(FUNCTIONS):
        if found != owner:
            yield f"The function {function} belongs to {found}."


def _compare_reach(name: str, *, may_make_temporary: bool) -> Iterator[str]:
    temporary = f"may {'not ' * may_make_temporary}make TEMPORARY tables"
    values = {"role": name, "temporary": temporary, "may": may_make_temporary}
    for [sentence] in fetch(REACH.format(owns=OWNS.format(role=name)), values):
        yield f"{name} {sentence}."
    # Before PostgreSQL 15, superusers only.
    if connection.pg_version >= 150000 and fetch(REPLICA, [name])[0][0]:  # type: ignore[attr-defined]
        yield f"{name} may SET session_replication_role."


def _compare_grants(wanted: set[tuple[str, ...]], ours: set[str]) -> Iterator[str]:
    granted = set(fetch(GRANTED))
    for who, table, privilege, column in sorted(wanted - granted):
        yield f"{who} has no {describe(privilege, (column,) if column else ())} on {table}."
    tables = set(find_tables())
    for who, table, privilege, column in sorted(granted - wanted):
        # A stranger who only reads, or who has other tables here, is the operator's own matter.
        if who in ours or (table in tables and (who == "PUBLIC" or privilege != "SELECT")):
            yield f"{who} has {describe(privilege, (column,) if column else ())} on {table}."

"""What the database's roles are and may do, beside what `database_rights` has decided."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from ledger_project.database.rights import LOGIN, find_grants
from ledger_project.database.roles import Roles, describe, find_settings, find_tables

ATTRIBUTES = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
PUBLIC = "PUBLIC"

ROLE = """
SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, oid,
    array(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = pg_roles.oid),
    array(
        SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE setrole = pg_roles.oid AND datname = current_database()
    ),
    coalesce(rolconfig, '{}')
FROM pg_roles WHERE rolname = %s
"""
TABLES = """
SELECT relname, relowner::regrole::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
"""
FUNCTIONS = """
SELECT DISTINCT proname, proowner::regrole::text FROM pg_proc
JOIN pg_trigger ON tgfoid = pg_proc.oid JOIN pg_class ON tgrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) AND NOT tgisinternal
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
SELECT has_schema_privilege(%(role)s, 'public', 'USAGE'),
    has_schema_privilege(%(role)s, 'public', 'CREATE'),
    has_database_privilege(%(role)s, current_database(), 'CONNECT'),
    has_database_privilege(%(role)s, current_database(), 'CREATE'),
    has_database_privilege(%(role)s, current_database(), 'TEMPORARY'),
    EXISTS (
        SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = %(role)s::regrole
            AND deptype = 'o' AND dbid IN (
                0, (SELECT oid FROM pg_database WHERE datname = current_database())
            )
    )
"""
REPLICA = "SELECT has_parameter_privilege(%s, 'session_replication_role', 'SET')"


def find_differences(roles: Roles) -> Iterator[str]:
    """A sentence for each. Raises `Undecided`."""
    wanted = _find_wanted(roles)
    there = []
    for kind, name in roles.names.items():
        if found := _fetch(ROLE, [name]):
            there.append(kind)
            yield from _compare_role(kind, name, found[0])
        else:
            yield f"There is no role {name}."
    yield from _compare_owners(roles.names["owner"])
    for kind in there:
        if kind != "owner":
            yield from _compare_reach(roles.names[kind])
    yield from _compare_grants(wanted, set(roles.names.values()))


def _compare_role(kind: str, name: str, found: tuple[Any, ...]) -> Iterator[str]:
    logs_in, *powers, _, memberships, overridden, settings = found
    if logs_in != LOGIN[kind]:
        yield f"{name} {'can' if logs_in else 'cannot'} log in."
    for power, attribute in zip(powers, ATTRIBUTES, strict=True):
        if power:
            yield f"{name} is {attribute}."
    for other in memberships:
        yield f"{name} is a member of {other}."
    has = dict(setting.split("=", 1) for setting in settings)
    here = dict(setting.split("=", 1) for setting in overridden)
    for setting, value in find_settings(kind).items():
        if has.get(setting) != value:
            yield f"{name} has {setting} = {has.get(setting)}, not {value}."
        if setting in here:
            yield f"{name} has {setting} = {here[setting]} in this database."


def _compare_owners(owner: str) -> Iterator[str]:
    tables = find_tables()
    owners = dict(_fetch(TABLES, [tables]))
    for table in tables:
        if table not in owners:
            yield f"There is no table {table}: migrate first."
        elif owners[table] != owner:
            yield f"{table} belongs to {owners[table]}."
    for function, found in _fetch(FUNCTIONS, [tables]):
        if found != owner:
            yield f"The function {function} belongs to {found}."


def _compare_reach(name: str) -> Iterator[str]:
    [(uses, creates, connects, makes_schemas, makes_temporary, owns)] = _fetch(REACH, {"role": name})
    if not uses:
        yield f"{name} has no USAGE of the schema public."
    if creates:
        yield f"{name} may CREATE in the schema public."
    if not connects:
        yield f"{name} may not CONNECT to the database."
    if makes_schemas:
        yield f"{name} may CREATE in the database."
    if makes_temporary:
        yield f"{name} may make TEMPORARY tables."
    if owns:
        yield f"{name} owns something."
    # Before PostgreSQL 15, superusers only.
    if connection.pg_version >= 150000 and _fetch(REPLICA, [name])[0][0]:  # type: ignore[attr-defined]
        yield f"{name} may SET session_replication_role."


def _compare_grants(wanted: set[tuple[str, ...]], ours: set[str]) -> Iterator[str]:
    granted = set(_fetch(GRANTED))
    for who, table, privilege, column in sorted(wanted - granted):
        yield f"{who} has no {describe(privilege, (column,) if column else ())} on {table}."
    tables = set(find_tables())
    for who, table, privilege, column in sorted(granted - wanted):
        # A stranger who only reads, or who has other tables here, is the operator's own matter.
        if who in ours or (table in tables and (who == PUBLIC or privilege != "SELECT")):
            yield f"{who} has {describe(privilege, (column,) if column else ())} on {table}."


def _find_wanted(roles: Roles) -> set[tuple[str, ...]]:
    return {
        (roles.names[kind], table, privilege, column)
        for kind, table, privilege, columns in find_grants()
        for column in columns or ("",)
    }


def _fetch(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

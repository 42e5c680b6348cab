"""The roles of the database: the statements that make them what `database_rights` has decided.

What is right already is left alone. To change an owner locks the table against everybody; and whoever
migrates may give the rights of a new table without being allowed to alter roles.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.transaction import atomic

from ledger_project.database.rights import (
    LOGIN,
    SETTINGS,
    SINCE,
    TEMPORARY,
    Columns,
    find_grants,
    find_models,
)

MEMBERSHIPS = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '{role}'::regrole"
SET_HERE = """SELECT split_part(unnest(setconfig), '=', 1) FROM pg_db_role_setting
            JOIN pg_database ON pg_database.oid = setdatabase
        WHERE setrole = '{role}'::regrole AND datname = current_database()"""
OWNS = """EXISTS (
        SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = '{role}'::regrole
            AND deptype = 'o' AND dbid IN (
                0, (SELECT oid FROM pg_database WHERE datname = current_database())
            )
    )"""
# What belongs to somebody else than the owner.
STRANGE = {
    "TABLE": """SELECT oid::regclass::text FROM pg_class
        WHERE oid = ANY(ARRAY[{tables}]::regclass[]) AND relowner <> '{owner}'::regrole""",
    # Those of triggers, and what they call.
    "FUNCTION": """SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, 'ledger_')
            AND proowner <> '{owner}'::regrole""",
}

HOW_TO_LOG_IN = r"""
-- No role has got a password: until you give it one, nobody logs in by one. In psql, once:
--     \password {prefix}_app
-- Deployments migrate as a role of their own that acts as the owner, and give the rights of new tables:
--     CREATE ROLE deploy LOGIN IN ROLE {prefix}_owner;
--     ALTER ROLE deploy SET role = '{prefix}_owner';
--     ALTER ROLE deploy SET lock_timeout = '2s';
-- People who look get names of their own. Rights are inherited, settings are not:
--     CREATE ROLE alice LOGIN IN ROLE {prefix}_auditor;
--     ALTER ROLE alice SET default_transaction_read_only = on;
--     ALTER ROLE alice SET statement_timeout = '30min';
"""


@dataclass(frozen=True)
class Roles:
    """The four roles of a ledger, whose names begin with the prefix."""

    prefix: str

    def __post_init__(self) -> None:
        # A name that needs no quotes, with room for what follows.
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.prefix):
            raise ValueError("A prefix is of a-z, 0-9 and _, begins with a letter, 40 characters at most.")

    @property
    def names(self) -> dict[str, str]:
        return {kind: f"{self.prefix}_{kind}" for kind in LOGIN}

    def write_script(self) -> str:
        """For psql: one transaction, which may be run as often as one likes. Raises `Undecided`."""
        return ";\n".join(
            ["BEGIN", *self.make_statements(), "COMMIT", HOW_TO_LOG_IN.format(prefix=self.prefix)]
        )

    @atomic
    def apply(self) -> None:
        """Run the statements. Raises `Undecided`."""
        with connection.cursor() as cursor:
            for statement in self.make_statements():
                cursor.execute(statement)

    def make_statements(self) -> Iterator[str]:
        """What makes the roles and gives them their rights, without semicolons. Raises `Undecided`."""
        for kind, role in self.names.items():
            yield from _make_role(kind, role)
        owner, tables = self.names["owner"], find_tables()
        yield only_if(f"NOT has_schema_privilege('{owner}', 'public', 'CREATE')",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {owner}")  # fmt: skip
        for kind in SETTINGS:
            yield from _make_reach(kind, self.names[kind], owner)
        listed = ", ".join(f"'public.{table}'" for table in tables)
        for what, query in STRANGE.items():
            yield for_each(
                query.format(tables=listed, owner=owner),
                f"EXECUTE format('ALTER {what} %s OWNER TO {owner}', thing)",
            )
        roles = ", ".join(self.names[kind] for kind in SETTINGS)
        yield f"REVOKE ALL ON {', '.join(f'public.{table}' for table in tables)} FROM PUBLIC"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}"
        yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {roles}"
        for kind, table, privilege, columns in find_grants():
            yield f"GRANT {describe(privilege, columns)} ON public.{table} TO {self.names[kind]}"


def _make_role(kind: str, role: str) -> Iterator[str]:
    """The statements after which a role can do nothing by itself and has the settings that were decided."""
    found = f"EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}'"
    yield only_if(f"NOT {found})", f"CREATE ROLE {role}")
    yield only_if(
        f"{found} AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls))",
        f"ALTER ROLE {role} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS",
    )
    yield for_each(MEMBERSHIPS.format(role=role), f"EXECUTE format('REVOKE %s FROM {role}', thing)")
    yield only_if(
        f"{found} AND rolcanlogin <> {LOGIN[kind]})",
        f"ALTER ROLE {role} {'LOGIN' if LOGIN[kind] else 'NOLOGIN'}",
    )
    settings = find_settings(kind)
    for setting, value in settings.items():
        quoted = value if setting == "search_path" else f"'{value}'"  # a list, or one value
        yield only_if(
            f"NOT {found} AND '{setting}={value}' = ANY(rolconfig))",
            f"ALTER ROLE {role} SET {setting} = {quoted}",
        )
    if settings:  # what is set for this database alone would come before
        names = ", ".join(f"'{setting}'" for setting in settings)
        yield for_each(
            SET_HERE.format(role=role),
            f"IF thing IN ({names}) THEN EXECUTE"
            f" format('ALTER ROLE {role} IN DATABASE %I RESET %I', current_database(), thing); END IF",
        )
        if connection.pg_version >= 150000:  # type: ignore[attr-defined]
            yield only_if(
                f"has_parameter_privilege('{role}', 'session_replication_role', 'SET')",
                f"REVOKE ALL ON PARAMETER session_replication_role FROM PUBLIC, {role}",
            )


def _make_reach(kind: str, role: str, owner: str) -> list[str]:
    """The statements after which the role uses the schema and the database, and owns and makes nothing, but
    for temporary tables, which the audit compares the real ones with."""
    may = f"has_database_privilege('{role}', current_database(), '{{}}')"
    database = "EXECUTE format('{} ON DATABASE %I {}', current_database())"
    return [
        only_if(OWNS.format(role=role), f"REASSIGN OWNED BY {role} TO {owner}"),
        only_if(
            f"has_schema_privilege('{role}', 'public', 'CREATE')",
            f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}",
        ),
        only_if(
            f"NOT has_schema_privilege('{role}', 'public', 'USAGE')",
            f"GRANT USAGE ON SCHEMA public TO {role}",
        ),
        only_if(may.format("CREATE"), database.format("REVOKE CREATE", f"FROM PUBLIC, {role}")),
        only_if(f"NOT {may.format('TEMPORARY')}", database.format("GRANT TEMPORARY", f"TO {role}"))
        if TEMPORARY[kind]
        else only_if(may.format("TEMPORARY"), database.format("REVOKE TEMPORARY", f"FROM PUBLIC, {role}")),
        only_if(f"NOT {may.format('CONNECT')}", database.format("GRANT CONNECT", f"TO {role}")),
    ]


def only_if(condition: str, statement: str) -> str:
    return f"""
DO $$
BEGIN
    IF {condition} THEN
        {statement};
    END IF;
END $$"""


def for_each(query: str, statement: str) -> str:
    """The statement for each `thing` of the query, which gives one column of texts."""
    return f"""
DO $$
DECLARE
    thing text;
BEGIN
    FOR thing IN
        {query}
    LOOP
        {statement};
    END LOOP;
END $$"""


def describe(privilege: str, columns: Columns) -> str:
    """The privilege as SQL has it: with its columns, or without for the whole table."""
    return f"{privilege} ({', '.join(columns)})" if columns else privilege


def find_tables() -> list[str]:
    return sorted(model._meta.db_table for model in find_models().values())


def find_settings(kind: str) -> dict[str, str]:
    """The settings of a kind of role, as far as this server knows them."""
    return {
        name: value
        for name, value in SETTINGS.get(kind, {}).items()
        if connection.pg_version >= SINCE.get(name, 0)  # type: ignore[attr-defined]
    }

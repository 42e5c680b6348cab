"""What the database refuses by itself: whether each guard is there, always on, and as the migrations made it.

Functions are compared by their text. Tables, constraints, indexes and triggers are made once more, as
temporary tables of the same names, and the server prints both: so no text of another version is compared.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.models import Model
from django.db.transaction import atomic, set_rollback

from ledger.sql import fetch

PACKAGES = ("events", "accounts", "transactions")
FUNCTION = re.compile(
    r"CREATE FUNCTION (\w+\([^)]*\)) RETURNS (\w+) LANGUAGE plpgsql AS \$\$(.*?)\$\$;", re.S
)
TRIGGER = re.compile(r"CREATE TRIGGER (\w+)\s[^;]*?\sON (\w+)[^;]*;")
PRIMARY_KEY = re.compile(r"ALTER TABLE (\w+)\s[^;]*?ADD PRIMARY KEY (\([^)]*\))")
UNIQUE_KEY = re.compile(r"ADD CONSTRAINT (\w+) UNIQUE (\([^)]*\))")
FUNCTIONS = """
SELECT concat(proname, '(', pg_get_function_arguments(pg_proc.oid), ')'), prorettype::regtype::text, prosrc,
    proconfig IS NULL AND NOT prosecdef AND provolatile = 'v' AND lanname = 'plpgsql'
FROM pg_proc JOIN pg_language AS language ON language.oid = prolang
WHERE pronamespace = 'public'::regnamespace
"""
# What a server prints of the tables of a schema: (table, what, its name, how it is).
PRINTED = """
WITH tables AS (
    SELECT oid, relname FROM pg_class WHERE relnamespace = %(schema)s::oid AND relname = ANY(%(tables)s)
)
SELECT relname, 'column', attname, concat_ws(
    ' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
    attgenerated, attidentity, pg_get_expr(adbin, adrelid)
)
FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
UNION ALL
SELECT relname, 'constraint', conname, concat_ws(
    ' ', pg_get_constraintdef(con.oid, true), CASE WHEN NOT convalidated THEN 'NOT VALID' END
)
FROM tables JOIN pg_constraint AS con ON conrelid = tables.oid AND contype IN ('c', 'u', 'p', 'f')
UNION ALL
SELECT tables.relname, 'index', class.relname, concat_ws(
    ' ', pg_get_indexdef(indexrelid), CASE WHEN NOT indisvalid THEN 'NOT VALID' END
)
FROM tables JOIN pg_index ON indrelid = tables.oid JOIN pg_class AS class ON class.oid = indexrelid
UNION ALL
SELECT relname, 'trigger', tgname, concat_ws(' ', tgenabled, pg_get_triggerdef(tg.oid, true))
FROM tables JOIN pg_trigger AS tg ON tgrelid = tables.oid AND NOT tgisinternal
UNION ALL
SELECT relname, 'trigger', tgname, 'off'
FROM tables JOIN pg_trigger ON tgrelid = tables.oid AND tgisinternal AND tgenabled = 'D'
"""
REFERENCED = re.compile(r'REFERENCES "(\w+)"')
SCHEMA = re.compile(r"\b(public|pg_temp_\d+|pg_temp)\.")
# A list of texts is printed in another way once it was restored from a dump.
TEXTS = re.compile(r"ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]::text\[\]")


class Wrong(NamedTuple):
    """A guard that is not as it must be."""

    table: str
    name: str
    expected: str
    found: str


def find_wrong() -> Iterator[Wrong]:
    """What is wrong with the guards, or cannot be said of them. Not inside a transaction that only reads."""
    texts = [read_guards(package) for package in PACKAGES]
    yield from _compare_functions("\n".join(texts))
    try:
        with atomic():
            there = _print_tables("public")
            _make_afresh("\n".join(texts))
            afresh = _print_tables("pg_temp")
            set_rollback(True)
    except DatabaseError as error:
        yield Wrong("", "constraints and triggers", "to be compared with new ones", f"not proven: {error}")
        return
    for key in sorted(afresh.keys() | there.keys()):
        if key not in afresh and (key[1] == "column" or "FOREIGN KEY" in there[key]):
            continue  # a column more, or a key to a table of another package, which is not made afresh
        if afresh.get(key) != there.get(key):
            table, kind, name = key
            yield Wrong(
                table, name, f"{kind} {afresh.get(key, 'none')}", f"{kind} {there.get(key, 'missing')}"
            )


def read_guards(package: str) -> str:
    """The SQL of the package's guards and keys, as its first migration runs it."""
    migration = import_module(f"{package}.migrations.0001_initial")
    return "\n".join([getattr(migration, "KEYS", ""), migration.GUARDS])


def list_triggers() -> list[tuple[str, str]]:
    """Every trigger that must be there: its table and its name."""
    texts = map(read_guards, PACKAGES)
    return [(match[2], match[1]) for text in texts for match in TRIGGER.finditer(text)]


def _compare_functions(text: str) -> Iterator[Wrong]:
    there = {name: tuple(how) for name, *how in fetch(FUNCTIONS)}
    for signature, *how in FUNCTION.findall(text):
        name = signature.partition("(")[0]
        if signature not in there:
            yield Wrong("", name, "function as in the migration", "missing")
        elif there[signature] != (*how, True):
            yield Wrong("", name, "function as in the migration", "another text or other settings")


def _make_afresh(text: str) -> None:
    """Temporary tables as the migrations make them, with their constraints, indexes and triggers."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in _list_models():
            if not model._meta.auto_created:  # that is made with the model that it belongs to
                editor.create_model(model)
    statements = editor.collected_sql
    keys = {
        table: [f"PRIMARY KEY {columns}", *(f"CONSTRAINT {name} UNIQUE {of}" for name, of in more)]
        for part in text.split(";")
        for table, columns in PRIMARY_KEY.findall(part)
        for more in [UNIQUE_KEY.findall(part)]
    }
    made = set(_list_tables())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = pg_temp, public")
        for statement in statements:
            if statement.startswith("CREATE TABLE"):
                cursor.execute(statement.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1), None)
            elif not (beyond := REFERENCED.search(statement)) or beyond[1] in made:
                cursor.execute(statement, None)
        for table, added in keys.items():
            changes = ", ".join([f"DROP CONSTRAINT {table}_pkey", *(f"ADD {each}" for each in added)])
            cursor.execute(f"ALTER TABLE {table} {changes}", None)
        for match in TRIGGER.finditer(text):
            cursor.execute(match[0], None)
            cursor.execute(f"ALTER TABLE {match[2]} ENABLE ALWAYS TRIGGER {match[1]}", None)


def _list_tables() -> list[str]:
    return [model._meta.db_table for model in _list_models()]


def _list_models() -> Iterator[type[Model]]:
    for package in PACKAGES:
        for model in apps.get_app_config(package).get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                yield model


def _write_texts(found: re.Match[str]) -> str:
    return f"ARRAY[{found[1].replace('::character varying', '::character varying::text')}]"


def _print_tables(schema: str) -> dict[tuple[str, str, str], str]:
    oid = "pg_my_temp_schema()" if schema == "pg_temp" else f"'{schema}'::regnamespace"
    [[schema_oid]] = fetch(f"SELECT {oid}::oid")
    return {
        (table, kind, name): TEXTS.sub(_write_texts, SCHEMA.sub("", printed))
        for table, kind, name, printed in fetch(PRINTED, {"schema": schema_oid, "tables": _list_tables()})
    }

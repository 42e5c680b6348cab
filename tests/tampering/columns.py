"""The tables of the ledger's own packages, and their columns, as the database has them."""

import json
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Model

from ledger_project.database.rights import find_models
from tests.database import execute

OURS = ("accounts", "events", "transactions")
COLUMNS = """
SELECT column_name, udt_name, is_nullable = 'YES', is_generated = 'ALWAYS', is_identity = 'YES'
FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position
"""
# The columns of each index that lets no value in twice; the primary key first, those of some rows last.
UNIQUE = """
SELECT ARRAY(
    SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS part (number, place)
    JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY place
), indpred IS NOT NULL
FROM pg_index WHERE indrelid = %s::regclass AND indisunique ORDER BY indisprimary DESC, indpred IS NOT NULL, 1
"""


class Column(NamedTuple):
    """`other` is the table of which it names a row by its id, where it does."""

    name: str
    type: str
    is_nullable: bool
    is_generated: bool
    is_identity: bool
    choices: tuple[str, ...]
    other: str | None


class Table(NamedTuple):
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[tuple[str, ...], bool], ...]  # whether it is one of some rows

    def get(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def list_models() -> dict[str, type[Model]]:
    """Those of the ledger's own packages, by their tables."""
    models = find_models().values()
    return {model._meta.db_table: model for model in models if model._meta.app_label in OURS}


@cache
def list_tables() -> tuple[Table, ...]:
    return tuple(_read_table(table, model) for table, model in sorted(list_models().items()))


def list_tables_of_others() -> set[str]:
    """Those in the same database that Django and its packages bring."""
    found = execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    return {name for (name,) in found} - set(list_models())


def read_rows(table: Table) -> list[dict[str, Any]]:
    """Its rows as JSON has them, more or less as they were written."""
    return [json.loads(row) for (row,) in execute(f"SELECT to_jsonb(r) FROM {table.name} AS r ORDER BY ctid")]


def _read_table(name: str, model: type[Model]) -> Table:
    fields = {field.column: field for field in model._meta.concrete_fields}
    columns = []
    for column, type, is_nullable, is_generated, is_identity in execute(COLUMNS, name):
        field = fields[column]  # every column is one of the model's
        choices = tuple(str(value) for value, _ in field.choices or ())
        other = field.related_model._meta.db_table if field.related_model else None
        columns.append(Column(column, type, is_nullable, is_generated, is_identity, choices, other))
    unique = tuple((tuple(names), is_partial) for names, is_partial in execute(UNIQUE, name))
    return Table(name, tuple(columns), unique[0][0], unique)

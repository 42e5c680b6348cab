"""Every change of one row: each column to another value that fits, the row removed, a copy put in beside it.

What fits is found by trying: a value is right when the database takes it with its guards off, so that only
CHECKs and keys could refuse it.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

from django.db import DatabaseError

from tests.database import execute
from tests.tampering.columns import Column, Table, read_rows
from tests.tampering.hands import guards_off, taken_back
from tests.tampering.outcomes import ADDED, REMOVED

Row = dict[str, Any]
WHICH = "<which>"  # of a statement: where the row is named
# Other values of a column `c` of the row `r`, the smallest changes first.
OTHERS = {
    "uuid": ["gen_random_uuid()"],
    "bool": ["NOT r.c"],
    "numeric": ["coalesce(r.c, 0) + 0.01", "r.c - 0.01"],
    "_numeric": ["array_append(r.c, 1)", "array_fill(1::numeric, ARRAY[4])"],
    "_int4": ["array_append(r.c, 1)"],
    "_text": ["array_append(r.c, 'x')"],
    "date": ["coalesce(r.c, current_date) + 1", "r.c - 1"],
    "timestamptz": [
        "coalesce(r.c, now()) + interval '1 microsecond'",
        "r.c - interval '1 microsecond'",
        "r.c - interval '1 second'",
    ],
    "jsonb": ["""coalesce(r.c, '{}') || '{"x": "y"}'""", "'[]'"],
    "bytea": ["set_byte(r.c, length(r.c) - 1, 255 - get_byte(r.c, length(r.c) - 1))", "sha256('')", "''"],
    **{type: ["coalesce(r.c, '') || '!'", "'x'", "''"] for type in ("varchar", "text")},
    **{type: ["coalesce(r.c, 0) + 1", "r.c - 1"] for type in ("int2", "int4", "int8")},
}


class Try(NamedTuple):
    """A statement that changes a row as it is now, and fits."""

    statement: str
    row: Row


def list_changes(table: Table) -> list[str]:
    """What can be changed of a table: its columns, REMOVED and ADDED."""
    return [*(column.name for column in table.columns), REMOVED, ADDED]


def find_tries(table: Table, what: str) -> list[Try]:
    """The change of a first and a last row of each kind. None: keys and CHECKs refuse it of every row."""
    kinds: dict[tuple, list[Row]] = {}
    for row in read_rows(table):
        kinds.setdefault(_get_kind(row), []).append(row)
    assert kinds, f"The ledger has no row of {table.name}."
    with taken_back(), guards_off(table.name):
        found = [
            _find_fit(table, statements, rows)
            for statements in _list_ways(table, what)
            for of_kind in kinds.values()
            for rows in (of_kind, of_kind[::-1])
        ]
    return list({each.statement: each for each in found if each}.values())


def _get_kind(row: Row) -> tuple:
    """Rows of a kind are refused and found alike."""
    is_own = row.get("username") == row.get("id")  # of a user: made over the API
    is_revoked = row.get("revoked_at") is not None
    return (row.get("status"), row.get("is_staff"), row.get("about") is None, is_own, is_revoked)


def _find_fit(table: Table, statements: list[str], rows: Iterable[Row]) -> Try | None:
    for row in rows:
        which = " AND ".join(f"to_jsonb(r.{name}) = {_quote(row[name])}" for name in table.key)
        for statement in (each.replace(WHICH, which) for each in statements):
            try:
                with taken_back():
                    if execute(statement):
                        return Try(statement, row)
            except DatabaseError:
                pass
    return None


def _quote(value: Any) -> str:
    text = json.dumps(value).replace("'", "''")
    return f"'{text}'::jsonb"


def _list_ways(table: Table, what: str) -> list[list[str]]:
    """The ways to make the change; of each, statements of which the first that fits is taken."""
    if what == REMOVED:
        return [[f"DELETE FROM {table.name} AS r WHERE {WHICH} RETURNING to_jsonb(r)"]]
    if what == ADDED:
        return [[_write_copy(table, *how) for how in product((True, False), repeat=2)]]
    column = table.get(what)
    ways = [[_write_update(table, what, value) for value in _list_others(table, column)]]
    if column.is_nullable:
        ways.append([_write_update(table, what, "NULL")])
    return ways


def _write_update(table: Table, column: str, value: str) -> str:
    return (
        f"UPDATE {table.name} AS r SET {column} = {value}"
        f" WHERE {WHICH} AND ({value}) IS DISTINCT FROM r.{column} RETURNING to_jsonb(r)"
    )


def _list_others(table: Table, column: Column) -> Iterator[str]:
    """Other values for the column of a row."""
    name = column.name
    if column.other:
        of_another = f"SELECT id FROM {column.other} AS o WHERE id IS DISTINCT FROM r.{name} ORDER BY id"
        yield from (f"({of_another} {order} LIMIT 1)" for order in ("ASC", "DESC"))
    else:
        yield from (f"'{choice}'" for choice in column.choices)
        yield from (value.replace("r.c", f"r.{name}") for value in OTHERS[column.type])
        of_another = f"SELECT {name} FROM {table.name} AS o WHERE {name} IS DISTINCT FROM r.{name}"
        yield f"({of_another} ORDER BY ctid LIMIT 1)"


def _write_copy(table: Table, with_partial: bool, with_null: bool) -> str:
    """A row's own values, but for one in each key, which is the next free one; the keys of some rows alone
    perhaps left out."""
    values = {
        column.name: f"r.{column.name}"
        for column in table.columns
        if not column.is_generated and not column.is_identity
    }
    free: dict[str, str] = {}
    for names, is_partial in table.unique:
        if set(names) <= values.keys() and not free.keys() & set(names) and (with_partial or not is_partial):
            name = next((name for name in reversed(names) if not table.get(name).other), names[-1])
            free[name] = _write_free(table, table.get(name), names, with_null)
    values |= free
    return (
        f"INSERT INTO {table.name} AS added ({', '.join(values)}) SELECT {', '.join(values.values())}"
        f" FROM {table.name} AS r WHERE {WHICH} RETURNING to_jsonb(added)"
    )


def _write_free(table: Table, column: Column, key: tuple[str, ...], with_null: bool) -> str:
    """A value that is not taken yet, in this key."""
    if column.is_nullable and with_null:
        return "NULL"
    if column.type.startswith("int"):
        beside = [f"o.{name} = r.{name}" for name in key if name != column.name]
        where = " AND ".join(beside or ["true"])
        return f"(SELECT max(o.{column.name}) + 1 FROM {table.name} AS o WHERE {where})"
    return "md5(random()::text)" if column.type == "varchar" else next(_list_others(table, column))

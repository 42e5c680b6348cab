"""The columns of a table, listed once: what is written, hashed and shown of its rows follows from it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Literal, TypeVar

import orjson
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, TextChoices
from django.db.models.base import ModelState

from accounts.currencies import find_format
from ledger.values import EPOCH, MICROSECOND, format_time

AnyModel = TypeVar("AnyModel", bound=Model)
Writer = Callable[[Any], Any] | None  # None: the value as it is


class Kind(Enum):
    """What a column holds."""

    ID = auto()
    IDS = auto()  # several, as texts; of no column that is stored
    TEXT = auto()
    CHOICE = auto()  # one text of a few
    AMOUNT = auto()
    COUNT = auto()
    TIME = auto()
    FLAG = auto()
    OBJECT = auto()  # of texts
    HASH = auto()


SQL_TYPES = {
    Kind.ID: "uuid",
    Kind.TEXT: "text",
    Kind.CHOICE: "text",
    Kind.AMOUNT: "numeric",
    Kind.COUNT: "bigint",
    Kind.TIME: "timestamptz",
    Kind.FLAG: "boolean",
    Kind.OBJECT: "jsonb",
    Kind.HASH: "bytea",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`name` is its name in answers and statements, `attribute` the model's and the database's.

    `asked` is the name of the command's part that it keeps, which a repetition of the command must have
    again; `sent` says whether that part stands as such in requests and in files. What is not `stored` is no
    column of the database, but an attribute of the row that is shown. Of an id that `has_text`, the row keeps
    the text as `…_text`. A CHOICE has `choices`, a TEXT that is sent a `length_max`.
    """

    name: str
    kind: Kind
    attribute: str = ""
    null: bool = False
    has_text: bool = False
    choices: type[TextChoices] | None = None
    length_max: int = 0
    asked: str = ""
    sent: Literal["", "required", "optional"] = ""
    hashed: bool = True
    shown: bool = True
    stored: bool = True
    help: str = ""

    @property
    def column(self) -> str:
        return self.attribute or self.name

    @property
    def written(self) -> str:
        """The attribute that is written."""
        return f"{self.column}_text" if self.has_text else self.column

    @property
    def sent_as(self) -> str:
        """The name of what is sent."""
        return self.asked.removesuffix("_id")


class Form:
    """The canonical form of rows: each of the `columns` as its length in bytes, a colon and its text; null is
    `-`. Amounts have 8 decimals, times are whole microseconds since 1970 in UTC, objects are JSON with sorted
    keys and no spaces.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self.columns = tuple(columns)
        self._get = attrgetter(*[column.written for column in self.columns])
        self._writers = [
            "36:".__add__ if column.has_text else HASHERS[column.kind] for column in self.columns
        ]

    def write(self, row: Any) -> str:
        return "".join(
            [
                "-" if value is None else write(value)
                for write, value in zip(self._writers, self._get(row), strict=True)
            ]
        )

    def write_sql(self, row: str) -> str:
        """The same as SQL, of a row that has the columns and their `write_texts`."""
        return f"concat({', '.join(write_canonical(column, row) for column in self.columns)})"


class Table:
    """The columns of `db_table`, in the order of answers and of the chain."""

    def __init__(self, db_table: str, *columns: Column) -> None:
        self.stored = [column for column in columns if column.stored]
        self.shown = [column for column in columns if column.shown]
        self.form = Form(column for column in self.stored if column.hashed)
        self.asked = {column.asked: column.column for column in columns if column.asked}
        self.sent = [column for column in columns if column.sent]
        # A statement's arm that writes the rows of a JSON array.
        self.insert = f"""
    INSERT INTO {db_table} ({", ".join(column.column for column in self.stored)})
    SELECT {", ".join(column.name for column in self.stored)}
    FROM jsonb_to_recordset(%s::jsonb) AS row (
        {", ".join(f"{column.name} {SQL_TYPES[column.kind]}" for column in self.stored)}
    )"""  # noqa: S608, of names, never of values
        hidden = [column for column in self.stored if not column.shown]
        self._get_shown = attrgetter(*[column.written for column in self.shown])
        self._get_hidden = attrgetter(*[column.written for column in hidden])
        self._hidden = [(column.name, _find_writer(column, "")) for column in hidden]
        self._find_writers = cache(
            lambda currency: [(column.name, _find_writer(column, currency)) for column in self.shown]
        )

    def to_dict(self, row: Any, currency: str) -> dict[str, Any]:
        """What is shown of the row, as JSON holds it."""
        return {
            name: value if write is None or value is None else write(value)
            for (name, write), value in zip(self._find_writers(currency), self._get_shown(row), strict=True)
        }

    def to_row(self, row: Any, shown: bytes) -> str:
        """The row as JSON, for `insert`; `shown` is what is shown of it. What is not there is null."""
        hidden = {
            name: value if write is None else write(value)
            for (name, write), value in zip(self._hidden, self._get_hidden(row), strict=True)
            if value is not None
        }
        return f"{shown[:-1].decode()},{orjson.dumps(hidden)[1:].decode()}"

    def find_differences(self, asked: Any, row: Any) -> list[str]:
        """The parts of a command that are not as they were when the row was asked for."""
        differs = [
            name.removesuffix("_id").removesuffix("_asked")  # the amount as it was asked for is the amount
            for name, column in self.asked.items()
            if getattr(asked, name) != getattr(row, column)
        ]
        return list(dict.fromkeys(differs))


def _find_writer(column: Column, currency: str) -> Writer:
    if column.kind is Kind.AMOUNT:
        return find_format(currency)
    return None if column.has_text else WRITERS.get(column.kind)


def _write_bytes(value: bytes) -> str:
    """As `ledger.values.write_bytes` does, but here: no row of a posting leaves this file for it."""
    return "\\x" + value.hex()


def write_changes(rows: Iterable[Any], columns: Mapping[str, str]) -> str:
    """The columns of the rows, and their ids, as JSON for a statement that changes them. `columns`: their SQL
    types, by name."""
    names = ("id", *columns)
    get = attrgetter(*names)
    changes = [dict(zip(names, get(row), strict=True)) for row in rows]
    for name, type in columns.items():
        if type == "bytea":
            for change in changes:
                change[name] = _write_bytes(change[name])
    return orjson.dumps(changes, default=str).decode()


WRITERS: dict[Kind, Writer] = {Kind.ID: str, Kind.TIME: format_time, Kind.HASH: _write_bytes}


@lru_cache(maxsize=1024)
def _hash_text(value: object) -> str:
    text = str(value)
    return f"{len(text) if text.isascii() else len(text.encode())}:{text}"


def _hash_amount(value: Decimal) -> str:
    text = f"{value:.8f}"
    return f"{len(text)}:{text}"


@lru_cache(maxsize=1024)
def _hash_time(value: datetime) -> str:
    return _hash_text((value - EPOCH) // MICROSECOND)


def _hash_object(value: dict[str, str]) -> str:
    if not value:
        return "2:{}"
    return _hash_text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


HASHERS: dict[Kind, Callable[[Any], str]] = {
    Kind.ID: "36:{}".format,
    Kind.TEXT: _hash_text,
    Kind.CHOICE: _hash_text,
    Kind.AMOUNT: _hash_amount,
    Kind.COUNT: _hash_text,
    Kind.TIME: _hash_time,
    Kind.FLAG: {True: "4:True", False: "5:False"}.__getitem__,
    Kind.OBJECT: _hash_object,
}


def write_texts(columns: Iterable[Column]) -> str:
    """SQL: the columns that the canonical form has as texts of another kind, as part of a list of columns."""
    return ", ".join(
        TEXTS[column.kind].format(column.column) + f" AS {column.column}_text"
        for column in columns
        if column.kind in TEXTS
    )


TEXTS = {
    Kind.AMOUNT: "{}::text",
    Kind.COUNT: "{}::text",
    Kind.TIME: "(extract(epoch FROM {}) * 1000000)::bigint::text",
}


def write_canonical(column: Column, row: str) -> str:
    """SQL: a column of the row as `Form.write` has it, as arguments of `concat`.

    Numbers and times stand beside the row's columns as texts, under their name and `_text` (`write_texts`).
    """
    name = f"{row}.{column.column}"
    match column.kind:
        case Kind.ID:
            return f"coalesce('36:' || {name}, '-')" if column.null else f"'36:', {name}"
        case Kind.FLAG:
            null = f"WHEN {name} IS NULL THEN '-' " if column.null else ""
            return f"CASE {null}WHEN {name} THEN '4:True' ELSE '5:False' END"
        case Kind.OBJECT:
            # PostgreSQL writes a text in JSON as Python does.
            text = f"""CASE {name} WHEN '{{}}' THEN '2:{{}}' ELSE (
        SELECT octet_length(text) || ':' || text FROM (
            SELECT concat(
                '{{', string_agg(concat(to_json(key), ':', value), ',' ORDER BY key COLLATE "C"), '}}'
            ) FROM jsonb_each({name})
        ) AS object (text)
    ) END"""  # noqa: S608, of names, never of values
            return f"CASE WHEN {name} IS NULL THEN '-' ELSE {text} END" if column.null else text
    text = f"{name}_text" if column.kind in TEXTS else name
    if column.null:
        return f"coalesce(octet_length({text}) || ':' || {text}, '-')"
    return f"octet_length({text}), ':', {text}"


def make_row(model: type[AnyModel], values: Mapping[str, Any], *, is_stored: bool) -> AnyModel:
    """An instance of `model` with these columns and nothing else.

    Django reads a stored row's other columns when somebody asks for them. `Model.__init__` takes longer than
    everything else that is done with such a row.
    """
    row = model.__new__(model)
    state = ModelState()
    state.db = DEFAULT_DB_ALIAS if is_stored else None
    state.adding = not is_stored
    vars(row).update(values, _state=state)
    return row


def replace_row(row: AnyModel, **values: Any) -> AnyModel:
    """Another instance, with these values in place of the row's. The row itself stays as it is."""
    return make_row(type(row), {**vars(row), **values}, is_stored=not row._state.adding)

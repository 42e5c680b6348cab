"""Files with what the ledger has of a person, which only their writer may read."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from ledger.values import escape_formula

Row = Mapping[str, Any]
Tables = Iterable[tuple[str, Iterable[Row]]]


def write_json(tables: Tables, path: Path) -> None:
    """One object: under the name of each table a list of its rows. Raises `FileExistsError`, `OSError`."""
    with open_new(path) as file:
        file.write("{")
        for number, (name, rows) in enumerate(tables):
            file.write(f'{"," if number else ""}\n"{name}": [')
            for place, row in enumerate(rows):
                file.write(f"{',' if place else ''}\n{orjson.dumps(row).decode()}")
            file.write("]")
        file.write("\n}\n")


def write_csv(tables: Tables, path: Path) -> None:
    """A new folder with a file for each table. Raises `FileExistsError`, `OSError`."""
    path.mkdir(mode=0o700)
    for name, rows in tables:
        with open_new(path / f"{name}.csv") as file:
            writer = csv.writer(file)
            for number, row in enumerate(rows):
                if not number:
                    writer.writerow(row)
                writer.writerow(map(write_cell, row.values()))


def write_cell(value: Any) -> str:
    """A text as it is, but for what a spreadsheet would compute; what is no text as JSON has it."""
    if value is None:
        return ""
    return escape_formula(value if isinstance(value, str) else orjson.dumps(value).decode())


@contextmanager
def open_new(path: Path) -> Iterator[IO[str]]:
    """A file that was not there, and is gone again if it cannot be written to the end."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise

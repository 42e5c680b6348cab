"""Text files as rows: CSV, as programs, banks and spreadsheets write it, and JSON lines.

What is wrong is said for whoever has the file, not for a caller of the API.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TextIO

from rest import errors, parsers
from transactions.exchange.rows import Problem

NEWLINES = {"csv": "", "jsonl": "\n"}  # what `newline` a file of each format is to be opened with
LINE_LENGTH_MAX = 128 * 1024
HEADER_WITHIN = 100  # rows of a file, for a map
DELIMITERS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}  # as they are said on a command line
# What `surrogateescape` makes of bytes that are no text in the encoding.
ESCAPED = re.compile("[\udc80-\udcff]")
SEVERAL_HIGH_BYTES = re.compile(rb"[\x80-\xff]{3}")  # a word of Cyrillic letters, and hardly one of others


class Form(NamedTuple):
    """How a file is written."""

    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","


class Unfitting(Exception):
    """What is wrong with a line: `problem`."""

    def __init__(self, line: int, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(line, field, code, detail)


class FileBroken(Unfitting):
    """What makes it impossible to tell what the rest of the file says."""


Line = tuple[int, Callable[[], dict[str, Any]]]  # its number, and what reads it; that raises `Unfitting`


def fold(name: str) -> str:
    """A column's name whatever the case of its letters and the spaces around and within it."""
    return " ".join(name.removeprefix("\ufeff").split()).casefold()


def split_csv(
    text: TextIO, *, delimiter: str, wanted: "Known | Wanted", header: list[str] | None = None
) -> Iterator[Line]:
    """The rows by columns, whose names are in the file, or `header` if it has none.

    What spreadsheets leave is no row and no column: empty cells at the end, rows of empty cells.
    """
    lines = _read_lines(text)
    beginning = next(lines, "")
    _require_text(beginning, text.encoding)
    reader = csv.reader(chain([beginning], lines), delimiter=delimiter, strict=True)
    line = 1
    try:
        for number, cells in enumerate(reader):
            first, line = line, reader.line_num + 1  # a cell may be of several lines
            if not any(cells):
                continue
            if header is not None:
                yield first, partial(_read_cells, first, header, cells, text.encoding)
            elif number < HEADER_WITHIN:
                header = wanted.find(first, _drop_empty_end(cells))
    except csv.Error as error:
        hint = suggest_delimiter(beginning, delimiter) if header is None else ""
        raise FileBroken(
            line, "", "malformed_csv", hint or f"From here on the file is not CSV: {error}."
        ) from None
    if header is None:
        hint = suggest_delimiter(beginning, delimiter)
        raise FileBroken(1, "", "malformed_csv", hint or wanted.absent)


def suggest_delimiter(text: str, delimiter: str) -> str:
    """What to say of a first line that has another separator, and not the one that it is read with."""
    if delimiter not in text:
        for each, said in DELIMITERS.items():
            if each in text:
                return f"The columns are separated by {said}: say --delimiter {said}."
    return ""


class Known:
    """The first row has the names of the columns, and only known ones."""

    absent = "The file is empty: not even the names of its columns are there."

    def __init__(self, columns: Iterable[str], delimiter: str) -> None:
        self.columns, self.delimiter = list(columns), delimiter

    def find(self, line: int, cells: list[str]) -> list[str] | None:
        """None for the row in which a spreadsheet is told the separator. Raises `FileBroken`."""
        if line == 1 and cells[0].startswith("sep="):
            return None
        names = [fold(cell) for cell in cells]
        for name, cell in zip(names, cells, strict=True):
            if name not in self.columns:
                hint = suggest_delimiter(cell, self.delimiter) if len(cells) == 1 else ""
                detail = (
                    f"There is no column {parsers.echo(cell)}; but {', '.join(self.columns)}. "
                    "A map (--map) reads the columns of other files."
                )
                code = "malformed_csv" if hint else "unknown_field"
                raise FileBroken(line, "", code, hint or detail)
        return _require_once(line, names, self.columns)


class Wanted:
    """Some row near the beginning names these columns, and others; the file may say something before it."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = {fold(name): name for name in columns}
        self.missing = [*self.columns.values()]  # in the row that has most of them

    @property
    def absent(self) -> str:
        return f"No row near the beginning names all columns of the map; missing: {', '.join(self.missing)}."

    def find(self, line: int, cells: list[str]) -> list[str] | None:
        """None for a row before it. Raises `FileBroken`."""
        names = [self.columns.get(fold(cell), cell) for cell in cells]
        missing = [name for name in self.columns.values() if name not in names]
        self.missing = min(self.missing, missing, key=len)
        return None if missing else _require_once(line, names, self.columns.values())


def _require_once(line: int, names: list[str], wanted: Collection[str]) -> list[str]:
    for name in names:
        if name in wanted and names.count(name) > 1:
            raise FileBroken(line, "", "duplicate_key", f"The column {name} stands there twice.")
    return names


def _drop_empty_end(cells: list[str]) -> list[str]:
    count = max((number for number, cell in enumerate(cells, start=1) if cell), default=0)
    return cells[:count]


def _read_cells(line: int, header: list[str], cells: list[str], encoding: str) -> dict[str, Any]:
    """The cells by column. An empty one is one that was not sent."""
    require_decoded(line, ",".join(cells), encoding)
    if len(cells) > len(header):
        cells = cells[: len(header)] + _drop_empty_end(cells[len(header) :])
    if len(cells) != len(header):
        raise Unfitting(
            line, "", "malformed_csv", f"The row has {len(cells)} cells, the header {len(header)}."
        )
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell}


def split_jsonl(text: TextIO) -> Iterator[Line]:
    for number, line in enumerate(_read_lines(text), start=1):
        if line.strip():
            yield number, partial(_read_json, number, line, text.encoding)


def _read_json(number: int, line: str, encoding: str) -> Any:
    require_decoded(number, line, encoding)
    try:
        return parsers.read_json(line)
    except (ValueError, RecursionError):
        raise Unfitting(number, "", "malformed_json", "The line is not JSON.") from None


def read_object(line: int, field: str, text: str) -> Any:
    """The JSON in a cell. Raises `Unfitting`."""
    try:
        return parsers.read_json(text)
    except (ValueError, RecursionError, errors.InvalidRequest):
        raise Unfitting(line, field, "malformed_json", "Not a JSON object.") from None


def _read_lines(text: TextIO) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(iter(lambda: text.readline(LINE_LENGTH_MAX + 1), ""), start=1):
            if len(line) > LINE_LENGTH_MAX:
                raise FileBroken(
                    number, "", "too_long", f"The line has more than {LINE_LENGTH_MAX} characters."
                )
            yield line
    except UnicodeError:
        detail = f"From here on the file is not {_name(text.encoding)}: say another --encoding."
        raise FileBroken(number + 1, "", "invalid_text", detail) from None


def _require_text(beginning: str, encoding: str) -> None:
    """Raises `FileBroken` for what a file begins with that is no text, or one of another kind."""
    if beginning.startswith("PK\x03\x04"):
        raise FileBroken(1, "", "malformed_csv", "The file is a workbook: save its sheet as CSV.")
    if beginning.startswith(("\udcff\udcfe", "\udcfe\udcff")) or "\x00" in beginning:
        raise FileBroken(1, "", "invalid_text", "The file is in UTF-16: say --encoding utf-16.")
    try:
        require_decoded(1, beginning, encoding)
    except Unfitting as unfitting:
        raise FileBroken(*unfitting.problem) from None


def require_decoded(line: int, text: str, encoding: str) -> None:
    """Raises `Unfitting` for a text with bytes that are none in the encoding."""
    if text.isascii() or not ESCAPED.search(text):
        return
    if _name(encoding) == "UTF-8":
        cyrillic = SEVERAL_HIGH_BYTES.search(text.encode("utf-8", "surrogateescape"))
        detail = f"is not UTF-8: try --encoding {'cp1251' if cyrillic else 'cp1252'}"
    else:
        detail = f"is not {_name(encoding)}: say another --encoding"
    raise Unfitting(line, "", "invalid_text", f"The line {detail}.")


def _name(encoding: str) -> str:
    return encoding.upper().removesuffix("-SIG").replace("UTF8", "UTF-8")

"""Maps: how the files of banks and payment services become rows of the ledger."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TextIO

from transactions.management.maps import camt
from transactions.management.maps.form import CAMT, Map, MapInvalid, list_shipped, load
from transactions.management.maps.rows import Converter, LeavesOut
from transactions.management.tables import NEWLINES, Form, Line, Wanted, split_csv

FORMATS = (*NEWLINES, CAMT)
__all__ = ["CAMT", "FORMATS", "LeavesOut", "Map", "MapInvalid", "list_shipped", "load", "split"]


def split(file: TextIO, form: Form, map: Map) -> Iterator[Line]:
    """The rows of a file as the ledger's own files have them. Raises `FileBroken`."""
    converter = Converter(map)

    def read(line: int, read_cells: Callable[[], dict[str, str]]) -> dict[str, Any]:
        return converter.convert(line, read_cells())

    if map.format == CAMT:
        lines: Iterator[Line] = camt.split_camt(file.buffer)
    else:
        wanted, header = Wanted(map.wanted), list(map.header) or None
        lines = split_csv(file, delimiter=form.delimiter, wanted=wanted, header=header)
    for line, read_cells in lines:
        yield line, partial(read, line, read_cells)

"""Lists and statements as files for spreadsheets."""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils.translation import gettext as _

from ledger.values import escape_formula, format_time
from office.lists.changelists import WalkedList
from office.lists.walks import Key

EXPORTED_MAX = 10_000  # lines of a file
WALKS_MAX = 40  # with the ledger's bound of one, so many rows are looked at for a file at most
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by it Excel knows that a file is UTF-8
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
Columns = Mapping[str, Callable[[Any], Any]]


class Export(NamedTuple):
    rows: list[Any]
    is_cut: bool  # there may be more


def read_all(shown: WalkedList, *, most: int | None = None) -> Export:
    """All that the list has, from its beginning, as far as a file goes, or up to that number."""
    most = most or EXPORTED_MAX
    rows: list[Any] = []
    after: Key | None = None
    for _walk in range(WALKS_MAX) if shown.walk else ():
        stretch = shown.walk.read(most - len(rows), after)  # type: ignore[union-attr]
        rows += shown.find_rows(stretch.ids)
        after = stretch.end
        if after is None or len(rows) >= most:
            break
    return Export(rows, after is not None)


def export_list(name: str, columns: Columns, export: Export) -> HttpResponse:
    """A line for each row. If there may be more rows, the last line says so."""
    lines: Iterator[Mapping[str, Any]] = (
        {title: write_value(read(row)) for title, read in columns.items()} for row in export.rows
    )
    if export.is_cut:
        told = _("Cut after %(count)s lines: there may be more. Ask for less.") % {"count": len(export.rows)}
        lines = chain(lines, [{next(iter(columns)): told}])
    return write_csv(name, list(columns), lines)


def write_value(value: Any) -> str:
    """As the API writes it, and so that no spreadsheet computes it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if NUMBER.fullmatch(text) else escape_formula(text)


def write_csv(name: str, columns: Collection[str], lines: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """The lines as a file to download, `name` without its ending. The cells are written as they are."""
    response = HttpResponse(BOM, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.DictWriter(response, columns)
    writer.writeheader()
    writer.writerows(lines)
    return response

"""Files of lines, read as strictly as requests: CSV with a header, or one JSON object a line."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, TextIO
from uuid import UUID

from rest_framework.exceptions import ValidationError

from accounts import idempotency
from accounts.models import MAIN, NAME_LENGTH_MAX, REFERENCE_LENGTH_MAX
from accounts.rest.serializers import CURRENCY_LENGTH_MAX
from ledger.errors import LedgerError
from rest import fields
from rest.errors import InvalidRequest
from rest.parsers import echo, read_json
from rest.serializers import StrictSerializer
from transactions.exchange import imports
from transactions.exchange.staging import Named, Problem, Row
from transactions.models import Transaction

FORMATS = ("csv", "jsonl")
LINE_LENGTH_MAX = 128 * 1024
KEY_LENGTH_MAX = 255


class FileBroken(Exception):
    """What makes it impossible to tell what the rest of the file says."""

    def __init__(self, line: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(line, "", code, detail)


class AccountLine(StrictSerializer):
    """Names an account: by id, or as an account of a user's."""

    account = fields.UUIDField(required=False)
    user = fields.UUIDField(required=False)
    external_id = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, required=False)
    currency = fields.TextField(length_min=1, length_max=CURRENCY_LENGTH_MAX, required=False)
    account_name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, required=False)


class TransactionLine(AccountLine):
    id = fields.UUIDField(required=False)
    key = fields.TextField(length_min=1, length_max=KEY_LENGTH_MAX, required=False)
    type = fields.ChoiceField(choices=Transaction.Type)
    amount = fields.AmountField()
    effective_at = fields.TimeField(required=False)
    reference = fields.TextField(length_max=REFERENCE_LENGTH_MAX, required=False)
    metadata = fields.MetadataField(required=False)


class BalanceLine(AccountLine):
    balance = fields.AmountField()


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of the file says, or what is wrong with it."""

    number: int
    values: dict[str, Any]
    problems: list[Problem]


def read_lines(
    file: TextIO, *, format: str, shape: type[StrictSerializer], zone: tzinfo = UTC
) -> Iterator[Line]:
    """The lines of a file, each checked against the shape. Raises `FileBroken`.

    Times without an offset, and days, are of the zone. A day is its last moment, as in the API.
    """
    read = _read_csv if format == "csv" else _read_jsonl
    for number, sent in read(file, shape._declared_fields):
        if isinstance(sent, Problem):
            yield Line(number, {}, [sent])
            continue
        try:
            values = shape.read_item(sent, "")
            if "effective_at" in values and zone is not UTC:
                values["effective_at"] = fields.parse_time(sent["effective_at"], zone)
            yield Line(number, values, [])
        except InvalidRequest as invalid:
            problems = [Problem(number, e.pointer.lstrip("/"), e.code, e.detail) for e in invalid.errors]
            yield Line(number, {}, problems)
        except ValidationError as error:
            problems = [
                Problem(number, "effective_at", str(each.code), str(each))
                for each in fields.list_details(error)
            ]
            yield Line(number, {}, problems)


def read_transactions(
    file: TextIO, *, format: str, source: str | None, zone: tzinfo
) -> Iterator[Row | list[Problem]]:
    """The rows of a file of transactions, or what is wrong with each. `source` is where its keys are from."""
    for line in read_lines(file, format=format, shape=TransactionLine, zone=zone):
        if line.problems:
            yield line.problems
            continue
        try:
            yield Row(
                line=line.number,
                named=read_named(line),
                id=_identify(line, source),
                type=line.values["type"],
                amount=line.values["amount"],
                effective_at=line.values.get("effective_at"),
                reference=line.values.get("reference", ""),
                metadata=line.values.get("metadata", {}),
            )
        except Unfitting as unfitting:
            yield [unfitting.problem]


class Unfitting(Exception):
    """A line that makes no sense, though each field by itself may."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def read_named(line: Line) -> Named:
    """Which account the line names. Raises `Unfitting`."""
    values = line.values
    kinds = [kind for kind in ("account", "user", "external_id") if kind in values]
    if not kinds:
        raise Unfitting(
            Problem(line.number, "account", "required", "Name an account, a user or an external_id.")
        )
    if len(kinds) > 1 or ("account_name" in values and kinds == ["account"]):
        detail = "Name an account alone, or a user or an external_id with the account_name."
        raise Unfitting(Problem(line.number, "account", "conflicting_fields", detail))
    [kind] = kinds
    return Named(kind, str(values[kind]), values.get("currency", ""), values.get("account_name", MAIN))


def _identify(line: Line, source: str | None) -> UUID:
    id, key = line.values.get("id"), line.values.get("key")
    if (id is None) == (key is None):
        code = "two_identities" if id else "identity_required"
        raise Unfitting(Problem(line.number, "id", code, "A row has either an id or a key."))
    if key is not None:
        if source is None:
            detail = "Say with --source where the keys come from."
            raise Unfitting(Problem(line.number, "key", "required", detail))
        return imports.derive_id(source, key)
    try:
        idempotency.identify(caller_id=idempotency.NIL, id=id, key=None)
    except LedgerError as error:
        raise Unfitting(Problem(line.number, "id", error.code, error.detail)) from None
    return UUID(str(id))


Sent = tuple[int, dict[str, Any] | Problem]


def _read_csv(text: TextIO, known: Collection[str]) -> Iterator[Sent]:
    """An empty cell is one that was not sent."""
    reader = csv.reader(_limit_lines(text), strict=True)
    line, header = 1, None
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1  # a cell may be of several lines
            if not cells:
                continue
            if header is None:
                header = cells
                _require_header(header, known, first)
            elif len(cells) != len(header):
                detail = f"The row has {len(cells)} cells, the header {len(header)}."
                yield first, Problem(first, "", "malformed_csv", detail)
            else:
                yield (
                    first,
                    _read_cells({n: cell for n, cell in zip(header, cells, strict=True) if cell}, first),
                )
    except csv.Error as error:
        raise FileBroken(line, "malformed_csv", f"From here on the file is not CSV: {error}.") from None


def _require_header(header: list[str], known: Collection[str], line: int) -> None:
    for name in header:
        if name not in known:
            raise FileBroken(
                line, "unknown_field", f"There is no column {echo(name)}; but {', '.join(known)}."
            )
        if header.count(name) > 1:
            raise FileBroken(line, "duplicate_key", f"The column {name} stands there twice.")


def _read_cells(cells: dict[str, Any], line: int) -> dict[str, Any] | Problem:
    if "metadata" in cells:
        try:
            cells["metadata"] = read_json(cells["metadata"])
        except (ValueError, RecursionError, InvalidRequest):
            return Problem(line, "metadata", "malformed_json", "Not a JSON object.")
    return cells


def _read_jsonl(text: TextIO, known: Collection[str]) -> Iterator[Sent]:
    for number, line in enumerate(_limit_lines(text), start=1):
        if not line.strip():
            continue
        try:
            sent = read_json(line)
        except InvalidRequest as invalid:
            yield number, Problem(number, "", invalid.errors[0].code, invalid.errors[0].detail)
        except (ValueError, RecursionError):
            yield number, Problem(number, "", "malformed_json", "The line is not JSON.")
        else:
            yield number, sent


def _limit_lines(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(LINE_LENGTH_MAX + 1):
        number += 1
        if len(line) > LINE_LENGTH_MAX:
            raise FileBroken(number, "too_long", f"The line has more than {LINE_LENGTH_MAX} characters.")
        yield line

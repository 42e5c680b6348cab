"""Files of lines, read as strictly as requests: CSV with a header, or one JSON object a line."""

import csv
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, TextIO, TypeVar
from uuid import UUID

from rest_framework.exceptions import ValidationError

from accounts import idempotency
from accounts.models import MAIN, NAME_LENGTH_MAX
from accounts.rest.serializers import CurrencyField, make_request_fields
from ledger.errors import LedgerError
from ledger.text import Rule
from rest import errors, fields, parsers, serializers, times
from transactions.exchange import comparison, imports
from transactions.exchange.staging import SENT, Named, Problem, Row
from transactions.models import TABLE

Item = TypeVar("Item")
FORMATS = {"csv": "", "jsonl": "\n"}  # what `newline` a file of lines is to be opened with
LINE_LENGTH_MAX = 128 * 1024
KEY_LENGTH_MAX = 255


class Unfitting(Exception):
    """What is wrong with a line: `problem`."""

    def __init__(self, line: int, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(line, field, code, detail)


class FileBroken(Unfitting):
    """What makes it impossible to tell what the rest of the file says."""


class AccountLine(serializers.StrictSerializer):
    """Names an account: by id, or as an account of a user's."""

    account = fields.UUIDField(required=False)
    user = fields.UUIDField(required=False)
    external_id = fields.TextField(
        length_min=1, length_max=NAME_LENGTH_MAX, rule=Rule.IDENTIFIER, required=False
    )
    currency = CurrencyField(required=False)
    account_name = fields.TextField(
        length_min=1, length_max=NAME_LENGTH_MAX, rule=Rule.IDENTIFIER, required=False
    )


class TransactionLine(AccountLine):
    id = fields.UUIDField(required=False)
    key = fields.TextField(length_min=1, length_max=KEY_LENGTH_MAX, rule=Rule.IDENTIFIER, required=False)
    vars().update(make_request_fields(TABLE.sent))


class BalanceLine(AccountLine):
    balance = fields.AmountField()


def read_transactions(
    file: TextIO, *, format: str, source: str | None, zone: tzinfo
) -> Iterator[Row | list[Problem]]:
    """The rows of a file of transactions, or what is wrong with each. `source` is where its keys are from.

    Raises `FileBroken`. Times without an offset, and days, are of the zone. A day is its last moment, as in
    the API.
    """

    def make(line: int, values: dict[str, Any]) -> Row:
        sent = {name: values[name] for name in SENT if name in values}
        return Row(line, _name_account(line, values), _identify(line, values, source), sent)

    return _read_lines(file, make, format=format, shape=TransactionLine, zone=zone)


def read_balances(file: TextIO, *, format: str) -> Iterator[comparison.Expected]:
    """The balances that a file tells. Raises `Unfitting` at the first line that is malformed."""

    def make(line: int, values: dict[str, Any]) -> comparison.Expected:
        return comparison.Expected(line, _name_account(line, values), values["balance"])

    for line in _read_lines(file, make, format=format, shape=BalanceLine):
        if isinstance(line, list):
            raise Unfitting(*line[0])
        yield line


def _read_lines(
    file: TextIO,
    make: Callable[[int, dict[str, Any]], Item],
    *,
    format: str,
    shape: type[serializers.StrictSerializer],
    zone: tzinfo = UTC,
) -> Iterator[Item | list[Problem]]:
    """What `make` makes of each line's number and values, which are checked against the shape."""
    split = _split_csv if format == "csv" else _split_jsonl
    for number, read in split(file, shape._declared_fields):
        try:
            sent = read()
            values = shape.read(sent)
            if "effective_at" in values and zone is not UTC:
                values["effective_at"] = times.parse_time(sent["effective_at"], zone)
            yield make(number, values)
        except Unfitting as unfitting:
            yield [unfitting.problem]
        except errors.InvalidRequest as invalid:
            yield [Problem(number, e.pointer.lstrip("/"), e.code, e.detail) for e in invalid.errors]
        except LedgerError as error:
            yield [Problem(number, error.field or "", error.code, error.detail)]
        except ValidationError as error:
            yield [
                Problem(number, "effective_at", str(each.code), str(each))
                for each in fields.list_details(error)
            ]


def _name_account(line: int, values: dict[str, Any]) -> Named:
    kinds = [kind for kind in ("account", "user", "external_id") if kind in values]
    if not kinds:
        raise Unfitting(line, "account", "required", "Name an account, a user or an external_id.")
    if len(kinds) > 1 or ("account_name" in values and kinds == ["account"]):
        raise Unfitting(
            line,
            "account",
            "conflicting_fields",
            "Name an account alone, or a user or an external_id with the account_name.",
        )
    return Named(
        kind=kinds[0],
        who=str(values[kinds[0]]),
        currency=values.get("currency", ""),
        name=values.get("account_name", MAIN),
    )


def _identify(line: int, values: dict[str, Any], source: str | None) -> UUID:
    """The row's id, or the one that its key stands for. Raises `Unfitting`, `IdInvalid`."""
    id, key = values.get("id"), values.get("key")
    if (id is None) == (key is None):
        raise Unfitting(
            line, "id", "two_identities" if id else "identity_required", "A row has either an id or a key."
        )
    if key is not None:
        if source is None:
            raise Unfitting(line, "key", "required", "Say with --source where the keys come from.")
        return imports.derive_id(source, key)
    return idempotency.require_identity(caller_id=idempotency.NIL, id=id, key=None)


Line = tuple[int, Callable[[], Any]]  # its number, and what reads it; that raises `Unfitting`


def _split_csv(text: TextIO, known: Collection[str]) -> Iterator[Line]:
    reader = csv.reader(_limit_lines(text), strict=True)
    line, header = 1, None
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1  # a cell may be of several lines
            if cells and header is None:
                header = cells
                _require_header(header, known, first)
            elif cells and header:
                yield first, partial(_read_cells, first, header, cells)
    except csv.Error as error:
        raise FileBroken(line, "", "malformed_csv", f"From here on the file is not CSV: {error}.") from None


def _require_header(header: list[str], known: Collection[str], line: int) -> None:
    for name in header:
        if name not in known:
            raise FileBroken(
                line, "", "unknown_field", f"There is no column {parsers.echo(name)}; but {', '.join(known)}."
            )
        if header.count(name) > 1:
            raise FileBroken(line, "", "duplicate_key", f"The column {name} stands there twice.")


def _read_cells(line: int, header: list[str], cells: list[str]) -> dict[str, Any]:
    """The cells by column. An empty one is one that was not sent."""
    if len(cells) != len(header):
        raise Unfitting(
            line, "", "malformed_csv", f"The row has {len(cells)} cells, the header {len(header)}."
        )
    values: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    if "metadata" in values:
        try:
            values["metadata"] = parsers.read_json(values["metadata"])
        except (ValueError, RecursionError, errors.InvalidRequest):
            raise Unfitting(line, "metadata", "malformed_json", "Not a JSON object.") from None
    return values


def _split_jsonl(text: TextIO, known: Collection[str]) -> Iterator[Line]:
    for number, line in enumerate(_limit_lines(text), start=1):
        if line.strip():
            yield number, partial(_read_json, number, line)


def _read_json(number: int, line: str) -> Any:
    try:
        return parsers.read_json(line)
    except (ValueError, RecursionError):
        raise Unfitting(number, "", "malformed_json", "The line is not JSON.") from None


def _limit_lines(text: TextIO) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: text.readline(LINE_LENGTH_MAX + 1), ""), start=1):
        if len(line) > LINE_LENGTH_MAX:
            raise FileBroken(number, "", "too_long", f"The line has more than {LINE_LENGTH_MAX} characters.")
        yield line

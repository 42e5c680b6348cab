"""Files of lines, read as strictly as requests: CSV, JSON lines, or what a map makes of other files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any, NamedTuple, TextIO, TypeVar, cast
from uuid import UUID

from rest_framework.exceptions import ValidationError

from accounts.models import MAIN, NAME_LENGTH_MAX
from accounts.rest.serializers import CurrencyField, make_request_fields
from ledger.errors import LedgerError
from ledger.text import Rule
from ledger.values import NO_CHOSEN_ID
from rest import errors, fields, serializers, times
from transactions.exchange import comparison, imports
from transactions.exchange.rows import Named, Problem, Row
from transactions.exchange.staging import SENT
from transactions.management import maps
from transactions.management.tables import (
    FileBroken,
    Form,
    Known,
    Line,
    Unfitting,
    read_object,
    split_csv,
    split_jsonl,
)
from transactions.models import TABLE

__all__ = ["FileBroken", "LeftOut", "Unfitting", "read_balances", "read_transactions"]
Item = TypeVar("Item")
KEY_LENGTH_MAX = 255
NO_IDS = (UUID(int=0), UUID(int=2**128 - 1))  # what broken generators make
# What to say to who has a file, beside what is said to who sends a request.
HINTS = {
    "datetime_invalid": " A map (--map) reads times of other forms.",
    "amount_invalid": " A map (--map) reads a decimal comma and signs.",
}


class LeftOut(NamedTuple):
    """A line that a map leaves out, and why."""

    line: int
    why: str


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
    name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, rule=Rule.NAME, required=False)
    balance = fields.AmountField(required=False)


class BalanceLine(AccountLine):
    balance = fields.AmountField()


def read_transactions(
    file: TextIO,
    form: Form,
    *,
    source: str | None,
    zone: tzinfo = UTC,
    map: maps.Map | None = None,
    fixed: Mapping[str, str],
) -> Iterator[Row | list[Problem] | LeftOut]:
    """The rows of a file of transactions, or what is wrong with each. `source` is where its keys are from.

    `fixed` are columns that are the same in all rows. Times without an offset, and days, are of the zone. A
    day is its last moment, as in the API. Raises `FileBroken`.
    """

    def make(line: int, values: dict[str, Any]) -> Row:
        sent = {name: values[name] for name in SENT if name in values}
        if "balance" in values and "effective_at" not in sent:
            raise Unfitting(
                line, "balance", "required", "A balance is of a moment: the row has no effective_at."
            )
        return Row(
            line,
            _name_account(line, values),
            _identify(line, values, source),
            sent,
            called=values.get("name", ""),
            balance=values.get("balance"),
        )

    lines = maps.split(file, form, map) if map else _split(file, form, TransactionLine)
    return _read_lines(lines, make, shape=TransactionLine, zone=zone, fixed=fixed)


def read_balances(file: TextIO, form: Form, *, fixed: Mapping[str, str]) -> Iterator[comparison.Expected]:
    """The balances that a file tells. Raises `Unfitting` at the first line that is malformed."""

    def make(line: int, values: dict[str, Any]) -> comparison.Expected:
        return comparison.Expected(line, _name_account(line, values), values["balance"])

    for line in _read_lines(_split(file, form, BalanceLine), make, shape=BalanceLine, fixed=fixed):
        if isinstance(line, list):
            raise Unfitting(*line[0])
        if not isinstance(line, LeftOut):
            yield line


def _split(file: TextIO, form: Form, shape: type[serializers.StrictSerializer]) -> Iterator[Line]:
    if form.format == "jsonl":
        return split_jsonl(file)
    wanted = Known(shape._declared_fields, form.delimiter)
    return split_csv(file, delimiter=form.delimiter, wanted=wanted)


def _read_lines(
    lines: Iterable[Line],
    make: Callable[[int, dict[str, Any]], Item],
    *,
    shape: type[serializers.StrictSerializer],
    zone: tzinfo = UTC,
    fixed: Mapping[str, str],
) -> Iterator[Item | list[Problem] | LeftOut]:
    """What `make` makes of each line's number and values, which are checked against the shape."""
    for number, read in lines:
        try:
            sent = read()
            if isinstance(sent, dict):
                sent |= fixed
                if type(text := sent.get("metadata")) is str:  # the JSON in a cell
                    sent["metadata"] = read_object(number, "metadata", text)
            values = shape.read(sent)
            if "effective_at" in values and zone is not UTC:
                values["effective_at"] = times.parse_time(sent["effective_at"], zone)
            yield make(number, values)
        except maps.LeavesOut as leaves_out:
            yield LeftOut(number, str(leaves_out))
        except Unfitting as unfitting:
            yield [unfitting.problem]
        except errors.InvalidRequest as invalid:
            yield [_describe(number, e.pointer.lstrip("/"), e.code, e.detail) for e in invalid.errors]
        except LedgerError as error:
            yield [Problem(number, error.field or "", error.code, error.detail)]
        except ValidationError as error:
            yield [
                _describe(number, "effective_at", str(each.code), str(each))
                for each in fields.list_details(error)
            ]


def _describe(line: int, field: str, code: str, detail: str) -> Problem:
    return Problem(line, field, code, detail.removesuffix(times.PLUS_LOST_HINT) + HINTS.get(code, ""))


def _name_account(line: int, values: dict[str, Any]) -> Named:
    kinds = [kind for kind in ("account", "user", "external_id") if kind in values]
    if not kinds:
        raise Unfitting(
            line,
            "account",
            "required",
            "Name an account, a user or an external_id; or the same for all rows: --set external_id=…",
        )
    if kinds[0] == "account" and (len(kinds) > 1 or "account_name" in values):
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
        external_id=values["external_id"] if len(kinds) > 1 else "",
    )


def _identify(line: int, values: dict[str, Any], source: str | None) -> UUID:
    """The row's id, or the one that its key stands for. Raises `Unfitting`.

    Of ids the file is trusted more than a request is: one that a ledger has derived may be among them, since
    `export_transactions` writes those, too.
    """
    id, key = values.get("id"), values.get("key")
    if (id is None) == (key is None):
        raise Unfitting(
            line,
            "id",
            "two_identities" if id else "identity_required",
            "A row has either an id or a key. A map (--map) makes keys of what a row says.",
        )
    if id is not None:
        if id in NO_IDS:
            raise Unfitting(line, "id", "id_invalid", NO_CHOSEN_ID)
        return cast(UUID, id)
    if source is None:
        raise Unfitting(line, "key", "required", "Say with --source where the keys come from.")
    return imports.derive_id(source, str(key))

"""What goes over the wire and comes back: amounts as `Decimal`, moments with their zones, ids as `UUID`."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

Json = dict[str, Any]
Amount = Decimal | str
Id = UUID | str
Moment = datetime | date | str
AMOUNTS = {"amount", "destination_amount", "credit_limit", "withdraw_max", "withdraw_day_max"}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What the ledger has answered. `raw` is all of it, with members that this client does not know yet."""

    raw: Mapping[str, Any] = field(repr=False, compare=False)


R = TypeVar("R", bound=Resource)


def write(value: Any) -> Any:
    """As JSON has it. Raises `TypeError` for a float, which is no amount, and `ValueError` for a moment
    without a zone."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return write_amount(value)
        case datetime():
            if value.utcoffset() is None:
                raise ValueError(f"{value!r} has no zone: whose clock is it?")
            return value.isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return {name: write(each) for name, each in value.items()}
        case list() | tuple():
            return [write(each) for each in value]
    raise TypeError(f"{value!r} cannot be sent. Amounts are Decimal, or texts.")


def write_amount(value: Amount) -> str:
    """`100.00`: a text, without an exponent. A number is refused: 100 is one's 1.00 and another's 100.00."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is no amount: say Decimal('1.00') or '1.00'.")
    if not value.is_finite():
        raise ValueError(f"{value!r} is no amount.")
    return format(value, "f")


def write_body(**members: Any) -> Json:
    """The members that are said, those that are not None."""
    return {
        name: write_amount(value) if name in AMOUNTS else write(value)
        for name, value in members.items()
        if value is not None
    }


def read(kind: type[R], json: Any) -> R:
    """The resource. Members that it has not are left in `raw`. Raises `ValueError` where one is missing or is
    nothing of its type."""
    if not isinstance(json, dict):
        raise ValueError(f"Not a {kind.__name__}: {json!r:.200}")
    values: Json = {"raw": json}
    for name, hint, is_required in describe(kind):  # type: ignore[arg-type]  # a class is hashable
        if name.removesuffix("_") in json:
            values[name] = convert(hint, json[name.removesuffix("_")])
        elif is_required:
            raise ValueError(f"A {kind.__name__} without `{name}`: {json!r:.200}")
    return kind(**values)


@cache
def describe(kind: type[Resource]) -> list[tuple[str, Any, bool]]:
    """Of each member its name, its type, and whether it must be there."""
    hints = get_type_hints(kind)
    return [
        (each.name, hints[each.name], each.default is MISSING and each.default_factory is MISSING)
        for each in fields(kind)
        if each.name != "raw"
    ]


def convert(hint: Any, value: Any) -> Any:
    """A member's value, of its type. Texts that are one of a list are texts: the list may grow."""
    if value is None:
        return None
    if isinstance(hint, types.UnionType) or get_origin(hint) is Union:
        [hint] = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is tuple:
        return tuple(convert(get_args(hint)[0], each) for each in value)
    if hint is Decimal:
        return read_amount(value)
    if hint in (datetime, date):
        return hint.fromisoformat(value)
    if hint is UUID:
        return UUID(value)
    if isinstance(hint, type) and issubclass(hint, Resource):
        return read(hint, value)
    return value


def read_amount(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no amount: those are texts.")
    try:
        return Decimal(value)
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is no amount.") from error

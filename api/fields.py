"""Strict values: what each field of a request may be, for decoding and for the OpenAPI document alike.

A `Shape` declares its fields once. It is a DRF serializer so that drf-spectacular can describe it, but it is
read without instantiating one, which costs more than the rest of a request.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers
from rest_framework.request import Request

from api.errors import FieldError, InvalidRequest
from api.parsers import Number, echo, read_body, read_query

UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
DECIMAL_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
DECIMAL_DIGITS_MAX = 40
INTEGER_TEXT = re.compile(r"0|[1-9][0-9]{0,17}")
TIME_TEXT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?P<fraction>[0-9]+))?(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
METADATA_PAIRS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500


class Unfit(Exception):
    """A value that is not what its field takes."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Field(serializers.Field):
    """A field that reads a value of a JSON body, or the text of a query parameter. Null means not sent."""

    def read(self, value: Any) -> Any:
        """The value, checked. Raises `Unfit`."""
        raise NotImplementedError


@describe_as({"type": "string", "format": "uuid"})
class UUIDField(Field):
    def read(self, value: Any) -> UUID:
        if type(value) is not str or not UUID_TEXT.fullmatch(value):
            raise Unfit("id_invalid", "Not a UUID in its usual form: 8-4-4-4-12 hexadecimal digits.")
        return UUID(value)


@describe_as(
    {
        "oneOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}, {"type": "number"}],
        "description": "A decimal string. A JSON number is read from its digits, never as a float.",
        "example": "100.00",
    }
)
class AmountField(Field):
    """A decimal number without exponent, spaces or plus sign."""

    def read(self, value: Any) -> Decimal:
        if type(value) not in (str, Number) or not DECIMAL_TEXT.fullmatch(value):
            raise Unfit("amount_invalid", 'Not a decimal amount like "100.00".')
        digits = value.lstrip("-")
        whole, _, fraction = digits.partition(".")
        if len(whole) > DECIMAL_DIGITS_MAX:
            raise Unfit("amount_too_large", "The amount has too many digits.")
        if len(fraction) > DECIMAL_DIGITS_MAX:
            raise Unfit("amount_scale", "The amount has too many decimals.")
        return Decimal(value)


class TextField(Field):
    def __init__(self, *, length_max: int, length_min: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.length_max = length_max
        self.length_min = length_min
        describe_as({"type": "string", "minLength": length_min, "maxLength": length_max})(self)  # type: ignore[type-var]

    def read(self, value: Any) -> str:
        if type(value) is not str:
            raise Unfit("invalid_type", "Not a text.")
        if not is_storable(value):
            raise Unfit("invalid_text", "The text has a NUL or half of a surrogate pair.")
        if len(value) < self.length_min:
            raise Unfit("required", "The text is empty.")
        if len(value) > self.length_max:
            raise Unfit("too_long", f"The text has more than {self.length_max} characters.")
        return value


class ChoiceField(Field):
    def __init__(self, *, choices: type[Any], **options: Any) -> None:
        super().__init__(**options)
        self.choices = {str(choice.value): choice for choice in choices}
        describe_as({"type": "string", "enum": list(self.choices)})(self)  # type: ignore[type-var]

    def read(self, value: Any) -> Any:
        if type(value) is not str or value not in self.choices:
            raise Unfit("invalid_choice", f"One of {', '.join(self.choices)}.")
        return self.choices[value]


@describe_as({"type": "integer", "minimum": 0})
class CountField(Field):
    """A whole number from zero on."""

    def read(self, value: Any) -> int:
        if type(value) is not Number or not INTEGER_TEXT.fullmatch(value):
            raise Unfit("invalid_type", "Not a whole number from zero on.")
        return int(value)


@describe_as(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_MAX},
        "maxProperties": METADATA_PAIRS_MAX,
        "propertyNames": {"maxLength": METADATA_KEY_MAX},
    }
)
class MetadataField(Field):
    """An object of texts, kept as it is for its owner."""

    def read(self, value: Any) -> dict[str, str]:
        if type(value) is not dict or not all(type(text) is str for text in value.values()):
            raise Unfit("metadata_invalid", "Metadata is an object of texts.")
        if (
            len(value) > METADATA_PAIRS_MAX
            or any(len(key) > METADATA_KEY_MAX for key in value)
            or any(len(text) > METADATA_VALUE_MAX for text in value.values())
        ):
            raise Unfit(
                "metadata_too_large",
                f"Metadata has at most {METADATA_PAIRS_MAX} pairs, keys of {METADATA_KEY_MAX} and "
                f"values of {METADATA_VALUE_MAX} characters.",
            )
        if not all(is_storable(text) for pair in value.items() for text in pair):
            raise Unfit("invalid_text", "Metadata has a NUL or half of a surrogate pair.")
        return value


@describe_as(
    {
        "type": "string",
        "description": "RFC 3339; without an offset it is read in UTC (or in `tz` where there is one); "
        "a date alone is the end of that day.",
        "example": "2023-01-04T00:00:00Z",
    }
)
class TimeField(Field):
    def read(self, value: Any) -> datetime:
        return parse_time(value)


@describe_as({"type": "string", "example": "Europe/Berlin"})
class TimeZoneField(Field):
    """A name of the IANA time zone database."""

    def read(self, value: Any) -> ZoneInfo:
        if value not in _time_zones():
            raise Unfit("timezone_invalid", "Not the name of a time zone, like Europe/Berlin.")
        return ZoneInfo(value)


class Shape(serializers.Serializer):
    """What a request may hold. `read` and `read_query` give a dict of what was sent, each value checked."""

    _declared_fields: dict[str, Field]  # type: ignore[assignment]

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The body's fields. Raises `InvalidRequest` with everything that is wrong."""
        return cls._read(read_body(request), lambda name: f"/{name}")

    @classmethod
    def read_query(cls, request: Request) -> dict[str, Any]:
        """The query's parameters. With a `tz`, times without an offset are read in it."""
        query = read_query(request, cls._declared_fields)
        values = cls._read(query, lambda name: f"?{name}")
        if zone := values.get("tz"):
            for name, field in cls._declared_fields.items():
                if isinstance(field, TimeField) and name in values:
                    values[name] = parse_time(query[name], zone)
        return values

    @classmethod
    def _read(cls, sent: Mapping[str, Any], point: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        errors = []
        for name, field in cls._declared_fields.items():
            value = sent.get(name)
            if value is None:
                if field.required:
                    errors.append(FieldError(point(name), "required", "This is required."))
                continue
            try:
                values[name] = field.read(value)
            except Unfit as unfit:
                errors.append(FieldError(point(name), unfit.code, unfit.detail))
        errors.extend(
            FieldError(point(echo(name)), "unknown_field", "There is no such field.")
            for name in sent
            if name not in cls._declared_fields
        )
        if errors:
            raise InvalidRequest(*errors)
        return values


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and (text.isascii() or not re.search("[\ud800-\udfff]", text))


def parse_time(value: Any, zone: tzinfo = UTC) -> datetime:
    """An instant in UTC. A date is the end of that day in the zone, 23- and 25-hour days included.

    Raises `Unfit`.
    """
    match = TIME_TEXT.fullmatch(value) if type(value) is str else None
    if match is None:
        hint = " A plus sign in a query is written %2B." if type(value) is str and " " in value else ""
        raise Unfit("datetime_invalid", "Not a time like 2023-01-04T00:00:00Z." + hint)
    fraction = match["fraction"] or ""
    if fraction[6:].strip("0"):
        raise Unfit("datetime_precision", "Times are whole microseconds.")
    try:
        day = date.fromisoformat(match["date"])
        if match["time"] is None:
            midnight = datetime.combine(day + timedelta(days=1), time(), zone)
            return midnight.astimezone(UTC) - timedelta(microseconds=1)
        instant = datetime.fromisoformat(f"{match['date']}T{match['time']}.{fraction[:6]:0<6}")
        offset = match["offset"]
        if offset is None:
            instant = instant.replace(tzinfo=zone)
        elif offset != "Z":
            instant = datetime.fromisoformat(instant.isoformat() + offset)
        else:
            instant = instant.replace(tzinfo=UTC)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit("datetime_invalid", "There is no such day or time.") from None


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())

"""What a request may hold: a `Shape` declares its fields once, for decoding and for the OpenAPI document.

It is a DRF serializer so that drf-spectacular can describe it, but it is read without instantiating one,
which takes longer than the rest of a request.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers
from rest_framework.request import Request

from rest.errors import FieldError, InvalidRequest
from rest.fields import Field, TimeField, Unfit, parse_time
from rest.parsers import echo, read_body, read_query

BODY_BYTES_MAX = 64 * 1024


class Shape(serializers.Serializer):
    """What a request may hold. `read` and `read_query` give a dict of what was sent, each value checked."""

    _declared_fields: dict[str, Field]  # type: ignore[assignment]

    bytes_max: ClassVar[int] = BODY_BYTES_MAX

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The body's fields. Raises `InvalidRequest` with everything that is wrong."""
        return cls._read(read_body(request, cls.bytes_max), lambda name: f"/{name}")

    @classmethod
    def read_optional(cls, request: Request) -> dict[str, Any]:
        """As `read`, for a body that may as well be left away."""
        if (
            request.META.get("CONTENT_LENGTH") in (None, "", "0")
            and "HTTP_TRANSFER_ENCODING" not in request.META
        ):
            read_query(request, {})
            return {}
        return cls.read(request)

    @classmethod
    def read_item(cls, item: Any, at: str) -> dict[str, Any]:
        """The fields of an item of a list in the body; `at` points to it. Raises `InvalidRequest`."""
        if type(item) is not dict:
            raise InvalidRequest(FieldError(at, "invalid_type", "Not an object."))
        return cls._read(item, lambda name: f"{at}/{name}")

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
        readers, required = _find_readers(cls)
        try:
            values = {name: readers[name](value) for name, value in sent.items()}
            if required <= values.keys() and None not in sent.values():
                return values
        except (Unfit, KeyError):
            pass
        return cls._read_slowly(sent, point)

    @classmethod
    def _read_slowly(cls, sent: Mapping[str, Any], point: Any) -> dict[str, Any]:
        """Field by field: what null means, and everything that is wrong."""
        values: dict[str, Any] = {}
        errors = []
        for name, field in cls._declared_fields.items():
            value = sent.get(name)
            if value is None:
                if field.allow_null and name in sent:
                    values[name] = None
                elif field.required:
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


@cache
def _find_readers(shape: type[Shape]) -> tuple[dict[str, Callable[[Any], Any]], frozenset[str]]:
    """How each field is read, and which of them must be there."""
    fields = shape._declared_fields
    required = frozenset(name for name, field in fields.items() if field.required)
    return {name: field.read for name, field in fields.items()}, required


class ListField(Field):
    """A list of objects, each to be read with `read_item` of their shape."""

    def __init__(self, *, of: type[Shape], length_max: int, **options: Any) -> None:
        super().__init__(**options)
        self.length_max = length_max
        describe_as(of(many=True, min_length=1, max_length=length_max))(self)  # type: ignore[type-var, call-arg]

    def read(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise Unfit("invalid_type", "Not a list.")
        if not value:
            raise Unfit("required", "The list is empty.")
        if len(value) > self.length_max:
            raise Unfit("batch_too_large", f"The list has more than {self.length_max} items.")
        return value


class NoFields(Shape):
    """The body of a command that its address says all about."""

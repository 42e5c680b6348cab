"""Strict serializers: what a request may hold, declared once, for reading it and for the OpenAPI document.

They are DRF's and work as its documentation says: `is_valid()`, `errors`, `validated_data`. Requests are read
with `read` and `read_query`, which find the same in one pass over what was sent and without an instance:
ADR 18 has the figures.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, cast

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings

from rest.errors import FieldError, InvalidRequest
from rest.fields import BooleanParameter, ChoicesParameter, Field, refuse
from rest.parsers import echo
from rest.times import TimeField, parse_time

ETAG = re.compile('(W/)?"([!#-~\x80-\xff]*)"')
ETAGS = re.compile(rf"{ETAG.pattern}(?:[ \t]*,[ \t,]*{ETAG.pattern})*")
NO_OBJECT = ("invalid_type", "Not an object.")


def read_query(request: Request, known: Mapping[str, Any]) -> dict[str, str]:
    """The query's parameters, each known and given once; a list may be given item by item."""
    if not request.META.get("QUERY_STRING"):
        return {}
    query = request.query_params
    errors = [
        FieldError(f"?{echo(name)}", "unknown_parameter", f"There is no such parameter. {list_known(known)}")
        for name in query
        if name not in known
    ]
    repeated = [name for name in query if name in known and len(query.getlist(name)) > 1]
    for name in repeated:
        if not isinstance(known[name], ChoicesParameter):
            detail = f"The parameter {name} is given more than once."
            errors.append(FieldError(f"?{name}", "duplicate_parameter", detail))
    if errors:
        raise InvalidRequest(*errors)
    values = {name: query[name] for name in query}
    for name in repeated:
        values[name] = ",".join(query.getlist(name))
    return values


def refuse_field(known: Iterable[str]) -> tuple[str, str]:
    return "unknown_field", f"There is no such field. {list_known(known)}"


def list_known(known: Iterable[str]) -> str:
    return f"There are: {', '.join(known)}." if known else "There are none."


def read_if_match(request: Request) -> list[str] | None:
    """The ETags of `If-Match`, one of which what is changed must have; None: it may have any.

    A weak one never matches (RFC 9110), so it is not among them.
    """
    sent: str | None = request.META.get("HTTP_IF_MATCH")
    if sent is None or sent.strip(" \t") == "*":
        return None
    if not ETAGS.fullmatch(sent.strip(" \t,")):
        raise InvalidRequest(
            FieldError("If-Match", "if_match_invalid", 'Neither * nor ETags like "5d41402a".')
        )
    return [tag for weak, tag in ETAG.findall(sent) if not weak]


class StrictSerializer(serializers.Serializer):
    """An object with these fields and no others. `read…` give a dict of what was sent, each value checked."""

    _declared_fields: dict[str, Field]  # type: ignore[assignment]
    body_is_optional = False  # whether it may as well be left away

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not dict:
            raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: refuse(*NO_OBJECT).detail})
        no_field = refuse_field(self.fields)
        unknown = {echo(name): refuse(*no_field).detail for name in data if name not in self.fields}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError(cast(dict[str, Any], error.detail) | unknown) from error
        if unknown:
            raise ValidationError(unknown)
        return values

    @classmethod
    def read(cls, sent: Any, at: str = "") -> dict[str, Any]:
        """The fields of a body, or of an item of a list in it that `at` points to.

        Raises `InvalidRequest` with everything that is wrong.
        """
        if type(sent) is not dict:
            raise InvalidRequest(FieldError(at, *NO_OBJECT))
        return cls._read(sent, lambda name: f"{at}/{name}")

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
        except (ValidationError, KeyError):
            pass
        return cls._read_slowly(sent, point)

    @classmethod
    def _read_slowly(cls, sent: Mapping[str, Any], point: Any) -> dict[str, Any]:
        """As DRF does, where a null may mean not sent. Raises `InvalidRequest` with all that is wrong."""
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        try:
            values = serializers.Serializer.to_internal_value(_find_instance(cls), sent)
        except ValidationError as error:
            for name, details in cast(dict[str, Any], error.detail).items():
                errors += [
                    FieldError(point(name) + getattr(each.code, "pointer", ""), str(each.code), str(each))
                    for each in details
                ]
        if unknown := [name for name in sent if name not in cls._declared_fields]:
            no_field = refuse_field(cls._declared_fields)
            errors += [FieldError(point(echo(name)), *no_field) for name in unknown]
        if errors:
            raise InvalidRequest(*errors)
        return values


@cache
def _find_instance(serializer: type[StrictSerializer]) -> StrictSerializer:
    """One for all requests, since reading leaves nothing behind in it."""
    return serializer()


@cache
def _find_readers(
    serializer: type[StrictSerializer],
) -> tuple[dict[str, Callable[[Any], Any]], frozenset[str]]:
    """How each field is read, and which of them must be there."""
    fields = serializer._declared_fields
    required = frozenset(name for name, field in fields.items() if field.required)
    return {name: field.to_internal_value for name, field in fields.items()}, required


class NoFields(StrictSerializer):
    """The body of a command whose address says everything: left away, or an object without fields."""

    body_is_optional = True


class DryRunQuery(StrictSerializer):
    """The query of a command that can be decided without being carried out."""

    dry_run = BooleanParameter(
        required=False, help_text="Decide it as of now, and do nothing: the answer is 200 with the results"
    )

"""Lists: they take known filters, each once, and anything else is an error; their pages go by the key of the
last row, so that they stay right while rows are added.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

import django_filters
from django import forms
from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from ledger.text import find_fault_of_metadata
from ledger.values import UUID_TEXT
from rest.answers import Answer, answer
from rest.errors import FieldError, InvalidRequest
from rest.fields import list_details
from rest.parsers import echo
from rest.serializers import DryRunQuery, read_query
from rest.times import parse_time

METADATA, METADATA_MAX = "metadata.", 3


class StrictUUIDFormField(forms.UUIDField):
    def to_python(self, value: Any) -> Any:
        if value and not UUID_TEXT.fullmatch(value):
            raise forms.ValidationError("Not a UUID.")
        return super().to_python(value)


class InstantFormField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        try:
            return parse_time(value) if value else None
        except ValidationError as error:
            raise forms.ValidationError(str(list_details(error)[0])) from error


class UUIDFilter(django_filters.UUIDFilter):
    field_class = StrictUUIDFormField


class TextFilter(django_filters.CharFilter):
    """Finds exactly the text that was sent, spaces around it included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)


class InstantFilter(django_filters.Filter):
    field_class = InstantFormField


class MetadataFilter(TextFilter):
    """Stands for the parameters `metadata.KEY`, of any key: rows that have exactly this value under it."""

    def __init__(self, key: str = "", **options: Any) -> None:
        def require_text(value: str) -> None:
            if fault := find_fault_of_metadata({key: value}):
                raise forms.ValidationError(fault.detail)

        super().__init__(validators=[require_text], **options)
        self.key = key

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(metadata__contains={self.key: value})


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter that refuses unknown, repeated, empty and unfit parameters."""

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if view.action != "list":
            read_query(request, DryRunQuery._declared_fields if view.action in view.dry_runs else {})
            return queryset
        filterset = self.read(request, queryset, view)
        return queryset if filterset is None else cast(QuerySet[Any], filterset.qs)

    def read(self, request: Any, queryset: QuerySet[Any], view: Any) -> Any:
        """The filterset with what was asked for; None: nothing was."""
        filters = find_filters(view.filterset_class, request.query_params)
        query = read_query(request, {**filters, **dict.fromkeys(view.pagination_class.parameters)})
        asked = frozenset(query.keys() & filters.keys())
        if not asked:
            return None
        filterset = narrow(view.filterset_class, asked)(query, queryset=queryset, request=request)
        errors = [
            FieldError(f"?{echo(name)}", "invalid_parameter", str(messages[0]))
            for name, messages in filterset.errors.items()
        ]
        errors += [
            FieldError(f"?{echo(name)}", "invalid_parameter", "The parameter is empty.")
            for name in query
            if name in asked and not query[name]
        ]
        if errors:
            raise InvalidRequest(*errors)
        return filterset


def find_filters(filterset: type[django_filters.FilterSet], names: Iterable[str]) -> dict[str, Any]:
    """The filters that there are, by their parameters; of metadata those by the keys that are asked for.

    Raises `InvalidRequest` for too many keys.
    """
    filters: dict[str, Any] = dict(filterset.base_filters)
    if filters.pop("metadata", None):
        asked = [name for name in names if name.startswith(METADATA) and name != METADATA]
        if len(asked) > METADATA_MAX:
            told = f"At most {METADATA_MAX} keys of metadata."
            raise InvalidRequest(FieldError("?metadata", "invalid_parameter", told))
        filters |= {name: MetadataFilter(name.removeprefix(METADATA)) for name in asked}
    return filters


@lru_cache(maxsize=256)
def narrow(filterset: type[django_filters.FilterSet], names: frozenset[str]) -> Any:
    """The filterset with these filters alone: one without a value changes nothing, and to make them all is
    dearer than the query.
    """
    narrowed: Any = type(filterset.__name__, (filterset,), {})
    filters = find_filters(filterset, names)
    narrowed.base_filters = {name: each for name, each in filters.items() if name in names}
    return narrowed


class KeysetPagination(BasePagination):
    """Newest first by (`ordering`, `id`). A cursor is signed for its caller, address and filters."""

    parameters = cursor_query_param, page_size_query_param = ("cursor", "page_size")
    page_size, max_page_size, cursor_length_max = 50, 500, 500
    ordering = "created_at"
    told: dict[str, Any] = {}  # what an answer says beside its rows

    def paginate_queryset(self, queryset: Any, request: Request, view: object = None) -> list[Any]:
        self.request, size = request, self.get_page_size(request)
        forward, position = self.decode_cursor(request.query_params.get(self.cursor_query_param))
        order, beyond = ("-", "lt") if forward else ("", "gt")
        if position is not None:
            moment, id = position
            # The first condition alone is what the index is searched by.
            queryset = queryset.filter(
                Q(**{f"{self.ordering}__{beyond}e": moment}),
                Q(**{f"{self.ordering}__{beyond}": moment}) | Q(**{f"id__{beyond}": id}),
            )
        rows = list(queryset.order_by(f"{order}{self.ordering}", f"{order}id")[: size + 1])
        has_more = len(rows) > size
        self.page = rows[:size] if forward else rows[:size][::-1]
        self.has_next, self.has_previous = (has_more, position is not None) if forward else (True, has_more)
        return self.page

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= self.max_page_size:
            return int(text)
        raise InvalidRequest(
            FieldError("?page_size", "invalid_parameter", f"A page has 1 to {self.max_page_size} rows.")
        )

    def get_paginated_response(self, data: Any) -> Answer:  # type: ignore[override]
        next = self.encode_cursor(True, self.page[-1]) if self.page and self.has_next else None
        back = self.encode_cursor(False, self.page[0]) if self.page and self.has_previous else None
        return answer({"next": next, "previous": back, **self.told, "results": data})

    def decode_cursor(self, text: str | None) -> tuple[bool, tuple[datetime, UUID] | None]:
        """Whether it leads forward, and beyond which row. Raises `InvalidRequest`."""
        if text is None:
            return True, None
        try:
            forward, moment, id = json.loads(self._signer.unsign(text[: self.cursor_length_max]))
        except (BadSignature, ValueError) as error:
            raise InvalidRequest(
                FieldError("?cursor", "invalid_cursor", "Not a cursor that this list gave for these filters.")
            ) from error
        return forward, (datetime.fromisoformat(moment), UUID(id))

    def encode_cursor(self, forward: bool, row: Any) -> str:
        """The address of the page beyond the row."""
        position = json.dumps(
            [forward, getattr(row, self.ordering).isoformat(), str(row.id)], separators=(",", ":")
        )
        query = {**self.request.query_params.dict(), self.cursor_query_param: self._signer.sign(position)}
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query)}")

    @property
    def _signer(self) -> Signer:
        query = self.request.query_params
        filters = sorted((name, query[name]) for name in query if name not in self.parameters)
        return Signer(salt=json.dumps(["cursor", self.request.path, str(self.request.user.pk), filters]))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        fields = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(fields), "properties": fields}

    def get_schema_operation_parameters(self, view: object) -> list[Any]:
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {
                "name": self.cursor_query_param,
                "in": "query",
                "schema": {"type": "string"},
                "description": "From `next` or `previous`.",
            },
            {"name": self.page_size_query_param, "in": "query", "schema": size},
        ]

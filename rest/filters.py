"""Lists take known filters, each once; anything else is an error, never ignored."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

from ledger.values import UUID_TEXT
from rest.errors import FieldError, InvalidRequest
from rest.fields import list_details, parse_time
from rest.serializers import read_query


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


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter that refuses unknown, repeated, empty and unfit parameters."""

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if view.action != "list":
            read_query(request, {})
            return queryset
        filters: Mapping[str, Any] = view.filterset_class.base_filters
        query = read_query(request, {**filters, **dict.fromkeys(view.pagination_class.parameters)})
        asked = frozenset(query.keys() & filters.keys())
        if not asked:
            return queryset
        filterset = narrow(view.filterset_class, asked)(query, queryset=queryset, request=request)
        errors = [
            FieldError(f"?{name}", "invalid_parameter", str(messages[0]))
            for name, messages in filterset.errors.items()
        ]
        errors += [
            FieldError(f"?{name}", "invalid_parameter", "The parameter is empty.")
            for name in query
            if name in asked and not query[name]
        ]
        if errors:
            raise InvalidRequest(*errors)
        narrowed: QuerySet[Any] = filterset.qs
        return narrowed


@lru_cache(maxsize=256)
def narrow(filterset: type[django_filters.FilterSet], names: frozenset[str]) -> Any:
    """The filterset with these filters alone: one without a value changes nothing, and to make them all is
    dearer than the query.
    """
    narrowed: Any = type(filterset.__name__, (filterset,), {})
    narrowed.base_filters = {name: each for name, each in narrowed.base_filters.items() if name in names}
    return narrowed

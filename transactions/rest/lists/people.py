"""Users over HTTP, found by words of their names and by how their external ids begin."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from accounts.rest.views import UserFilter, UserViewSet
from rest.lists import StrictFilterBackend, TextFilter
from rest.viewsets import Request
from transactions import search
from transactions.rest.lists.pages import SearchPagination
from transactions.search import BY_CREATION, Listing


def require_words(text: str) -> None:
    if not search.split(text):
        raise forms.ValidationError("No word is in it.")


class PeopleFilter(UserFilter):
    name_words = TextFilter(
        method="have_words",
        validators=[require_words],
        help_text="All of these words are in the name, each whole or as it begins, in any case and order.",
    )
    external_id_prefix = TextFilter(field_name="external_id", lookup_expr="startswith")

    def have_words(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return search.filter_by_words(rows, search.split(value))


class PeopleFilterBackend(StrictFilterBackend):
    """Of a list it makes a `Listing`."""

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> Any:
        if view.action != "list":
            return super().filter_queryset(request, queryset, view)
        filterset = self.read(request, queryset, view)
        if filterset is None:
            return Listing(rows=queryset, order="created_at")
        asked = filterset.form.cleaned_data
        lookups = []
        if prefix := asked.get("external_id_prefix"):
            lookups.append(search.look_up_prefix(prefix))
        if words := asked.get("name_words"):
            lookups.append(search.look_up_words(search.split(words)))
        return Listing(
            rows=filterset.qs,
            order="created_at",
            lookups=lookups,
            source=BY_CREATION if lookups else None,
        )


class PeopleViewSet(UserViewSet):
    """As `UserViewSet`, found by more than the ledger's own indexes."""

    filter_backends = [PeopleFilterBackend]
    filterset_class = PeopleFilter
    pagination_class = SearchPagination

    def list(self, request: Request) -> Any:
        """Users, newest first."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        people = self.get_queryset().in_bulk([key.id for key in page])
        return self.get_paginated_response([people[key.id].to_dict() for key in page])

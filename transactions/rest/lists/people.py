"""Users over HTTP, found by words of their names and by how their external ids begin."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from rest_framework import request as drf

from accounts.models import User
from accounts.rest.views import UserFilter, UserViewSet
from rest.lists import StrictFilterBackend, TextFilter
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
        asked, lookups, source = filterset.form.cleaned_data, [], None
        if prefix := asked.get("external_id_prefix"):
            lookups.append(search.look_up_prefix(prefix))
            source = BY_CREATION
        if words := asked.get("name_words"):
            lookups.append(search.look_up_words(search.split(words)))
            source = BY_CREATION._replace(is_of_search=True)  # which decides who has them
        return Listing(rows=filterset.qs, order="created_at", lookups=lookups, source=source)


class PeoplePagination(SearchPagination):
    """Pages of the people themselves."""

    def paginate_queryset(self, queryset: Any, request: drf.Request, view: object = None) -> list[Any]:
        page = super().paginate_queryset(queryset, request, view)
        people = queryset.rows.in_bulk([key.id for key in page])
        return [people[key.id] for key in page if key.id in people]


class PeopleViewSet(UserViewSet):
    """As `UserViewSet`, found by more than the ledger's own indexes."""

    filter_backends = [PeopleFilterBackend]
    filterset_class = PeopleFilter
    pagination_class = PeoplePagination

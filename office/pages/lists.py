"""What several lists of the back office are made of: columns, searching, and the file that takes one away."""

import csv
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from office.admin import OfficeAdmin
from office.templatetags.ledger import label, link

Column = Callable[[Any, Any], Any]


def column(description: Any, show: Callable[[Any], Any], **options: Any) -> Column:
    """A column of a list, or a fact of a page: what `show` makes of a row. `options` are for `display`."""

    def method(_admin: Any, row: Any) -> Any:
        return show(row)

    shown: Column = display(method, description=description, **options)
    return shown


def list_groups(user: Any) -> str:
    """The names of the groups that the user is in."""
    return ", ".join(sorted(group.name for group in user.groups.all()))


show_status = column(_("status"), lambda row: label(row.status, row.get_status_display()))


class SearchedAdmin(OfficeAdmin):
    """A list with a search of its own, along indexes. Django shows it only if there are `search_fields`."""

    search_fields = ("id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        return (self.search(queryset, search_term) if search_term else queryset), False

    def search(self, rows: Any, words: str) -> QuerySet:
        """Those of the rows that the words, which are not empty, may mean."""
        raise NotImplementedError


class MovementAdmin(SearchedAdmin):
    """What moves or holds the money of an account. `user` leads to the account."""

    user = column(_("user"), lambda row: link("accounts_account", row.account_id, row.account.user))
    state = show_status


def write_csv(name: str, columns: Collection[str], lines: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """The lines as a file to download, `name` without its ending. The cells are written as they are."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.DictWriter(response, columns)
    writer.writeheader()
    writer.writerows(lines)
    return response

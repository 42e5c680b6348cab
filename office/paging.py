"""Lists of big tables, and searching in them: no page counts more rows than it may, and none walks far."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

ROWS_MAX = 1000  # of a list; whoever looks for something older searches for it


class BoundedPaginator(Paginator):
    """Counts up to `ROWS_MAX` and no further, so that neither a count nor an offset is ever long."""

    template_name = "unfold/helpers/pagination_infinite.html"  # its count says nothing to people

    @cached_property
    def count(self) -> int:
        rows: QuerySet = self.object_list.order_by()  # type: ignore[attr-defined]
        return len(rows.values_list("pk")[:ROWS_MAX])


class BoundedList(ChangeList):  # type: ignore[misc]
    """In its own order, if no column is `sortable_by`: Django would sort by any that the address names."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        if not self.sortable_by:
            self.params.pop(ORDER_VAR, None)
        ordering: list[Any] = super().get_ordering(request, queryset)
        return ordering

    def url_for_result(self, result: Model) -> str:
        url: str = self.model_admin.find_url(result)
        return url

    @property
    def is_popup(self) -> bool:
        """None of the pages opens one; its links would name primary keys, whatever these are."""
        return False

    @is_popup.setter
    def is_popup(self, asked: bool) -> None:
        pass


def parse_id(words: str) -> UUID | None:
    """What somebody searches for, if it is an id."""
    with suppress(ValueError):
        return UUID(words.strip())
    return None

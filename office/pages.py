"""Lists of big tables: no page counts more rows than it may, and none walks far."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

ROWS_MAX = 1000  # of a list; whoever looks for something older searches for it


class BoundedPaginator(Paginator):
    """Counts up to `ROWS_MAX` and no further, so that neither a count nor an offset is ever long."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet = self.object_list.order_by()  # type: ignore[attr-defined]
        return len(rows.values_list("pk")[:ROWS_MAX])

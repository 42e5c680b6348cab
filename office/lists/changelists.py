"""The lists of the back office, as Django's admin shows them."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from office.lists.forms import ListForm
from office.lists.walks import COUNTED_MAX, Count, Key, Stretch, Walk

AFTER, FORMAT = "after", "format"


class BoundedList(ChangeList):  # type: ignore[misc]
    """In its own order, if no column is `sortable_by`: Django would sort by any that the address names."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        super().__init__(request, *args, **options)
        self.title = capfirst(self.opts.verbose_name_plural)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        if not self.sortable_by:
            self.params.pop(ORDER_VAR, None)
        return list(super().get_ordering(request, queryset))

    def url_for_result(self, result: Model) -> str:
        return str(self.model_admin.find_url(result))

    def show(self, rows: Sequence[Any]) -> None:
        """These, and no paginator: it counts, and goes by the number of a page."""
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = bool(rows)
        self.page_num = 1
        self.paginator: Paginator[Any] = Paginator([], self.list_per_page)

    @property
    def is_popup(self) -> bool:
        """None of the pages opens one; its links would name primary keys, whatever these are."""
        return False

    @is_popup.setter
    def is_popup(self, asked: bool) -> None:
        """Whatever the address asks for."""


class WalkedList(BoundedList):
    """What its form asks for, a page at a time: `older` leads on, `count` is of the whole list.

    `stopped_at` is set where the walk ended before the page was full: it says how far that was.
    """

    form: ListForm
    walk: Walk | None = None
    count: Count | None = None
    older = newest = export = ""
    stopped_at: Any = None
    is_file = False  # it is taken away

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params).items()
        own = {AFTER, FORMAT, *self.model_admin.list_form.list_names()}
        return {name: value for name, value in found if name not in own}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        for name in (AFTER, FORMAT):
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)  # type: ignore[no-any-return]

    def get_results(self, request: HttpRequest) -> None:
        self.form = self.model_admin.list_form(request, request.GET)
        self.is_file = request.GET.get(FORMAT) == "csv"
        self.show([])
        if not self.form.is_valid():
            return
        self.walk = self.form.make_walk(self.queryset, self._find_order())
        after = self._read_place(request)
        stretch = self.walk.read(self.list_per_page, after)
        self.show(self.find_rows(stretch.ids))
        asked = self._get_asked(request)
        if after is None:
            self.count = self._count(self.walk, stretch)
            if not self.count.is_bounded:
                self.result_count = self.count.number  # so many are chosen by "all" of Django's actions
        else:
            self.newest = f"?{urlencode(asked)}"
        if stretch.end is not None:
            self.older = f"?{urlencode({**asked, AFTER: self._write_place(stretch.end)})}"
        if stretch.has_stopped:
            moments = [each for each in stretch.end or () if isinstance(each, datetime)]
            self.stopped_at = moments[0] if moments else True
        if self.model_admin.exported:
            self.export = f"?{urlencode({**asked, FORMAT: 'csv'})}"

    def _count(self, walk: Walk, stretch: Stretch) -> Count:
        """Of a walk that has ended, or is a dear one, what it has found itself."""
        is_full = stretch.end is not None and not stretch.has_stopped
        if is_full and (walk.fits is None or walk.looked_at_max > COUNTED_MAX):
            return walk.count()
        return Count(len(stretch.ids), is_bounded=stretch.end is not None)

    def find_rows(self, ids: Sequence[Any]) -> list[Any]:
        """The rows with these primary keys, in this order, with all that their list shows."""
        if not ids:
            return []
        rows = {row.pk: row for row in self.query_rows().filter(pk__in=ids)}
        return [rows[id] for id in ids if id in rows]

    def query_rows(self) -> QuerySet:
        """With all that the list shows of each."""
        return self.root_queryset  # type: ignore[no-any-return]

    def _find_order(self) -> tuple[str, ...]:
        """That of the list, or of what was found. No address names a key that is a secret."""
        order = [str(name) for name in self.queryset.query.order_by]
        key = self.model_admin.key
        return tuple(f"{name[:-2]}{key}" if name.endswith("pk") else name for name in order)

    def _get_asked(self, request: HttpRequest) -> dict[str, str]:
        names = {SEARCH_VAR, "state", *self.form.list_names()}
        return {name: str(value) for name, value in request.GET.items() if name in names and value}

    # A place in the list is a key of its order, signed: nobody makes one up.

    def _write_place(self, key: Key) -> str:
        values = [each.isoformat() if isinstance(each, datetime) else each for each in key]
        values = [str(each) if isinstance(each, UUID) else each for each in values]
        return signing.dumps(values, salt=self._salt)

    def _read_place(self, request: HttpRequest) -> Key | None:
        text = request.GET.get(AFTER)
        if not text or self.walk is None:
            return None
        with suppress(signing.BadSignature, ValidationError):
            values = signing.loads(text, salt=self._salt)
            fields = [self._get_field(name.lstrip("-")) for name in self.walk.order]
            return tuple(field.to_python(value) for field, value in zip(fields, values, strict=True))
        messages.warning(request, _("This link to further rows is not right. Here are the first ones."))
        return None

    def _get_field(self, name: str) -> Any:
        return self.opts.pk if name == "pk" else self.opts.get_field(name)

    @property
    def _salt(self) -> str:
        return f"list:{self.opts.label}:{','.join(self.walk.order if self.walk else ())}"

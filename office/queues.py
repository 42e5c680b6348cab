"""Lists of what one member of staff asks for and another decides: the queue of what waits, and everything."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from office.choosing import ChoosingAdmin

WAITING_SHOWN_MAX = 100


class StateFilter(admin.SimpleListFilter):
    """Takes the parameter of the tabs, which are shown in its place; `QueueAdmin` applies it."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class QueueAdmin(ChoosingAdmin):
    """What waits, by its status WAITING, or with `?state=all` everything that was ever asked for."""

    list_tabs_template = "office/queue_tabs.html"
    list_filter = (StateFilter,)
    asked: tuple[Any, ...] = ()  # the columns of what waits: it has no decision yet
    tabs_label: Any = ""

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return self.asked if self._is_queue(request) else tuple(self.list_display)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if self._is_queue(request):
            queryset = queryset.filter(status="WAITING")
        return super().get_search_results(request, queryset, search_term)

    def _is_queue(self, request: HttpRequest) -> bool:
        return is_queue(request, self.list_form.list_names())


def is_queue(request: HttpRequest, names: Iterable[str]) -> bool:
    """Whether what waits is asked for: neither everything, nor a search, nor what a filter of these names is
    for.
    """
    return request.GET.get("state") != "all" and not any(request.GET.get(name) for name in ("q", *names))


def show_waiting(request: HttpRequest, permission: str, count: Callable[..., int]) -> str:
    """How many wait, for the sidebar; empty if none does or they may not be seen. `count` takes a `limit`."""
    if not request.user.has_perm(permission):
        return ""
    waiting = count(limit=WAITING_SHOWN_MAX)
    return f"{WAITING_SHOWN_MAX - 1}+" if waiting == WAITING_SHOWN_MAX else str(waiting or "")

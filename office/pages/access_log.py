"""The pages of the access log. They go back as far as the log does, a page at a time."""

import csv
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import BigIntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ledger.ids import UUID_TEXT
from ledger.spreadsheets import escape_formula
from office.admin import BoundedList, OfficeAdmin
from office.models import Access

BEFORE = "before"
CSV = "csv"
COLUMNS = ("id", "at", "who", "action", "subject", "subject_id", "detail", "reason", "request_id")
LABELS = {"VIEW": "info", "SEARCH": "info", "EXPORT": "warning", "CHANGE": "danger"}


class AccessList(BoundedList):
    """The entries before the one that `?before=` names, newest first; `older` leads on."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (BEFORE, CSV)}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        rows: QuerySet = super().get_queryset(request, exclude_parameters)
        before = self.params.get(BEFORE, "")
        if before.isascii() and before.isdecimal():
            rows = rows.filter(id__lt=min(int(before[:19]), BigIntegerField.MAX_BIGINT))
        return rows

    def url_for_result(self, result: Model) -> str:
        raise NoReverseMatch  # a line says everything about itself

    def get_results(self, request: HttpRequest) -> None:
        """One page of it, and one row more, to know whether there are older ones."""
        rows = list(self.queryset[: self.list_per_page + 1])
        self.result_list = rows[: self.list_per_page]
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.page_num = 1
        self.paginator = self.model_admin.get_paginator(request, self.queryset.none(), self.list_per_page)
        asked = {"q": self.query} if self.query else {}
        self.newest = f"?{urlencode(asked)}" if self.params.get(BEFORE) else ""
        self.older = (
            f"?{urlencode({**asked, BEFORE: self.result_list[-1].id})}"
            if len(rows) > self.list_per_page
            else ""
        )
        before = {BEFORE: self.params[BEFORE]} if self.params.get(BEFORE) else {}
        self.csv = f"?{urlencode({**asked, **before, CSV: 1})}"
        pages = {page.opts.model_name: page for page in self.model_admin.admin_site._registry.values()}
        for row in self.result_list:
            page = pages.get(row.subject)
            row.url = ""
            if row.subject_id and page is not None and page.has_view_permission(request):
                row.url = reverse(f"admin:{page.opts.app_label}_{row.subject}_change", args=[row.subject_id])


@admin.register(Access)
class AccessAdmin(OfficeAdmin):
    """The log of all this. Looking at it and taking it away are recorded as well."""

    change_list_template = "admin/access_log.html"
    list_display = ("at", "show_who", "show_action", "show_subject", "detail", "reason", "request_id")
    list_select_related = ("actor",)
    facts = ("at", "show_who", "action", "show_kind", "subject_id", "detail", "reason", "request_id")
    ordering = ("-id",)
    search_fields = ("subject_id",)  # see `get_search_results`
    search_help_text = _("The id of something, or the user name of a member of staff")

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[AccessList]:
        return AccessList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if CSV in request.GET and request.method == "GET":
            return self.export(request)
        return super().changelist_view(request, extra_context)

    def get_search_results(self, request: HttpRequest, rows: QuerySet, words: str) -> tuple[QuerySet, bool]:
        """By an index each: what was done to something, or what somebody did."""
        words = words.strip().replace("\x00", "")
        if not words:
            return rows, False
        is_id = UUID_TEXT.fullmatch(words)
        if not is_id:  # those are the user names of who never works here
            users = get_user_model()._default_manager.filter(username=words)
            if actor_id := users.values_list("pk", flat=True).first():
                return rows.filter(actor_id=actor_id), False
        return rows.filter(subject_id=words.lower() if is_id else words), False

    def export(self, request: HttpRequest) -> HttpResponse:
        """The page as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = self.get_changelist_instance(request)
        lines = [[escape_formula(text) for text in _describe(row)] for row in shown.result_list]
        search = f" {shown.query}" if shown.query else ""
        self.record(request, Access.Action.EXPORT, detail=f"{len(lines)} lines{search}")
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="access-log.csv"'
        writer = csv.writer(response)
        writer.writerow(COLUMNS)
        writer.writerows(lines)
        return response

    @admin.display(description=_("who"))
    def show_who(self, access: Access) -> str:
        return str(access.actor.get_username())

    @display(description=_("action"), label=LABELS)  # type: ignore[untyped-decorator]
    def show_action(self, access: Access) -> tuple[str, Any]:
        return access.action, access.get_action_display()

    @admin.display(description=_("of what"))
    def show_kind(self, access: Access) -> str:
        """The name of the model, or of a page that is of none."""
        for model in self.admin_site._registry:
            if model._meta.model_name == access.subject:
                return str(model._meta.verbose_name)
        names = {"find": gettext("search"), "dashboard": gettext("dashboard")}
        return names.get(access.subject, access.subject)

    @admin.display(description=_("of what"))
    def show_subject(self, access: Any) -> str:
        kind, id = self.show_kind(access), access.subject_id
        if access.url:
            return format_html('{} <a class="text-link" href="{}">{}</a>', kind, access.url, id)
        return f"{kind} {id}".strip()


def _describe(access: Access) -> list[str]:
    values = (
        access.id,
        access.at.isoformat(),
        access.actor.get_username(),
        access.action,
        access.subject,
        access.subject_id,
        access.detail,
        access.reason,
        access.request_id,
    )
    return [str(value) for value in values]

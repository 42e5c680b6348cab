"""The pages of the access log. They go back as far as the log does, a page at a time."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import BigIntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ledger.values import UUID_TEXT, escape_formula
from office.admin import BoundedList, SearchedAdmin, write_csv
from office.models import Access
from office.templatetags.ledger import column

BEFORE = "before"
CSV = "csv"
COLUMNS = ("id", "at", "who", "action", "subject", "subject_id", "detail", "reason", "request_id")
WHO = column(_("who"), lambda access: access.actor.get_username())


class AccessList(BoundedList):
    """The entries before the one that `?before=` names, newest first; `older` leads on."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params).items()
        return {name: value for name, value in found if name not in (BEFORE, CSV)}

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
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.page_num = 1
        self.paginator = self.model_admin.get_paginator(request, self.queryset.none(), self.list_per_page)
        asked = {"q": self.query} if self.query else {}
        before = {BEFORE: self.params[BEFORE]} if self.params.get(BEFORE) else {}
        self.newest = f"?{urlencode(asked)}" if before else ""
        self.older = (
            f"?{urlencode({**asked, BEFORE: self.result_list[-1].id})}"
            if len(rows) > self.list_per_page
            else ""
        )
        self.csv = f"?{urlencode({**asked, **before, CSV: 1})}"
        pages = {
            page.find_subject(): f"admin:{page.opts.app_label}_{page.opts.model_name}_change"
            for page in self.model_admin.admin_site._registry.values()
            if page.has_view_permission(request)
        }
        for row in self.result_list:
            is_linked = row.subject in pages and row.subject_id
            row.url = reverse(pages[row.subject], args=[row.subject_id]) if is_linked else ""


@admin.register(Access)
class AccessAdmin(SearchedAdmin):
    """What staff saw and did. Looking at this log and taking it away are recorded in it as well."""

    change_list_template = "admin/access_log.html"
    list_display = (
        "at",
        WHO,
        column(
            _("action"),
            lambda access: (access.action, access.get_action_display()),
            label={"VIEW": "info", "SEARCH": "info", "EXPORT": "warning", "CHANGE": "danger"},
        ),
        "show_subject",
        "detail",
        "reason",
        "request_id",
    )
    list_select_related = ("actor",)
    readonly_fields = ("at", WHO, "action", "show_kind", "subject_id", "detail", "reason", "request_id")
    ordering = ("-id",)
    search_help_text = _("The id of something, or the user name of a member of staff")

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[AccessList]:
        return AccessList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if CSV in request.GET and request.method == "GET":
            return self.export(request)
        return super().changelist_view(request, extra_context)

    def search(self, rows: QuerySet, text: str) -> QuerySet:
        """By an index each: what was done to something, or what somebody did."""
        text = text.strip().replace("\x00", "")
        if not text:
            return rows
        if UUID_TEXT.fullmatch(text):  # as a user name it is that of somebody who never works here
            return rows.filter(subject_id=text.lower())
        users = get_user_model()._default_manager.filter(username=text)
        if actor_id := users.values_list("pk", flat=True).first():
            return rows.filter(actor_id=actor_id)
        return rows.filter(subject_id=text)

    def export(self, request: HttpRequest) -> HttpResponse:
        """The page as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = self.get_changelist_instance(request)
        search = f" {shown.query}" if shown.query else ""
        self.record(request, Access.Action.EXPORT, detail=f"{shown.result_count} lines{search}")
        return write_csv("access-log", COLUMNS, map(_describe, shown.result_list))

    @admin.display(description=_("of what"))
    def show_kind(self, access: Access) -> str:
        """The name of the model, or of a page that is of none."""
        names: dict[str | None, Any] = {"find": _("search"), "dashboard": _("dashboard")}
        names |= {page.find_subject(): page.opts.verbose_name for page in self.admin_site._registry.values()}
        return str(names.get(access.subject, access.subject))

    @admin.display(description=_("of what"))
    def show_subject(self, access: Any) -> str:
        kind, id = self.show_kind(access), access.subject_id
        if access.url:
            return format_html('{} <a class="text-link" href="{}">{}</a>', kind, access.url, id)
        return f"{kind} {id}".strip()


def _describe(access: Access) -> dict[str, str]:
    """A line of the CSV: each column's text, safe in a spreadsheet."""
    values = {**vars(access), "at": access.at.isoformat(), "who": access.actor.get_username()}
    return {name: escape_formula(str(values[name])) for name in COLUMNS}

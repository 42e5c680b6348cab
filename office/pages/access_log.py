"""The pages of the access log: the whole record. They go back as far as it does, a page at a time."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import BigIntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from events import record
from events.models import RecordEntry
from ledger.callers import ActorKind
from ledger.values import UUID_TEXT, escape_formula
from office.access import Action
from office.admin import BoundedList, SearchedAdmin, write_csv
from office.templatetags.ledger import COLOURS, bdi, column, text_column

BEFORE = "before"
CSV = "csv"
COLUMNS = (
    "id",
    "recorded_at",
    "who",
    "actor_kind",
    "action",
    "type",
    "subject",
    "subject_id",
    "detail",
    "reason",
    "request_id",
)
WHO = text_column(_("who"), "who")
REASON = text_column(_("reason"), "reason")


def complete(entries: Sequence[Any]) -> None:
    """Add what lines show that stands elsewhere, names and personal text: two queries for all of them."""
    ids = {entry.actor for entry in entries if entry.actor}
    actors = get_user_model()._default_manager.filter(pk__in=ids)
    names = dict(actors.values_list("pk", "username"))
    for entry, told in zip(entries, record.read_told(entries), strict=True):
        kind = "" if entry.actor_kind == ActorKind.STAFF else entry.get_actor_kind_display()
        entry.who = names.get(entry.actor, "") if entry.actor else kind
        entry.words = " ".join(filter(None, (told.get("detail"), told.get("words"))))
        entry.changes = list(list_changes(told.get("before") or {}, told.get("after") or {}))
        changes = ", ".join(f"{name}: {' → '.join(values)}" for name, values in entry.changes)
        entry.detail = f"{entry.words} {changes}".strip()
        entry.reason = told.get("reason") or ""


def list_changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each value's name, and how it was and has become, as far as it is told."""
    for name in dict.fromkeys([*before, *after]):
        yield name, [json.dumps(of[name], ensure_ascii=False) for of in (before, after) if name in of]


def show_detail(entry: Any) -> str:
    """As in the CSV; each value is set apart, so that what was before stands before what has become."""
    if not entry.changes:
        return bdi(entry.words)
    changes = format_html_join(
        ", ",
        "{}: {}",
        ((name, format_html_join(" → ", "<bdi>{}</bdi>", zip(values))) for name, values in entry.changes),
    )
    return format_html("{} <code>{}</code>", bdi(entry.words), changes)


DETAIL = column(_("detail"), show_detail)


class RecordList(BoundedList):
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
        complete(self.result_list)


@admin.register(RecordEntry)
class RecordAdmin(SearchedAdmin):
    """What people saw and did. Looking at this log and taking it away are recorded in it as well."""

    subject = "record"
    change_list_template = "admin/access_log.html"
    list_display = (
        "recorded_at",
        WHO,
        column(
            _("action"),
            lambda entry: (entry.action, entry.get_action_display()),
            label=COLOURS,
        ),
        "type",
        "show_subject",
        DETAIL,
        REASON,
        "request_id",
    )
    readonly_fields = (
        *("recorded_at", WHO, "actor_kind", "action", "type", "show_kind", "subject_id", DETAIL, REASON),
        *("request_id", "stream", "number", "show_hash"),
    )
    ordering = ("-id",)
    search_help_text = _("The id of something, or the user name of a member of staff")

    def name(self, obj: RecordEntry) -> str:
        return f"{obj.type}, {date_format(obj.recorded_at, 'DATETIME_FORMAT')}"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[RecordList]:
        return RecordList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            complete([entry])
        return entry

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
        if actor := users.values_list("pk", flat=True).first():
            return rows.filter(actor=actor)
        return rows.filter(subject_id=text)

    def export(self, request: HttpRequest) -> HttpResponse:
        """The page as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = self.get_changelist_instance(request)
        self.record(request, Action.EXPORT, detail=f"{shown.result_count} lines", words=shown.query)
        return write_csv("access-log", COLUMNS, map(_describe, shown.result_list))

    @admin.display(description=_("of what"))
    def show_kind(self, entry: RecordEntry) -> str:
        """The name of the model, or of a page that is of none."""
        names: dict[str | None, Any] = {"find": _("search"), "dashboard": _("dashboard")}
        names |= {page.find_subject(): page.opts.verbose_name for page in self.admin_site._registry.values()}
        return str(names.get(entry.subject, entry.subject))

    @admin.display(description=_("hash"))
    def show_hash(self, entry: RecordEntry) -> str:
        return bytes(entry.chain_hash).hex()

    @admin.display(description=_("of what"))
    def show_subject(self, entry: Any) -> str:
        kind, id = self.show_kind(entry), entry.subject_id
        if entry.url:
            return format_html('{} <a class="text-link" href="{}">{}</a>', kind, entry.url, id)
        return f"{kind} {id}".strip()


def _describe(entry: Any) -> dict[str, str]:
    """A line of the CSV: each column's text, safe in a spreadsheet."""
    values = {**vars(entry), "recorded_at": entry.recorded_at.isoformat()}
    return {name: escape_formula(str(values[name])) for name in COLUMNS}

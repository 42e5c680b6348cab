"""The pages of the access log: the whole record. They go back as far as it does, a page at a time."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import BigIntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from events import entries, record
from events.models import RecordEntry
from ledger.callers import ActorKind
from ledger.values import UUID_TEXT, escape_formula
from office.access import Action
from office.admin import SearchedAdmin
from office.lists import BoundedList, write_csv
from office.pages.people.period import DaysForm, find_people
from office.site import USERNAME_LENGTH_MAX
from office.templatetags.ledger import COLOURS, bdi, column, moment, shift, text_column

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


class LogForm(DaysForm):
    """By whom, what and when: all of it together with what the list's own search finds."""

    who = forms.CharField(
        label=_("Who"),
        required=False,
        max_length=USERNAME_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Any part of a name"),
    )
    action = forms.ChoiceField(
        label=_("Action"),
        required=False,
        choices=[("", _("all")), *Action.choices],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("who", "action", "since", "until")
    is_bounded = False


class RecordList(BoundedList):
    """The entries before the one that `?before=` names, newest first; `older` leads on."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params).items()
        return {name: value for name, value in found if name not in (BEFORE, CSV, *LogForm.base_fields)}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        rows: QuerySet = super().get_queryset(request, exclude_parameters)
        self.form = LogForm(request.GET)
        self.is_filtered = self.form.is_valid() and any(self.form.cleaned_data.values())
        before = self.params.get(BEFORE, "")
        self.before = None
        if before.isascii() and before.isdecimal():
            self.before = min(int(before[:19]), BigIntegerField.MAX_BIGINT)
            rows = rows.filter(id__lt=self.before)
        return rows if self.form.is_valid() else rows.none()

    def url_for_result(self, result: Model) -> str:
        raise NoReverseMatch  # a line says everything about itself

    def get_results(self, request: HttpRequest) -> None:
        """One page of it, and whether there are older ones."""
        rows, before, self.is_cut = self._read_page(request)
        self.show(rows)
        asked = {name: request.GET[name] for name in ("q", *self.form.fields) if request.GET.get(name)}
        place = {BEFORE: self.params[BEFORE]} if self.params.get(BEFORE) else {}
        self.newest = f"?{urlencode(asked)}" if place else ""
        self.older = f"?{urlencode({**asked, BEFORE: before})}" if before else ""
        self.csv = f"?{urlencode({**asked, **place, CSV: 1})}"
        pages = {
            page.find_subject(): f"admin:{page.opts.app_label}_{page.opts.model_name}_change"
            for page in self.model_admin.admin_site._registry.values()
            if page.has_view_permission(request)
        }
        for row in self.result_list:
            is_linked = row.subject in pages and row.subject_id
            row.url = reverse(pages[row.subject], args=[row.subject_id]) if is_linked else ""
        complete(self.result_list)

    def _read_page(self, request: HttpRequest) -> tuple[list[Any], int | None, bool]:
        """The entries, where older ones go on, and whether the walk ended before the page was full."""
        if not self.is_filtered:
            rows = list(self.queryset[: self.list_per_page + 1])
            page = rows[: self.list_per_page]
            return page, page[-1].id if len(rows) > len(page) else None, False
        asked, period = self.form.cleaned_data, self.form.read_period()
        actors, subject_ids = self.model_admin.find_wanted(self.query)
        if asked["who"]:
            people = find_people(asked["who"])
            actors = people if actors is None else [id for id in actors if id in people]
        found = entries.find(
            limit=self.list_per_page,
            actors=actors,
            subject_ids=subject_ids,
            action=asked["action"],
            since=period.since,
            until=period.until,
            before=self.before,
        )
        rows = list(self.root_queryset.filter(id__in=found.ids).order_by("-id"))
        return rows, found.before, found.is_cut


@admin.register(RecordEntry)
class RecordAdmin(SearchedAdmin):
    """What people saw and did. Looking at this log and taking it away are recorded in it as well."""

    subject = "record"
    change_list_template = "admin/access_log.html"
    list_display = (
        column(_("recorded at"), lambda entry: moment(entry.recorded_at)),
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
    )
    readonly_fields = (
        *("recorded_at", WHO, "actor_kind", "action", "type", "show_kind", "subject_id", DETAIL, REASON),
        *("request_id", "stream", "number", "show_hash"),
    )
    ordering = ("-id",)
    search_help_text = _("The id of something, or the user name of a member of staff")

    def name(self, obj: RecordEntry) -> str:
        return f"{obj.type}, {date_format(shift(obj.recorded_at), 'DATETIME_FORMAT')}"

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
        actors, subject_ids = self.find_wanted(text)
        if actors:
            return rows.filter(actor=actors[0])
        return rows.filter(subject_id=subject_ids[0]) if subject_ids else rows

    @staticmethod
    def find_wanted(text: str) -> tuple[list[UUID] | None, list[str] | None]:
        """Whom or what the words of the search mean, one or the other; nothing: everything."""
        text = text.strip().replace("\x00", "")
        if not text:
            return None, None
        if UUID_TEXT.fullmatch(text):  # as a user name it is that of somebody who never works here
            return None, [text.lower()]
        users = get_user_model()._default_manager.filter(username=text)
        actor = users.values_list("pk", flat=True).first()
        return ([actor], None) if actor else (None, [text])

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
        names: dict[str | None, Any] = {
            "find": _("search"),
            "dashboard": _("dashboard"),
            "changes": _("Changes of staff"),
        }
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

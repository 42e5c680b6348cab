"""Notes: written on the page of a user, an account or a transaction, shown on all that is that customer's."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.validators import MaxLengthValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from accounts import notes
from accounts.models import Account, Note, User
from ledger.text import Rule
from office.actions import Command, CommandForm
from office.admin import SearchedAdmin, parse_id
from office.forms import TextField
from office.queues import show_waiting
from office.sections import Context, Section
from office.templatetags.ledger import NOTHING, bdi, column, isolate, link, moment, shift, text_column
from rest.middleware import get_caller, get_caller_id
from transactions.models import Transaction

VIEW, ADD = "accounts.view_note", "accounts.add_note"
SHOWN_MAX = 100
LENGTH_SHOWN = 200  # of a note in a list
# What is noted about which thing, and the attribute that is its user.
SUBJECTS: dict[type[Any], tuple[Note.Subject, str]] = {
    User: (Note.Subject.USER, "pk"),
    Account: (Note.Subject.ACCOUNT, "user_id"),
    Transaction: (Note.Subject.TRANSACTION, "account.user_id"),
}
PAGES = {
    Note.Subject.USER: "accounts_user",
    Note.Subject.ACCOUNT: "accounts_account",
    Note.Subject.TRANSACTION: "transactions_transaction",
}


class NoteForm(CommandForm):
    """A text that is too long is refused with its length: no browser cuts it without a word."""

    field_order = ("text", "link", "is_task")
    text = TextField(
        rule=Rule.NOTE,
        label=_("Note"),
        validators=[MaxLengthValidator(notes.LENGTH_MAX)],
        widget=UnfoldAdminTextareaWidget({"rows": 5}),
        help_text=_("At most 2,000 characters. It is signed with your name, and nobody can change it."),
    )
    link = TextField(
        rule=Rule.IDENTIFIER,
        label=_("Link to a ticket"),
        required=False,
        max_length=notes.LINK_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The address of its page, as the browser shows it."),
    )
    is_task = forms.BooleanField(
        label=_("Somebody has something to do"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("It is in the list of open notes until somebody marks it as done."),
    )

    def clean_link(self) -> str:
        """An address of the web, and nothing that a browser would run or open otherwise."""
        text: str = self.cleaned_data["link"]
        if text and not is_of_the_web(text):
            raise forms.ValidationError(_("This is no address of a page on the web."))
        return text


def is_of_the_web(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    return is_plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def find_user_id(obj: Any) -> UUID:
    """The customer whose page it is, or whose account or transaction."""
    _subject, path = SUBJECTS[type(obj)]
    for name in path.split("."):
        obj = getattr(obj, name)
    return obj  # type: ignore[no-any-return]


def write(request: HttpRequest, obj: Any, asked: dict[str, Any]) -> None:
    subject, _path = SUBJECTS[type(obj)]
    notes.write(
        subject=subject,
        subject_id=obj.pk,
        user_id=find_user_id(obj),
        caller=get_caller(request),
        **asked,
    )


def finish(request: HttpRequest, note: Note, asked: dict[str, Any]) -> None:
    notes.finish(id=note.pk, caller=get_caller(request))


WRITE = Command(
    name="note",
    label=_("Write a note"),
    permission=ADD,
    is_recorded=True,
    run=write,
    done=_("The note is written."),
    form=NoteForm,
    note=_("For colleagues who look at this customer after you. Programs never see it."),
)
FINISH = Command(
    name="done",
    label=_("Done"),
    permission=ADD,
    is_recorded=True,
    run=finish,
    done=_("Marked as done."),
    form=CommandForm,
    applies=lambda note: note.is_open,
    note=_("What the note asks for is done. It stays, with your name beside it."),
)


def complete(found: Collection[Note]) -> None:
    """Add what was written, and what it is about. One query."""
    told = notes.read_texts(found)
    for note in found:
        note.words, note.link = told[note.id]["words"], told[note.id]["link"]  # type: ignore[attr-defined]
        note.ticket = show_link(note)  # type: ignore[attr-defined]
        note.page = reverse(  # type: ignore[attr-defined]
            f"admin:{PAGES[Note.Subject(note.subject)]}_change", args=[note.subject_id]
        )


def describe(request: HttpRequest, obj: Any) -> Context:
    """All notes about the customer, with those of this very thing marked; so many at most."""
    found = list(notes.find_about(find_user_id(obj))[: SHOWN_MAX + 1])
    complete(shown := found[:SHOWN_MAX])
    return {
        "notes": [(note, note.subject_id == obj.pk) for note in shown],
        "has_more": len(found) > SHOWN_MAX,
        "may_finish": request.user.has_perm(ADD),
    }


def count(request: HttpRequest, obj: Any) -> str:
    """Beside the title of the tab."""
    found = len(notes.find_about(find_user_id(obj)).values_list("id")[: SHOWN_MAX + 1])
    return f"{SHOWN_MAX}+" if found > SHOWN_MAX else str(found or "")


SECTION = Section(
    name="notes",
    title=_("Notes"),
    template="office/notes.html",
    describe=describe,
    count=count,
    permissions=(VIEW,),
)


def show_link(note: Any) -> Any:
    """Opens beside the office, and is not told of it. What is no address is text: no browser runs it."""
    if not note.link:
        return NOTHING
    if not is_of_the_web(note.link):
        return bdi(note.link)
    return format_html(
        '<a class="text-link" href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>', note.link
    )


def show_shortened(text: str) -> Any:
    shown = text if len(text) <= LENGTH_SHOWN else f"{text[:LENGTH_SHOWN]}…"
    return format_html('<div class="office-reference">{}</div>', bdi(shown))


ABOUT = column(
    _("about what"),
    lambda note: format_html(
        '{} <a class="text-link" href="{}">{}</a>',
        note.get_subject_display(),
        note.page,
        bdi(note.user if note.subject == Note.Subject.USER else str(note.subject_id)),
    ),
)
CUSTOMER = column(_("user"), lambda note: link("accounts_user", note.user_id, note.user))
DONE = column(
    _("done by"),
    lambda note: bdi(note.done_by) if note.done_by else (_("to be done") if note.is_task else NOTHING),
)


class WhichFilter(admin.SimpleListFilter):
    """Takes the parameter of the tabs, which are shown in its place."""

    title = _("which")
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Note]) -> QuerySet[Note]:
        return queryset


@admin.register(Note)
class NoteAdmin(SearchedAdmin):
    """What is open, one's own, or all; the text is personal, and stands apart."""

    owner = "user_id"
    commands = (FINISH,)
    list_before_template = "office/notes_tabs.html"
    list_filter = (WhichFilter,)
    list_display = (
        column(_("written at"), lambda note: moment(note.written_at)),
        text_column(_("written by"), "author"),
        CUSTOMER,
        column(_("note"), lambda note: show_shortened(note.words)),
        column(_("ticket"), show_link),
        DONE,
    )
    readonly_fields = (
        text_column(_("note"), "words"),
        ABOUT,
        CUSTOMER,
        column(_("ticket"), show_link),
        text_column(_("written by"), "author"),
        column(_("written at"), lambda note: moment(note.written_at)),
        DONE,
        column(_("done at"), lambda note: moment(note.done_at)),
    )
    search_help_text = _("The id of a note or a user")
    nothing = _("No notes.")

    def name(self, obj: Note) -> str:
        """Whom it is about, and when it was written."""
        when = date_format(shift(obj.written_at), "SHORT_DATETIME_FORMAT")
        return f"{isolate(obj.user)} {NOTHING} {when}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Note]:
        return Note.objects.select_related("author", "user", "done_by")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        note = super().get_object(request, object_id, from_field)
        if note is not None:
            complete([note])
        return note

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """In the order of the index of each; the oldest of what is open stands first."""
        which = request.GET.get("which", "")
        if request.GET.get("q") or which == "all":
            return ("-written_at", "-id")
        return ("-author", "-written_at") if which == "mine" else ("written_at", "id")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        shown = super().get_changelist_instance(request)
        shown.result_list = list(shown.result_list)
        complete(shown.result_list)
        return shown

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Note], search_term: str
    ) -> tuple[QuerySet[Note], bool]:
        which = request.GET.get("which", "")
        if not search_term and which == "mine":
            queryset = queryset.filter(author=get_caller_id(request))
        elif not search_term and which != "all":
            queryset = queryset.filter(is_task=True, done_at=None)
        return super().get_search_results(request, queryset, search_term)

    def search(self, rows: QuerySet[Note], text: str) -> QuerySet[Note]:
        id = parse_id(text)
        if id is None:
            return rows.none()
        found = [*Note.objects.filter(id=id).values_list("id", flat=True)]
        found += notes.find_about(id).values_list("id", flat=True)[:SHOWN_MAX]
        return rows.filter(id__in=found)


def count_open(request: HttpRequest) -> str:
    """How many are open, for the sidebar."""
    return show_waiting(request, VIEW, notes.count_to_be_done)

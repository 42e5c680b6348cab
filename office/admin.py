"""The pages of the back office: what all of them share, or many.

Their lists are of big tables: none counts more rows than it may, and no search walks far.
"""

from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from office import access, actions, missing, sections
from office.access import Action
from office.actions import Command
from office.lists import BoundedList, Columns, ListForm, WalkedList, export_list, read_all
from office.lists.changelists import FORMAT
from office.templatetags.ledger import list_fields


def parse_id(text: str) -> UUID | None:
    """The id that the text is; None if it is none."""
    with suppress(ValueError):
        return UUID(text.strip())
    return None


class OfficeAdmin(ModelAdmin):  # type: ignore[misc]
    """The pages of a model: a list, and one page for each object.

    They show and cannot edit, whoever asks; what may be done are `commands`. Every look at the list or at an
    object, and every search, is recorded in the access log before it is answered.
    """

    is_of_the_office = True
    commands: tuple[Command, ...] = ()  # done to one object, from its page
    list_commands: tuple[Command, ...] = ()  # done to no object yet, from the list
    sections: tuple[Any, ...] = ()  # of `office.sections`: tabs of the page of one object
    actions: tuple[Any, ...] | None = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    sortable_by = ()
    list_form: type[ListForm] = ListForm  # what the list is narrowed by
    exported: Columns = {}  # the columns of the list as a file; none: it is not taken away
    nothing: Any = _("There is nothing here.")  # said of a list without rows
    list_tabs_template = ""
    change_list_template = "admin/list.html"
    change_form_template = "admin/object.html"
    empty_value_display = SafeString('<span class="office-none">\N{EN DASH}</span>')
    subject = ""  # what the access log calls one of these; empty: by its model
    media = Media()  # of Django's scripts none: there is nothing to edit
    key = "pk"  # the attribute that addresses and the access log name an object by: unique, and no secret
    owner = ""  # the attribute that is the id of the user whom one of these is about

    def _never(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds, changes or deletes anything, not even a superuser."""
        return False

    has_add_permission = has_change_permission = has_delete_permission = _never

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Of fields only those that a filter in `list_filter` is named for. What a form asks for is none.

        Django would allow any: to guess at what is not shown, or to scan a big table. Words that name nothing
        are refused after this.
        """
        is_of_a_filter = any(lookup == each.parameter_name for each in self.list_filter)
        return is_of_a_filter or not self._has_field(lookup.split("__")[0])

    def _has_field(self, name: str) -> bool:
        try:
            return name == "pk" or bool(self.opts.get_field(name))
        except FieldDoesNotExist:
            return False

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[BoundedList]:
        return WalkedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if "\x00" in object_id:
            return None
        return super().get_object(request, object_id, from_field or (None if self.key == "pk" else self.key))

    def get_urls(self) -> list[URLPattern]:
        kinds = (
            ("<path:object_id>/", self.command_view, self.commands),
            ("", self.run_command, self.list_commands),
        )
        return [
            *(
                path(
                    f"{start}{command.name}/",
                    self.admin_site.admin_view(view),
                    {"command": command},
                    name=f"{self.opts.app_label}_{self.opts.model_name}_{command.name}",
                )
                for start, view, commands in kinds
                for command in commands
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.GET.get(FORMAT) == "csv" and request.method == "GET" and self.exported:
            return self.export_list(request)
        words = self.describe_search(request)
        self.record(request, Action.SEARCH if words else Action.VIEW, words=words)
        return super().changelist_view(  # type: ignore[no-any-return]
            request,
            {
                "title": capfirst(self.opts.verbose_name_plural),
                "buttons": list(self.find_buttons(request, None)),
                **(extra_context or {}),
            },
        )

    def describe_search(self, request: HttpRequest) -> str:
        """What the list is narrowed to, for the access log."""
        asked = {name: request.GET.get(name, "") for name in self.list_form.list_names()}
        words = [f"{name}={value}" for name, value in asked.items() if value]
        return " ".join(filter(None, [request.GET.get("q", ""), *words]))

    def export_list(self, request: HttpRequest) -> HttpResponse:
        """The list as it was asked for, as CSV. What cannot be asked for is said on the list."""
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(self._name("changelist")))
        if shown.walk is None:
            return HttpResponseRedirect(shown.get_query_string(remove=[FORMAT]))
        found = read_all(shown)
        detail = f"list, {len(found.rows)} lines" + (", cut" if found.is_cut else "")
        self.record(request, Action.EXPORT, detail=detail, words=self.describe_search(request))
        return export_list(f"{self.find_subject()}s", self.exported, found)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one thing. There is no form on it, and nothing to post to."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return missing.lead_to_list(request, self.opts, unquote(object_id))
        self.record(request, Action.VIEW, obj)
        template, shown = sections.choose(self, request, obj)
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": capfirst(self.opts.verbose_name),
                "subtitle": self.name(obj),
                "obj": obj,
                "fields": list_fields(self, obj),
                "buttons": list(self.find_buttons(request, obj)),
                **shown,
            },
        )

    def name(self, obj: Any) -> str:
        """What people call the object, in the reader's language: the heading, and the browser's tab."""
        return str(obj)

    def describe(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the template of the object's page shows besides its `readonly_fields`."""
        return {}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Leads to the access log of the object: who saw it, and what they did with it."""
        return HttpResponseRedirect(
            f"{reverse('admin:events_recordentry_changelist')}?q={unquote(object_id)}"
        )

    def command_view(self, request: HttpRequest, object_id: str, command: Command) -> HttpResponse:
        """The page of a command that is done to one object."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return missing.lead_to_list(request, self.opts, unquote(object_id))
        return self.run_command(request, command, obj)

    def run_command(self, request: HttpRequest, command: Command, obj: Any = None) -> HttpResponse:
        """The page of a command that is done to `obj`, or of a command of the list if it is None."""
        return actions.run(
            command,
            request,
            obj,
            of=self.find_subject(),
            success_url=reverse(self._name("changelist")) if obj is None else self.find_url(obj),
            context={
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "subtitle": "" if obj is None else self.name(obj),
            },
            key=self.key,
            owner=attrgetter(self.owner)(obj) if obj and self.owner else None,
        )

    def find_buttons(self, request: HttpRequest, obj: Any | None) -> Iterator[tuple[Command, str]]:
        """The commands that this person may give now, to `obj` or else to the list, with their addresses."""
        for command in self.list_commands if obj is None else self.commands:
            if command.is_for(request, obj):
                yield (
                    command,
                    reverse(self._name(command.name), args=[getattr(obj, self.key)] if obj else []),
                )

    def _name(self, page: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"

    def find_subject(self) -> str:
        return self.subject or self.opts.model_name or ""

    def find_url(self, obj: Any) -> str:
        return reverse(self._name("change"), args=[getattr(obj, self.key)])

    def record(
        self, request: HttpRequest, action: Action, obj: Any = None, *, detail: str = "", words: str = ""
    ) -> None:
        access.record(
            request,
            action,
            self.find_subject(),
            "" if obj is None else getattr(obj, self.key),
            detail=detail,
            words=words,
        )


class SearchedAdmin(OfficeAdmin):
    """A list with a search of its own, along indexes. Django shows it only if there are `search_fields`."""

    search_fields = ("id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        return (self.search(queryset, search_term) if search_term else queryset), False

    def search(self, rows: Any, text: str) -> QuerySet:
        """Those of the rows that the text, which is not empty, may mean."""
        raise NotImplementedError

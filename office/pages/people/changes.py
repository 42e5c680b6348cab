"""What staff changed, of some days: for who leads them. What they looked at is in the access log alone."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from events import entries
from events.models import RecordEntry
from ledger.callers import ActorKind
from office import access
from office.access import Action
from office.pages.people import lines
from office.pages.people.period import DaysForm, find_people
from office.sections import Context
from office.site import USERNAME_LENGTH_MAX, OfficeSite

PAGE_SIZE = 50
PERMISSION = "events.view_changes"


class ChangesForm(DaysForm):
    who = forms.CharField(
        label=_("Who"),
        required=False,
        max_length=USERNAME_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Any part of a name; nobody: all"),
    )
    field_order = ("who", "since", "until")


def show(request: HttpRequest) -> HttpResponse:
    """Changes of today by members of staff, or of the days that are asked for."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    access.record(request, Action.VIEW, "changes", words=request.GET.get("who", ""))
    form = ChangesForm(request.GET)
    context = {**admin.site.each_context(request), "title": _("Changes of staff"), "form": form}
    if form.is_valid():
        context |= _read(request, form)
    return TemplateResponse(request, "admin/changes.html", context)


def _read(request: HttpRequest, form: ChangesForm) -> Context:
    asked, period = form.cleaned_data, form.read_period()
    before = request.GET.get("before", "")
    found = entries.find(
        limit=PAGE_SIZE,
        actors=find_people(asked["who"]) if asked["who"] else None,
        action=RecordEntry.Action.CHANGE,
        kinds=[ActorKind.STAFF],
        subjects=list(lines.find_pages(request)),
        since=period.since,
        until=period.until,
        before=min(int(before[:19]), entries.ID_MAX) if before.isascii() and before.isdecimal() else None,
    )
    rows = list(RecordEntry.objects.filter(id__in=found.ids).order_by("-id"))
    shown = list(lines.describe_entries(request, rows))
    lines.name_actors(shown)
    days = {name: asked[name].isoformat() for name in ("since", "until")}
    of_all = {**days, **({"who": asked["who"]} if asked["who"] else {})}
    return {
        "lines": shown,
        "days": days,
        "is_cut": found.is_cut,
        "older": f"?{urlencode({**of_all, 'before': found.before})}" if found.before else "",
        "newest": f"?{urlencode(of_all)}" if before else "",
    }


OfficeSite.pages.append(("changes/", show, "changes"))

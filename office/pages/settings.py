"""What members of staff choose for themselves: the time zone that they see and give times in."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import staff
from office import access
from office.access import Action
from office.site import OfficeSite
from rest.middleware import get_caller
from rest.times import find_time_zones


def list_zones() -> list[tuple[str, str]]:
    """Names of the IANA time zone database, without those that are kept for old programs."""
    places = (name for name in find_time_zones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name) for name in ["UTC", *sorted(places)]]


class TimeZoneField(forms.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=list_zones, widget=UnfoldAdminSelectWidget, **options)


class SettingsForm(forms.Form):
    time_zone = TimeZoneField(
        label=_("Time zone"),
        help_text=_("All pages show times in it, and read those that you type. The API stays in UTC."),
    )


def change_settings(request: HttpRequest) -> HttpResponse:
    """One's own: a form, which leads back to itself."""
    user: Any = request.user
    form = SettingsForm(
        request.POST if request.method == "POST" else None, initial={"time_zone": user.time_zone}
    )
    if form.is_valid():
        staff.set_time_zone(time_zone=form.cleaned_data["time_zone"], caller=get_caller(request))
        messages.success(request, _("Saved. Times are shown in this zone from now on."))
        return HttpResponseRedirect(reverse("admin:settings"))
    if request.method != "POST":
        access.record(request, Action.VIEW, "settings")
    return TemplateResponse(
        request,
        "admin/settings.html",
        {**admin.site.each_context(request), "title": _("My settings"), "form": form},
        status=422 if request.method == "POST" else 200,
    )


OfficeSite.pages.append(("settings/", change_settings, "settings"))

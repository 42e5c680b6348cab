"""Some days, and who: what is asked for on pages that say what was done."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.mentions import fold
from accounts.models import User
from office.lists import NarrowingForm
from office.moments import DayField

DAYS_MAX = 31
PEOPLE_MAX = 20


class Period(NamedTuple):
    """From the first instant of a day on, and before that of another; None: without an end on that side."""

    since: datetime | None
    until: datetime | None


class DaysForm(NarrowingForm):
    """The first and the last day, in the reader's zone. Where there must be one: today, if none is given."""

    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("To (inclusive)"), required=False)
    is_bounded = True

    def __init__(self, data: QueryDict) -> None:
        if self.is_bounded and not data.get("since") and not data.get("until"):
            data = data.copy()
            data["since"] = data["until"] = timezone.localdate().isoformat()
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        if self.errors:
            return asked
        if self.is_bounded:
            last = asked["until"] or asked["since"]
            asked |= {"since": asked["since"] or last, "until": last}
        since, until = asked["since"], asked["until"]
        if since and until and since > until:
            raise forms.ValidationError(_("The first day is after the last one."))
        if self.is_bounded and (until - since).days >= DAYS_MAX:
            raise forms.ValidationError(_("At most %(days)s days.") % {"days": DAYS_MAX})
        return asked

    def read_period(self) -> Period:
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        return Period(since and _begin(since), until and _begin(until + timedelta(days=1)))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


def find_people(text: str) -> Collection[UUID]:
    """Members of staff who have that in their name or user name, in any case, so many at most; or the service
    of that user name."""
    wanted = fold(text).strip()
    found = [
        member.pk
        for member in staff.find_names()
        if wanted in fold(member.username) or wanted in fold(member.name)
    ]
    service = User.objects.filter(username=text, is_staff=False, is_holder=False)
    return [*found[:PEOPLE_MAX], *service.values_list("pk", flat=True)]

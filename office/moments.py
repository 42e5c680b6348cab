"""Days and times as staff type them, in the zone of who asks: a day alone is the whole of it."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from office.templatetags.ledger import shift
from rest import fields, times

DAY = re.compile(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
TIME = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?P<second>:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?"
)
END_OF_DAY = ("", "24:00", "24:00:00")
NO_DAY = _("This is not a day like 2026-12-31.")
NO_TIME = _("This is not a time like 14:30 or 14:30:05.")


def read_day(text: str) -> date:
    """`2026-12-31` or `31.12.2026`. Raises Django's `ValidationError`."""
    try:
        if match := DAY.fullmatch(text):
            return date(*(int(match[part]) for part in ("year", "month", "day")))
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007, a day has no zone
    except ValueError:
        raise forms.ValidationError(NO_DAY) from None


def read_moment(day: date, time_of_day: str) -> datetime:
    """The moment in UTC; without a time, or at 24:00, the last one of that day, as the API reads a day.

    Where clocks are turned, an offset behind the time says which hour is meant. Raises Django's
    `ValidationError`.
    """
    zone = get_current_timezone()
    text = day.isoformat()
    if time_of_day not in END_OF_DAY:
        match = TIME.fullmatch(time_of_day)
        if match is None:
            raise forms.ValidationError(NO_TIME)
        hour, minute, second, offset = match.group("hour", "minute", "second", "offset")
        text += f"T{hour:>02}:{minute}{second or ':00'}{offset or ''}"
    try:
        return times.parse_time(text, zone)
    except ValidationError as error:
        if fields.list_details(error)[0].code == "datetime_ambiguous":
            raise forms.ValidationError(_explain_turned_clocks(text, time_of_day)) from None
        raise forms.ValidationError(NO_TIME if time_of_day else NO_DAY) from None


def _explain_turned_clocks(text: str, time_of_day: str) -> str:
    zone = get_current_timezone()
    local = datetime.fromisoformat(text)
    meant = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    names = {"zone": str(zone), "time": time_of_day}
    if meant[0].astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        return _("In %(zone)s the clocks never show %(time)s on that day: they are put forward.") % names
    first, last = (f"{time_of_day}{_write_offset(each)}" for each in meant)
    return _(
        "In %(zone)s the clocks show %(time)s twice on that day. Write %(first)s for the first time or "
        "%(last)s for the second."
    ) % {**names, "first": first, "last": last}


def write_moment(instant: datetime) -> tuple[str, str]:
    """The day and the time that `read_moment` reads as this instant, in the zone of who asks."""
    local = shift(instant)
    text = local.time().isoformat()
    offsets = {local.replace(fold=fold).utcoffset() for fold in (0, 1)}
    if len(offsets) > 1 or local.tzinfo is not get_current_timezone():
        text += _write_offset(local)
    return local.date().isoformat(), text


def _write_offset(local: datetime) -> str:
    return local.isoformat()[-len("+00:00") :]


class DayInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    """Plain text: one stop of the Tab key, where the browser's own field has four."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", "placeholder": _("YYYY-MM-DD"), "size": 12, **(attrs or {})})


class DayField(forms.CharField):
    widget = DayInput

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        if not text:
            return None
        day = read_day(text)
        if not times.DAY_MIN <= day <= times.DAY_MAX:
            raise forms.ValidationError(NO_DAY)
        return day


class TimeField(forms.CharField):
    """Read together with its day, by `read_moment`."""

    widget = UnfoldAdminTextInputWidget(
        {"autocomplete": "off", "placeholder": _("HH:MM"), "size": 8}  # seconds, too, for who needs them
    )


class MomentForm(forms.Form):
    """Which balance: effective at a moment, as it was known at another. `moments` has both, or None.

    A link may give a day and a time in one, as the API writes them.
    """

    at = forms.CharField(label=_("Balance on"), required=False, widget=DayInput)
    at_time = TimeField(label=_("at"), required=False, help_text=_("Empty: the end of the day"))
    known_at = forms.CharField(label=_("As known on"), required=False, widget=DayInput)
    known_at_time = TimeField(label=_("at"), required=False, help_text=_("Empty: the end of the day"))

    MOMENTS = ("at", "known_at")

    def __init__(self, asked: Any) -> None:
        super().__init__({name: _take(asked, name) for name in self.base_fields} | _split(asked))
        self.moments: dict[str, datetime | None] = {}

    def clean(self) -> None:
        for name in self.MOMENTS:
            self.moments[name] = self._read(name, f"{name}_time")

    def _read(self, name: str, name_of_time: str) -> datetime | None:
        day, time_of_day = (self.cleaned_data.get(each, "") for each in (name, name_of_time))
        if not day:
            if time_of_day:
                self.add_error(name, _("Which day is meant?"))
            return None
        try:
            moment = read_day(day)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return None
        try:
            return read_moment(moment, time_of_day)
        except forms.ValidationError as error:
            self.add_error(name_of_time if time_of_day else name, error)
        return None


def _take(asked: Any, name: str) -> str:
    return str(asked.get(name, "")).strip()


def _split(asked: Any) -> dict[str, str]:
    """Of the moments that are given in one their day and time."""
    found: dict[str, str] = {}
    for name in MomentForm.MOMENTS:
        text = _take(asked, name)
        day, has_time, time_of_day = text.partition("T")
        if not has_time or _take(asked, f"{name}_time"):
            continue
        with suppress(ValidationError):
            if TIME.fullmatch(time_of_day) and re.search("Z|[+-]", time_of_day):
                day, time_of_day = write_moment(times.parse_time(text))
        found |= {name: day, f"{name}_time": time_of_day}
    return found

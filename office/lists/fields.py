"""Fields of the forms above lists. What is odd in them gets a sentence; what is empty narrows nothing."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.queries import find_caller
from ledger.values import UUID_TEXT, LastMoment
from office.moments import NO_DAY, DayInput, read_day, read_moment
from office.templatetags.ledger import shift
from rest import times

TEXT_LENGTH_MAX = 255  # nothing that can be looked for is longer
NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,8})?")
GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
ANY = _("any")
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class Choice(forms.ChoiceField):
    """One of some, or any."""

    widget = UnfoldAdminSelectWidget

    def __init__(self, choices: Any, *, any: Any = ANY, **options: Any) -> None:
        super().__init__(choices=[("", any), *choices], required=False, **options)


class YesOrNo(forms.TypedChoiceField):
    """True, False, or None: either."""

    widget = UnfoldAdminSelectWidget

    def __init__(self, **options: Any) -> None:
        choices = [("", ANY), ("yes", _("yes")), ("no", _("no"))]
        super().__init__(
            choices=choices, coerce=lambda text: text == "yes", empty_value=None, required=False, **options
        )


class Text(forms.CharField):
    widget = UnfoldAdminTextInputWidget(PLAIN)

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TEXT_LENGTH_MAX, required=False, **options)


class Number(Text):
    """An amount as pages show it or as the API takes it, of either sign."""

    widget = UnfoldAdminTextInputWidget({**PLAIN, "inputmode": "decimal"})

    def clean(self, value: Any) -> Decimal | None:
        text = re.sub(r"\s", "", super().clean(value))
        if not text:
            return None
        if GROUPED.fullmatch(text) and not (get_language() or "").startswith("ru"):
            text = text.replace(",", "")
        text = text.replace(",", ".").replace("\N{MINUS SIGN}", "-")
        if not NUMBER.fullmatch(text):
            raise forms.ValidationError(_("This is not a number like 1234.50."))
        return Decimal(text)


class Id(Text):
    """A UUID."""

    def clean(self, value: Any) -> UUID | None:
        text = super().clean(value)
        if text and not UUID_TEXT.fullmatch(text):
            raise forms.ValidationError(_("This is not an id."))
        return UUID(text) if text else None


class Caller(Text):
    """The id of whoever has this user name or id."""

    def clean(self, value: Any) -> UUID | None:
        text = super().clean(value)
        if not text:
            return None
        found = find_caller(text, UUID(text) if UUID_TEXT.fullmatch(text) else None)
        if found is None:
            raise forms.ValidationError(_("Nobody has this user name or id."))
        return found.pk


class Moment(forms.CharField):
    """A day or a moment, in the reader's zone: of a day its first microsecond, or with `is_end` its last."""

    widget = DayInput

    def __init__(self, *, is_end: bool = False, **options: Any) -> None:
        super().__init__(max_length=TEXT_LENGTH_MAX, required=False, **options)
        self.is_end = is_end

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        day, _t, time_of_day = text.partition("T")
        moment = read_moment(read_day(day), time_of_day)
        if not times.DAY_MIN <= moment.date() <= times.DAY_MAX:
            raise forms.ValidationError(NO_DAY)
        if isinstance(moment, LastMoment) and not self.is_end and not time_of_day:
            return moment.begins_at
        return moment

    def show(self, value: str) -> str:
        """The day or the moment as the reader writes it; what is none, as it stands."""
        try:
            moment = self.clean(value)
        except forms.ValidationError:
            return value
        form = "DATETIME_FORMAT" if "T" in value else "DATE_FORMAT"
        return date_format(shift(moment), form) if moment else ""

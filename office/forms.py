"""Fields of the forms that staff send, read as strictly as requests are."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.currencies import find_decimals
from ledger.text import Rule, find_fault
from office.explanations import REFUSALS, explain_refusal
from rest import fields

# In groups of three with the same mark between them: a comma, a point, a space or an apostrophe.
GROUPED = re.compile(
    r"(?P<first>[0-9]{1,3})"
    r"(?P<rest>(?P<between>[,. \u00a0\u202f\u2009'\u2019])[0-9]{3}(?:(?P=between)[0-9]{3})*)"
    r"(?:(?P<mark>[.,])(?P<fraction>[0-9]+))?"
)
PLAIN = re.compile(r"[0-9]+,[0-9]+")


class TextField(forms.CharField):
    """A text under a rule of `ledger.text`.

    Only of a note the white space at its ends is left away, and its ends of lines, which browsers send as two
    characters, are one.
    """

    def __init__(self, *, rule: Rule, **options: Any) -> None:
        self.rule = rule
        super().__init__(strip=rule is Rule.NOTE, **options)
        self.validators.append(self.keep_to_rule)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """It is typed in the direction that its first letter has. A browser would cut a note that is too long
        without a word: of a note the page counts its characters instead."""
        attributes = super().widget_attrs(widget) | {"dir": "auto"}
        if self.rule is Rule.NOTE:
            attributes.pop("maxlength", None)
        return attributes

    @property
    def counted_to(self) -> int | None:
        """How long the page says that it may be."""
        return self.max_length if self.rule is Rule.NOTE else None

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n") if self.rule is Rule.NOTE else text

    def keep_to_rule(self, text: str) -> None:
        if fault := find_fault(text, self.rule):
            raise forms.ValidationError(explain_refusal(fault)[0], fault.code)


class Ambiguous(ValueError):
    """A number that some read as thousands and others as a fraction."""


def read_number(text: str, *, has_decimal_comma: bool) -> str:
    """A number as people write and paste it, in the form of the API: `1 234,50` and `1,234.50` are `1234.50`.

    What is no number stays as it is. Raises `Ambiguous` for `1,234`, unless the language `has_decimal_comma`.
    """
    found = GROUPED.fullmatch(text)
    if found and found["mark"] != found["between"]:
        between = found["between"]
        whole = found["first"] + found["rest"].replace(between, "")
        if found["mark"]:
            return f"{whole}.{found['fraction']}"
        if between not in ",." or found["rest"].count(between) > 1:
            return whole
        if between == "," and not has_decimal_comma and not text.startswith("0"):
            raise Ambiguous
    return text.replace(",", ".") if PLAIN.fullmatch(text) else text


class AmountField(forms.CharField):
    """A decimal number as the API takes it, or as it is written and pasted (`read_number`), with the field's
    currency behind it or without. None if empty."""

    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})
    currency = ""

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if self.currency:
            text = text.removesuffix(self.currency).strip()
        if not text:
            return None
        has_decimal_comma = (get_language() or "").startswith("ru")
        try:
            text = read_number(text, has_decimal_comma=has_decimal_comma)
        except Ambiguous:
            raise forms.ValidationError(
                _("Is this %(whole)s or %(parts)s? Write it without the comma, or with two decimals.")
                % {"whole": text.replace(",", ""), "parts": text.replace(",", ".")}
            ) from None
        try:
            amount: Decimal = fields.AmountField().to_internal_value(text)
        except ValidationError as error:
            raise forms.ValidationError(REFUSALS[str(fields.list_details(error)[0].code)]) from None
        return amount


def fit(field: Any, currency: str) -> None:
    """Say of an `AmountField` which currency it is of."""
    field.currency = currency
    field.label = _("Amount in %(currency)s") % {"currency": currency}
    decimals = find_decimals(currency)
    if decimals is not None:
        field.help_text = _("At most %(decimals)s decimals.") % {"decimals": decimals}

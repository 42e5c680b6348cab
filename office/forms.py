"""Fields of the forms that staff send, read as strictly as requests are."""

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


class TextField(forms.CharField):
    """A text under a rule of `ledger.text`.

    Only of a note the white space at its ends is left away, and its ends of lines, which browsers send as two
    characters, are one.
    """

    def __init__(self, *, rule: Rule, **options: Any) -> None:
        super().__init__(strip=rule is Rule.NOTE, **options)
        self.rule = rule
        self.validators.append(self.keep_to_rule)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """It is typed in the direction that its first letter has."""
        return super().widget_attrs(widget) | {"dir": "auto"}

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n") if self.rule is Rule.NOTE else text

    def keep_to_rule(self, text: str) -> None:
        if fault := find_fault(text, self.rule):
            raise forms.ValidationError(explain_refusal(fault)[0], fault.code)


class AmountField(forms.CharField):
    """A decimal number as the API takes it; where a comma is usual, with a comma. None if empty."""

    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if not text:
            return None
        if (get_language() or "").startswith("ru") and "." not in text:
            text = text.replace(",", ".", 1)
        try:
            amount: Decimal = fields.AmountField().to_internal_value(text)
        except ValidationError as error:
            raise forms.ValidationError(REFUSALS[str(fields.list_details(error)[0].code)]) from None
        return amount


def fit(field: forms.Field, currency: str) -> None:
    """Say of an `AmountField` which currency it is of."""
    field.label = _("Amount in %(currency)s") % {"currency": currency}
    decimals = find_decimals(currency)
    if decimals is not None:
        field.help_text = _("At most %(decimals)s decimals.") % {"decimals": decimals}

"""What the page of an account asks for."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.currencies import get_decimals
from accounts.models import REFERENCE_LENGTH_MAX, Account
from office.explanations import REFUSALS
from office.forms import IdentityForm
from rest import fields
from transactions.models import Transaction


def read_moment(text: str) -> datetime:
    """A moment, read as the API does, in UTC; a browser leaves seconds out when they are zero.

    Raises DRF's `ValidationError`.
    """
    return fields.parse_time(text + ":00" if len(text) == len("0000-00-00T00:00") and "T" in text else text)


class MomentInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    """The browser's own field for a day and a time; text where that could not show the value."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        widget = context["widget"]
        widget["type"], widget["attrs"]["step"] = "datetime-local", 1
        if value:
            try:
                moment = read_moment(value)
            except ValidationError:
                widget["type"] = "text"
            else:
                widget["type"] = "text" if moment.microsecond else "datetime-local"
                widget["value"] = moment.replace(tzinfo=None).isoformat()
        return context


class MomentField(forms.CharField):
    widget = MomentInput

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        try:
            return read_moment(text) if text else None
        except ValidationError:
            raise forms.ValidationError(_("This is not a moment like 2023-01-04T12:30:00 (UTC).")) from None


class MomentForm(forms.Form):
    """Which balance: effective at a moment, as it was known at another."""

    at = MomentField(label=_("Balance at (UTC)"), required=False)
    known_at = MomentField(label=_("As known at (UTC)"), required=False)


class AmountField(forms.CharField):
    """A decimal number as the API takes it; where a comma is usual, with a comma, too."""

    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value: Any) -> Decimal:
        text = super().clean(value)
        if (get_language() or "").startswith("ru") and "." not in text:
            text = text.replace(",", ".", 1)
        try:
            amount: Decimal = fields.AmountField().to_internal_value(text)
        except ValidationError as error:
            raise forms.ValidationError(REFUSALS[str(fields.list_details(error)[0].code)]) from None
        return amount


class AdjustForm(IdentityForm):
    """A deposit or a withdrawal of staff."""

    field_order = ("type", "amount", "reference", "reason", "identity")
    type = forms.ChoiceField(
        label=_("Type"),
        choices=[("", "---------"), *Transaction.Type.choices],
        widget=UnfoldAdminSelectWidget({"autofocus": True}),
    )
    amount = AmountField(label=_("Amount"))
    reference = forms.CharField(
        label=_("Reference"),
        max_length=REFERENCE_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("What this can be found by: a ticket, an invoice. It shows in statements."),
    )

    def fill(self, subject: Account) -> None:
        self.fields["amount"].label = _("Amount in %(currency)s") % {"currency": subject.currency}
        self.fields["amount"].help_text = _("At most %(decimals)s decimals.") % {
            "decimals": get_decimals(subject.currency)
        }

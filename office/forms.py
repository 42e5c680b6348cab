"""Fields of the forms that staff send, read as strictly as requests are."""

from typing import Any

from django import forms

from ledger.text import Rule, find_fault
from office.explanations import explain_refusal


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
        text: str = super().to_python(value) or ""
        return text.replace("\r\n", "\n") if self.rule is Rule.NOTE else text

    def keep_to_rule(self, text: str) -> None:
        if fault := find_fault(text, self.rule):
            raise forms.ValidationError(explain_refusal(fault)[0], fault.code)

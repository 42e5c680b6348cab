"""Statuses as coloured labels: green is well, blue is open, orange wants somebody, red was refused."""

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()
COLOURS = {
    "ACTIVE": "success",
    "POSTED": "success",
    "CAPTURED": "success",
    "OPEN": "info",
    "FROZEN": "warning",
    "WAITING": "warning",
    "DECLINED": "danger",
    "REJECTED": "danger",
}


@register.filter
def label(status: str, text: str) -> SafeString:
    """`{{ transaction.status|label:transaction.get_status_display }}`"""
    return render_to_string("unfold/helpers/label.html", {"type": COLOURS.get(status, ""), "text": text})

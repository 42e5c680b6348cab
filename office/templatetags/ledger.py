"""How money and moments look on the pages of the back office: in the local form, and exact."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.currencies import get_decimals
from ledger.times import format_time

register = template.Library()
NOTHING = "\N{EN DASH}"


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """`1,234.50 USD`, in Russian `1 234,50 USD`; nothing is a dash."""
    if amount is None:
        return NOTHING
    return f"{number_format(amount, get_decimals(currency), force_grouping=True)}\N{NO-BREAK SPACE}{currency}"


def show_number(amount: Decimal | None, currency: str) -> SafeString:
    """In a column: aligned, so that amounts can be compared."""
    return format_html('<span class="office-number">{}</span>', money(amount, currency))


@register.filter
def moment(instant: datetime | None) -> str | SafeString:
    """In UTC to the second; the exact instant shows when it is pointed at."""
    if instant is None:
        return NOTHING
    return format_html(
        '<time datetime="{0}" title="{0}">{1}</time>',
        format_time(instant),
        date_format(instant, "DATETIME_FORMAT"),
    )

"""What one page of the back office shows of what has a page of its own."""

from decimal import Decimal

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.templatetags.ledger import money


def link(page: str, id: object, text: object) -> SafeString:
    """To the page of something; `page` is the kind, `accounts_user`."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[id]), text)


def show_number(amount: Decimal | None, currency: str) -> SafeString:
    """In a column: aligned, so that amounts can be compared."""
    return format_html('<span class="office-number">{}</span>', money(amount, currency))

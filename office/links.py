"""From one page of the back office to another."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def link(page: str, id: object, text: object) -> SafeString:
    """To the page of something; `page` is the kind, `accounts_user`."""
    address = reverse(f"admin:{page}_change", args=[id])
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)

"""How things look on the pages of the back office: money and moments in the local form, and exact; statuses;
links from one page to another; columns of lists."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django import template
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field, lookup_field
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.currencies import find_decimals, write_exactly
from accounts.models import Account
from ledger.values import format_time

register = template.Library()
NOTHING = "\N{EN DASH}"
# What the colour of a label means, on every page: green is well, blue is under way, orange wants care or a
# second look, red was refused or fails, grey is over or a remark. By status, kind of access, and mark.
COLOURS = {
    **dict.fromkeys(("ACTIVE", "POSTED", "CAPTURED", "COLLECTED", "DONE", "SENT"), "success"),
    **dict.fromkeys(("OPEN", "EXPORT"), "info"),
    **dict.fromkeys(
        ("FROZEN", "WAITING", "PAUSED", "BEHIND", "LATE", "REVERSED", "OWED", "OVERDUE", "CHANGE"), "warning"
    ),
    **dict.fromkeys(("DECLINED", "REJECTED", "FAILING", "DISABLED"), "danger"),
    **dict.fromkeys(
        (
            "CLOSED",
            "RELEASED",
            "EXPIRED",
            "WAIVED",
            "NOT_ASKED",
            "EARLIER",
            "VIEW",
            "SEARCH",
            "LOGIN",
            "REVERSAL",
            "CORRECTION",
            "TRANSFER",
            "HOLD",
        ),
        "",
    ),
}
LONG = 30  # characters: a list may cut what is longer, and shows it when it is pointed at


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """`1,234.50 USD`, in Russian `1 234,50 USD`; nothing is a dash."""
    if amount is None:
        return NOTHING
    decimals = find_decimals(currency)
    exact = amount if decimals is not None else Decimal(write_exactly(amount))  # of a currency nobody knows
    return f"{number_format(exact, decimals, force_grouping=True)}\N{NO-BREAK SPACE}{currency}"


@register.filter
def available_now(account: Account) -> Decimal:
    """What can be spent: of a frozen account nothing, whatever it has."""
    return account.available if account.status == Account.Status.ACTIVE else Decimal(0)


def show_number(amount: Decimal | None, currency: str) -> SafeString:
    """Money in a column: aligned, so that amounts can be compared."""
    return format_html('<span class="office-number">{}</span>', money(amount, currency))


@register.filter
def moment(instant: datetime | None) -> str | SafeString:
    """In the reader's zone to the second; the exact instant, in UTC, shows when it is pointed at."""
    if instant is None:
        return NOTHING
    return format_html(
        '<time datetime="{0}" title="{0}">{1}</time>',
        format_time(instant),
        date_format(shift(instant), "DATETIME_FORMAT"),
    )


def shift(instant: datetime) -> datetime:
    """The moment in the reader's zone; the ends of the calendar, which not every zone has, as they are."""
    try:
        return localtime(instant)
    except OverflowError:
        return instant


@register.filter
def label(status: str, text: str) -> SafeString:
    """A coloured label: `{{ transaction.status|label:transaction.get_status_display }}`"""
    return render_to_string("unfold/helpers/label.html", {"type": colour(status), "text": text})


@register.filter
def colour(status: str) -> str:
    """That of a label, of `COLOURS`."""
    return COLOURS[status]


@register.filter
def bdi(text: object) -> str | SafeString:
    """What somebody has named or written, set apart: whichever way it is read, nothing beside it moves."""
    if text is None or text == "":
        return ""
    if len(shown := str(text)) > LONG:
        return format_html('<bdi title="{0}">{0}</bdi>', shown)
    return format_html("<bdi>{}</bdi>", shown)


def link(page: str, id: object, text: object) -> SafeString:
    """A link to the page of something; `page` is the kind, like `accounts_user`."""
    return format_html(
        '<a class="text-link" href="{}">{}</a>', reverse(f"admin:{page}_change", args=[id]), bdi(text)
    )


def name_movement(what: Any, amount: str, account: Account, at: datetime) -> str:
    """What moves or holds money, as people speak of it: what it is, how much, whose, and when."""
    when = date_format(shift(at), "SHORT_DATETIME_FORMAT")
    return f" {NOTHING} ".join((f"{capfirst(what)} {amount}", isolate(account.user), when))


def isolate(name: object) -> str:
    """Somebody's name within a plain text: whichever way it is read, nothing beside it moves."""
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


def list_groups(user: Any) -> str:
    """The names of the groups that the user is in."""
    return ", ".join(sorted(group.name for group in user.groups.all()))


def list_fields(page: Any, obj: Any) -> list[tuple[str, Any]]:
    """The label and the value of each of the page's `readonly_fields`, to be shown."""
    empty = page.get_empty_value_display()
    found: list[tuple[str, Any]] = []
    for name in page.readonly_fields:
        field, _attribute, value = lookup_field(name, obj, page)
        if isinstance(value, bool):
            value = gettext("yes") if value else gettext("no")
        elif field is None:
            value = display_for_value(value, empty)
        else:
            value = display_for_field(value, field, empty)
        found.append((str(label_for_field(name, page.model, page)), value))
    return found


def column(
    description: Any, show: Callable[[Any], Any], *, kind: str = "", **options: Any
) -> Callable[[Any], Any]:
    """A column of a list, or a field of a page: what `show` makes of a row. `options` are for `display`.

    Cells of a `kind` have it as a class, `field-kind`, and their heading has `column-kind`.
    """

    # `display` writes on the function that it is given: it is one of this column alone.
    def read(row: Any) -> Any:
        return show(row)

    read.__name__ = kind or "<lambda>"  # which Django makes the class of
    return display(read, description=description, **options)  # type: ignore[no-any-return]


def number_column(description: Any, read: Callable[[Any], Decimal | None]) -> Callable[[Any], Any]:
    """A column of amounts, in the currency of the row or of its account."""

    def show(row: Any) -> SafeString:
        return show_number(read(row), row.currency if hasattr(row, "currency") else row.account.currency)

    return column(description, show, kind="number")


def text_column(description: Any, name: str) -> Callable[[Any], Any]:
    """A column of what somebody has named or written: this attribute of a row, as a text."""
    read = attrgetter(name)
    return column(description, lambda row: bdi(str(read(row) or "")) or None, kind="text")


STATUS = column(_("status"), lambda row: label(row.status, row.get_status_display()))
# Of what moves or holds the money of an account: whose it is, and which.
ACCOUNT_USER = column(
    _("user"), lambda row: link("accounts_user", row.account.user_id, row.account.user), kind="person"
)
ACCOUNT = column(
    _("account"), lambda row: link("accounts_account", row.account_id, row.account.name), kind="text"
)

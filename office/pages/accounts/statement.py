"""The statement of a period: a page that prints, all of it as CSV, and a PDF for the customer."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core import signing
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Account
from ledger.values import format_time
from office.lists import BOM
from office.moments import DayField
from office.pages.settings import TimeZoneField
from rest.times import find_time_zones
from transactions.exchange import exports
from transactions.reading import relations, statements
from transactions.reading.history import Line
from transactions.reading.statements import Position, Statement

PAGE_SIZE = 100
PDF_LINES_MAX = 5000  # some four seconds of one processor
SHOWN = "period"  # the name of the section
FORMATS = ("csv", "pdf")
Asked = dict[str, Any]  # what a valid form has: `first_day`, `last_day`, `zone`


class PeriodForm(forms.Form):
    """Whole days in a zone, both inclusive; at first this month, in the zone of who asks."""

    first_day = DayField(label=_("From"))
    last_day = DayField(label=_("To (inclusive)"))
    zone = TimeZoneField(label=_("Time zone"))

    def __init__(self, asked: Any, account: Account) -> None:
        self.clock: datetime = account.clock  # type: ignore[attr-defined]
        found = {name: asked.get(name, "") for name in self.base_fields}
        found["zone"] = found["zone"] or get_current_timezone_name()
        # Of the proposals. When there is no such zone, the form says it.
        self.own_zone = ZoneInfo(found["zone"]) if found["zone"] in find_time_zones() else UTC
        if not found["first_day"] and not found["last_day"]:
            days = find_month(self.clock, self.own_zone)
            found |= {"first_day": days[0].isoformat(), "last_day": days[1].isoformat()}
        super().__init__(found)

    def clean_zone(self) -> ZoneInfo:
        return ZoneInfo(self.cleaned_data["zone"])

    def clean(self) -> None:
        first_day, last_day = (self.cleaned_data.get(name) for name in ("first_day", "last_day"))
        if first_day and last_day and first_day > last_day:
            self.add_error("last_day", _("The last day is before the first."))


def find_month(clock: datetime, zone: tzinfo, *, back: int = 0) -> tuple[date, date]:
    """The first and the last day of the month that it is there, or of the one so many before it."""
    first = clock.astimezone(zone).date().replace(day=1)
    for _number in range(back):
        first = (first - timedelta(days=1)).replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def describe(request: HttpRequest, account: Account) -> dict[str, Any]:
    form = PeriodForm(request.GET, account)
    is_valid = form.is_valid()
    link = _make_link(form.cleaned_data) if is_valid else ""
    shown: dict[str, Any] = {"form": form, "months": _list_months(form, link)}
    if not is_valid:
        return {**shown, "is_refused": True}
    asked = form.cleaned_data
    after, known_at = _read_position(request, account, asked)
    statement = _read_statement(account, asked, known_at)
    lines, following = statement.read_page(after, PAGE_SIZE)
    fill_in(lines)
    return {
        **shown,
        **asked,
        "statement": statement,
        "lines": lines,
        "carried": after.balance if after else None,
        "closing": statement.read_closing(),
        "is_last": following is None,
        "first": link if after else "",
        "next": _write_position(link, account, asked, statement, following) if following else "",
        "csv": f"{link}&format=csv",
        "pdf": f"{link}&format=pdf",
    }


def _list_months(form: PeriodForm, link: str) -> list[dict[str, Any]]:
    """Links to months in the zone that is asked for; `link` is that of the period that is shown."""
    months = []
    for title, back in ((_("This month"), 0), (_("Last month"), 1)):
        first_day, last_day = find_month(form.clock, form.own_zone, back=back)
        own = _make_link({"first_day": first_day, "last_day": last_day, "zone": form.own_zone})
        months.append({"title": title, "link": own, "active": own == link})
    return months


def _make_link(asked: Asked) -> str:
    return "?" + urlencode({"show": SHOWN, **asked})


def _read_statement(account: Account, asked: Asked, known_at: datetime | None = None) -> Statement:
    return statements.read_statement(Account.objects.filter(id=account.id), **asked, known_at=known_at)


def fill_in(lines: Sequence[Line]) -> None:
    rows = [line.row for line in lines]
    relations.fill_in_taken_back(rows)
    relations.fill_in_others(rows)
    relations.fill_in_corrections(rows)


# The following pages are of what was known when the first one was read: together they are the statement.


def _salt(account: Account, asked: Asked) -> str:
    return ":".join(["account-period", str(account.id), *map(str, asked.values())])


def _write_position(
    link: str, account: Account, asked: Asked, statement: Statement, position: Position
) -> str:
    moments = (format_time(each) for each in (statement.opening.known_at, position.moment))
    place = signing.dumps([*moments, position.seq, str(position.balance)], salt=_salt(account, asked))
    return f"{link}&{urlencode({'after': place})}"


def _read_position(
    request: HttpRequest, account: Account, asked: Asked
) -> tuple[Position | None, datetime | None]:
    """Behind which line the page begins, and what was known; None and None: with the first line of now."""
    text = request.GET.get("after")
    if not text:
        return None, None
    try:
        known_at, moment, seq, balance = signing.loads(text, salt=_salt(account, asked))
    except signing.BadSignature:
        messages.warning(request, _("This link to further lines is not right. Here are the first ones."))
        return None, None
    return Position(datetime.fromisoformat(moment), seq, Decimal(balance)), datetime.fromisoformat(known_at)


def export(request: HttpRequest, account: Account, record: Callable[[str], None]) -> HttpResponseBase:
    """All of it, which `record` notes, as CSV or PDF; or back to the page, which says why not."""
    format = request.GET["format"]
    asked_again = request.GET.copy()
    del asked_again["format"]
    back = HttpResponseRedirect(f"{request.path}?{asked_again.urlencode()}")
    form = PeriodForm(request.GET, account)
    if not form.is_valid():
        return back
    asked = form.cleaned_data
    try:
        statement = _read_statement(account, asked)
        answer = _write_pdf(account, statement) if format == "pdf" else _write_csv(statement)
    except OperationalError:
        return back
    if answer is None:
        messages.warning(
            request,
            ngettext(
                "A PDF has at most %(count)s line. Choose a shorter period, or take the CSV.",
                "A PDF has at most %(count)s lines. Choose a shorter period, or take the CSV.",
                PDF_LINES_MAX,
            )
            % {"count": PDF_LINES_MAX},
        )
        return back
    name = f"statement-{account.id}-{statement.first_day}-{statement.last_day}.{format}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    record(f"statement {statement.first_day} to {statement.last_day}, {statement.zone}, {format}")
    return answer


def _write_csv(statement: Statement) -> HttpResponseBase:
    lines = chain([BOM], exports.write_statement(statement))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")


def _write_pdf(account: Account, statement: Statement) -> HttpResponseBase | None:
    """None, if there are more lines than a PDF may have."""
    lines, following = statement.read_page(None, PDF_LINES_MAX)
    if following:
        return None
    fill_in(lines)
    # Of 28 MB, which no process has to have before somebody wants a PDF of it.
    from office.pages.accounts import statement_pdf

    content = statement_pdf.write(account, statement, lines, closing=statement.read_closing())
    return HttpResponse(content, content_type="application/pdf")

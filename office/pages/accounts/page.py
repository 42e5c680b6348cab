"""What the page of an account shows: one section at a time, each reached by a link of its own."""

import csv
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core import signing
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from accounts.currencies import format_amount
from accounts.models import Account, Hold
from events import tracing
from events.models import Event
from ledger.spreadsheets import escape_formula
from ledger.times import format_time
from office import explanations
from office.pages.accounts import chart
from office.pages.accounts.forms import MomentForm, read_moment
from transactions import reading
from transactions.reading import history, timeline
from transactions.reading.history import Page, Place
from transactions.reading.statements import LINE

OPEN_HOLDS_MAX = 50
CLOSED_HOLDS_MAX = 20
EVENTS_MAX = 20
Context = dict[str, Any]


def describe(request: HttpRequest, account: Account) -> Context:
    """The section that is asked for; the first one that its reader may see, if none or an unknown one is."""
    may_see = {name: section for name, section in SECTIONS.items() if request.user.has_perm(section[1])}
    shown = request.GET.get("show", "")
    shown = shown if shown in may_see else next(iter(may_see), "")
    tabs = [
        {"title": title, "link": _make_link(show=name), "active": name == shown}
        for name, (title, _right, _read) in may_see.items()
    ]
    try:
        found = may_see[shown][2](request, account) if shown else {}
    except OperationalError:
        messages.error(request, gettext("Others are working on this account. Ask again."))
        found = {"form": _read_form(request), "is_refused": True}
    return {
        "account": account,
        "currency": account.currency,
        "tabs": tabs,
        "shown": shown,
        **found,
    }


def _make_link(**parameters: Any) -> str:
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


def _make_moment_link(recorded_at: datetime) -> str:
    """What the ledger saw at that moment."""
    moment = format_time(recorded_at)
    return _make_link(at=moment, known_at=moment)


# The statement, with the time machine


def _describe_statement(request: HttpRequest, account: Account) -> Context:
    form = _read_form(request)
    if form.errors:
        return {"form": form, "is_refused": True}
    asked = {name: request.GET.get(name, "") for name in ("at", "known_at")}
    is_past = any(form.cleaned_data.values())
    place = _read_place(request, account)
    found: Context = {"form": form, "is_past": is_past, "is_first": place is None}
    if place is None:
        comparison = None
        if is_past:
            comparison = timeline.compare(_only(account), **form.cleaned_data)
        place = history.begin_at(comparison.then) if comparison else history.begin_now(account)
        found |= {"comparison": comparison, **_describe_chart(request, account, comparison, asked)}
    page = history.read_lines(account.id, place)
    older = {"after": _write_place(account, form, page.next)} if page.next else {}
    return {
        **found,
        "page": page,
        "older": _make_link(**asked, **older) if older else "",
        "newest": _make_link(**asked),
        "export": _make_link(**asked, after=request.GET.get("after", ""), format="csv"),
    }


def _read_form(request: HttpRequest) -> MomentForm:
    form = MomentForm(request.GET)
    form.is_valid()
    return form


def _only(account: Account) -> Any:
    return Account.objects.filter(id=account.id)


def _describe_chart(
    request: HttpRequest,
    account: Account,
    comparison: timeline.Comparison | None,
    asked: dict[str, str],
) -> Context:
    clock: datetime = account.clock  # type: ignore[attr-defined]
    moment = comparison.then.at if comparison else None
    name = chart.choose_range(request.GET.get("range", ""), moment, clock)
    drawn = chart.describe(
        account,
        name=name,
        clock=clock,
        known_at=comparison.then.known_at if comparison else clock,
        moment=moment,
    )
    ranges = [
        {"title": title, "link": _make_link(**asked, range=each), "active": each == name}
        for each, (title, _length) in chart.RANGES.items()
    ]
    return {"chart": drawn, "ranges": ranges, "range": name}


def _salt(account: Account, form: MomentForm) -> str:
    """A place is of one account and one moment: in a link to another it is not right."""
    moments = (form.cleaned_data[name] for name in ("at", "known_at"))
    return ":".join(
        ["account-lines", str(account.id), *(format_time(each) if each else "" for each in moments)]
    )


def _write_place(account: Account, form: MomentForm, place: Place) -> str:
    values = [format_time(place.moment), place.version, str(place.balance), place.known_version]
    return signing.dumps(values, salt=_salt(account, form))


def _read_place(request: HttpRequest, account: Account) -> Place | None:
    """Where the page begins; None: with the newest line, also after telling that the link is not right."""
    text = request.GET.get("after")
    if not text:
        return None
    try:
        values = signing.loads(text, salt=_salt(account, _read_form(request)))
    except signing.BadSignature:
        messages.warning(request, gettext("This link to older lines is not right. Here are the newest ones."))
        return None
    moment, version, balance, known_version = values
    return Place(datetime.fromisoformat(moment), version, Decimal(balance), known_version)


def read_page(request: HttpRequest, account: Account) -> Page | None:
    """The lines that the page shows; None when they cannot be read as asked: the page says why."""
    form = _read_form(request)
    if form.errors:
        return None
    place = _read_place(request, account)
    if place is None and request.GET.get("after"):
        return None
    try:
        if place is None and any(form.cleaned_data.values()):
            place = history.begin_at(reading.read_balance(_only(account), **form.cleaned_data))
        return history.read_lines(account.id, place or history.begin_now(account))
    except OperationalError:
        return None


def write_csv(account: Account, page: Page) -> HttpResponse:
    """The lines of a page, in the form of the statements that the API gives."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="account-{account.id}.csv"'
    response["Cache-Control"] = "no-store"
    writer = csv.DictWriter(response, LINE)
    writer.writeheader()
    for line in page.lines:
        writer.writerow(
            {
                "transaction": line.row.id,
                "type": line.row.type,
                "amount": format_amount(line.row.amount, account.currency),
                "balance": format_amount(line.balance, account.currency),
                "effective_at": format_time(line.row.effective_at),
                "recorded_at": format_time(line.row.recorded_at),
                "reference": escape_formula(line.row.reference),
            }
        )
    return response


# The other sections


def _describe_declines(request: HttpRequest, account: Account) -> Context:
    before = None
    if text := request.GET.get("before", ""):
        try:
            before = read_moment(text)
        except ValidationError:
            messages.warning(
                request, gettext("This link to older attempts is not right. Here are the newest ones.")
            )
    rows, has_more = history.read_declines(account.id, before)
    older = _make_link(show="declines", before=format_time(rows[-1].recorded_at)) if has_more else ""
    return {
        "declines": [
            (row, explanations.describe_decline(row, account.currency), _make_moment_link(row.recorded_at))
            for row in rows
        ],
        "older": older,
        "newest": _make_link(show="declines") if before else "",
    }


def _describe_holds(request: HttpRequest, account: Account) -> Context:
    holds = Hold.objects.with_clock().filter(account_id=account.id)
    is_open = {"status": Hold.Status.OPEN}
    open_holds = list(holds.filter(**is_open).order_by("expires_at", "id")[: OPEN_HOLDS_MAX + 1])
    return {
        "open_holds": open_holds[:OPEN_HOLDS_MAX],
        "has_more_open_holds": len(open_holds) > OPEN_HOLDS_MAX,
        "closed_holds": list(holds.exclude(**is_open).order_by("-created_at")[:CLOSED_HOLDS_MAX]),
    }


def _describe_events(request: HttpRequest, account: Account) -> Context:
    events = Event.objects.filter(account_id=account.id).defer("data").order_by("-account_sequence")
    traced = tracing.trace(list(events[:EVENTS_MAX]))
    return {
        "traced": traced,
        "may_see_deliveries": request.user.has_perm("events.view_subscription"),
    }


Read = Callable[[HttpRequest, Account], Context]
SECTIONS: dict[str, tuple[Promise, str, Read]] = {
    "statement": (_("Balance and statement"), "transactions.view_transaction", _describe_statement),
    "declines": (_("Declined attempts"), "transactions.view_transaction", _describe_declines),
    "holds": (_("Holds"), "accounts.view_hold", _describe_holds),
    "events": (_("Events"), "events.view_event", _describe_events),
}

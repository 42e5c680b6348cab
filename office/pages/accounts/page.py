"""What the page of an account shows: one section at a time, each reached by a link of its own."""

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
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from accounts.currencies import format_amount
from accounts.models import Account, Hold
from events import deliveries
from events.models import Event
from ledger.values import escape_formula, format_time
from office import explanations, lists
from office.moments import MomentForm
from office.pages.accounts import chart, claims, statement, thresholds
from office.pages.people import history as changes
from office.pages.people import notes
from rest import times
from transactions import corrections, reading
from transactions.reading import history, relations
from transactions.reading.statements import LINE

OPEN_HOLDS_MAX = 50
CLOSED_HOLDS_MAX = 20
EVENTS_MAX = 20
Context = dict[str, Any]


def describe(request: HttpRequest, account: Account) -> Context:
    """The section that is asked for; the first one that its reader may see, if none or an unknown one is."""
    may_see = {name: section for name, section in SECTIONS.items() if request.user.has_perm(section[1])}
    more = {section.name: section for section in MORE if section.is_for(request, account)}
    asked = request.GET.get("show", "")
    shown = asked if asked in (*may_see, *more) else next(iter(may_see), "")
    try:
        if shown in more:
            found = {"section": more[shown], **more[shown].describe(request, account)}
        else:
            found = may_see[shown][2](request, account) if shown else {}
    except OperationalError:
        messages.error(request, _("Others are working on this account. Ask again."))
        form = (
            statement.PeriodForm(request.GET, account)
            if shown == statement.SHOWN
            else MomentForm(request.GET)
        )
        found = {"form": form, "is_refused": True}
    return {
        "account": account,
        "currency": account.currency,
        "tabs": [
            {"title": title, "link": _make_link(show=name), "active": name == shown}
            for name, (title, _permission, _read) in may_see.items()
        ]
        + [section.make_tab(request, account, is_active=section.name == shown) for section in more.values()],
        "shown": shown,
        "status_change": changes.find_status_change(account),
        "waiting": corrections.find_waiting(account.id)
        if request.user.has_perm("transactions.view_correction")
        else (),
        **found,
    }


def _make_link(**parameters: Any) -> str:
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


# The statement, with the time machine


def _describe_statement(request: HttpRequest, account: Account) -> Context:
    form = MomentForm(request.GET)
    if form.errors:
        return {"form": form, "is_refused": True}
    asked = {name: form.data[name] for name in form.fields}
    is_past = any(form.moments.values())
    place = _read_place(request, account, form)
    found: Context = {"form": form, "is_past": is_past, "is_first": place is None}
    if place is None:
        only = Account.objects.filter(id=account.id)
        comparison = history.compare(only, **form.moments) if is_past else None
        place = history.begin_at(comparison.then) if comparison else history.begin_now(account)
        found |= {"comparison": comparison, **_describe_chart(request, account, comparison, asked)}
    page = history.read_lines(account.id, place)
    rows = [line.row for line in page.lines]
    relations.fill_in_others(rows)
    relations.fill_in_corrections(rows)
    older = {"after": _write_place(account, form, page.next)} if page.next else {}
    return {
        **found,
        "page": page,
        "older": _make_link(**asked, **older) if older else "",
        "newest": _make_link(**asked),
        "export": _make_link(**asked, after=request.GET.get("after", ""), format="csv"),
    }


def _describe_chart(
    request: HttpRequest,
    account: Account,
    comparison: history.Comparison | None,
    asked: dict[str, str],
) -> Context:
    clock: datetime = account.clock  # type: ignore[attr-defined]
    moment = comparison.then.at if comparison else None
    name = chart.choose_range(request.GET.get("range", ""), moment, clock)
    return {
        "chart": chart.describe(account, name=name, clock=clock, comparison=comparison),
        "ranges": [
            {"title": title, "link": _make_link(**asked, range=each), "active": each == name}
            for each, (title, _length) in chart.RANGES.items()
        ],
        "range": name,
    }


def _salt(account: Account, form: MomentForm) -> str:
    """A place is of one account and one moment: in a link to another it is not right."""
    moments = (format_time(each) if each else "" for each in form.moments.values())
    return ":".join(["account-lines", str(account.id), *moments])


def _write_place(account: Account, form: MomentForm, place: history.Place) -> str:
    return signing.dumps(
        [format_time(place.moment), place.seq, str(place.balance), place.known_seq],
        salt=_salt(account, form),
    )


def _read_place(request: HttpRequest, account: Account, form: MomentForm) -> history.Place | None:
    """Where the page begins; None: with the newest line, also after a message that the link is not right."""
    text = request.GET.get("after")
    if not text:
        return None
    try:
        moment, seq, balance, known_seq = signing.loads(text, salt=_salt(account, form))
    except signing.BadSignature:
        messages.warning(request, _("This link to older lines is not right. Here are the newest ones."))
        return None
    return history.Place(datetime.fromisoformat(moment), seq, Decimal(balance), known_seq)


def read_page(request: HttpRequest, account: Account) -> history.Page | None:
    """The lines that the page shows; None when they cannot be read as asked: the page says why."""
    form = MomentForm(request.GET)
    if form.errors:
        return None
    place = _read_place(request, account, form)
    if place is None and request.GET.get("after"):
        return None
    try:
        if place is None and any(form.moments.values()):
            only = Account.objects.filter(id=account.id)
            place = history.begin_at(reading.read_balance(only, **form.moments))
        return history.read_lines(account.id, place or history.begin_now(account))
    except OperationalError:
        return None


def write_csv(account: Account, page: history.Page) -> HttpResponse:
    """The lines of a page, in the form of the statements that the API gives."""
    lines = (
        {
            "transaction": line.row.id,
            "type": line.row.type,
            "amount": format_amount(line.row.amount, account.currency),
            "balance": format_amount(line.balance, account.currency),
            "effective_at": format_time(line.row.effective_at),
            "recorded_at": format_time(line.row.recorded_at),
            "reference": escape_formula(line.row.reference),
        }
        for line in page.lines
    )
    response = lists.write_csv(f"account-{account.id}", LINE, lines)
    response["Cache-Control"] = "no-store"
    return response


# The other sections


def _describe_declines(request: HttpRequest, account: Account) -> Context:
    before = None
    if text := request.GET.get("before", ""):
        try:
            before = times.parse_time(text)
        except ValidationError:
            messages.warning(
                request, _("This link to older attempts is not right. Here are the newest ones.")
            )
    rows, has_more = history.read_declines(account.id, before)
    return {
        "declines": [
            (
                row,
                explanations.describe_decline(row, account.currency),
                # What the ledger saw at that moment.
                _make_link(**dict.fromkeys(MomentForm.MOMENTS, format_time(row.recorded_at))),
            )
            for row in rows
        ],
        "older": _make_link(show="declines", before=format_time(rows[-1].recorded_at)) if has_more else "",
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
    events = Event.objects.filter(stream=account.id).defer("data", "before").order_by("-stream", "-sequence")
    return {
        "traced": deliveries.trace(list(events[:EVENTS_MAX])),
        "may_see_deliveries": request.user.has_perm("events.view_subscription"),
    }


# Of each: its title, the permission to see it, and what its template shows.
SECTIONS: dict[str, tuple[Promise, str, Callable[[HttpRequest, Account], Context]]] = {
    "statement": (_("Balance and statement"), "transactions.view_transaction", _describe_statement),
    statement.SHOWN: (_("Statement of a period"), "transactions.view_transaction", statement.describe),
    "declines": (_("Declined attempts"), "transactions.view_transaction", _describe_declines),
    "holds": (_("Holds"), "accounts.view_hold", _describe_holds),
    "claims": (_("Claims"), "accounts.view_claim", claims.describe),
    "events": (_("Events"), "events.view_event", _describe_events),
    "thresholds": (_("Thresholds"), "accounts.view_account", thresholds.describe),
}
MORE = (changes.make(changes.describe_account), notes.SECTION)

"""The first page of the back office: how the ledger is, for everybody as far as they may see it."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from ledger.values import format_time
from office import access
from office.access import Action
from office.pages import overview
from office.site import OfficeSite
from transactions.errors import DECLINES
from transactions.models import Figures, HourlyTotal, Transaction
from transactions.reading import statistics

# Of each: its title, what is counted together, for how long, how many of them, and how they are written.
RANGES = {
    "24h": (_("24 hours"), "hour", timedelta(hours=1), 24, "H:i"),
    "30d": (_("30 days"), "day", timedelta(days=1), 30, "j M"),
}
BEHIND = timedelta(minutes=1)  # statistics and places in the feed are a few seconds old when all is well
GREY = "#9ca3af"  # of unfold's own charts: readable on light and on dark
SERIES = {
    "deposits": (_("Deposits"), "#14b8a6"),
    "withdrawals": (_("Withdrawals"), "#6366f1"),
    "declines": (_("Declines"), "#f97316"),
}
# What the list of transactions is narrowed to for each of them.
FILTERS = {
    "deposits": {"status": "POSTED", "type": "DEPOSIT"},
    "withdrawals": {"status": "POSTED", "type": "WITHDRAW"},
    "declines": {"status": "DECLINED"},
}
Link = Callable[..., str]
CHART = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "datasets": {"bar": {"borderRadius": 3, "maxBarThickness": 28}},
    "plugins": {
        "legend": {
            "position": "top",
            "align": "end",
            "labels": {
                "boxHeight": 6,
                "boxWidth": 6,
                "usePointStyle": True,
                "pointStyle": "circle",
                "color": GREY,
            },
        }
    },
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": GREY, "maxRotation": 0}},
        "y": {"stacked": True, "beginAtZero": True, "ticks": {"color": GREY, "precision": 0}},
    },
}


def describe(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the template shows: a part for every permission that somebody has. What operators look after has a
    page of its own; here is only what raises the alarm.
    """
    access.record(request, Action.VIEW, "dashboard")
    asked = request.GET.get("range", "")
    span = asked if asked in RANGES else "24h"
    counted = Figures.objects.first()
    parts: dict[str, tuple[str, Callable[[], Any]]] = {
        "movements": ("transactions.view_transaction", lambda: describe_movements(span, counted)),
        "frozen": ("accounts.view_account", overview.find_frozen_accounts),
        "ending": ("accounts.view_hold", overview.find_holds_to_end),
        "claims": ("accounts.view_claim", lambda: True),
        "corrections": ("transactions.view_correction", lambda: True),
        "delivery": ("events.view_subscription", overview.read_delivery),
        "proof": ("transactions.view_auditrun", overview.find_proof),
    }
    return {
        **context,
        **read_parts(request, parts),
        "ranges": [
            {"title": title, "link": f"?range={name}", "active": name == span}
            for name, (title, *_of) in RANGES.items()
        ],
    }


def operations(request: HttpRequest) -> HttpResponse:
    """What operators look after: proof, the feed, who gets no events, and where the money is."""
    parts: dict[str, tuple[str, Callable[[], Any]]] = {
        "proof": ("transactions.view_auditrun", overview.find_proof),
        "delivery": ("events.view_subscription", overview.read_delivery),
        "biggest": ("accounts.view_account", lambda: describe_biggest(Figures.objects.first())),
    }
    if not any(request.user.has_perm(permission) for permission, _read in parts.values()):
        raise PermissionDenied
    access.record(request, Action.VIEW, "operations")
    context = {**admin.site.each_context(request), "title": _("Operations"), **read_parts(request, parts)}
    return TemplateResponse(request, "admin/operations.html", context)


def read_parts(request: HttpRequest, parts: dict[str, tuple[str, Callable[[], Any]]]) -> dict[str, Any]:
    """Those of the parts that this person may see, and what is counted for them."""
    shown = {name: read() for name, (permission, read) in parts.items() if request.user.has_perm(permission)}
    counts = overview.count() if shown else None
    return {
        "parts": shown,
        "counts": counts,
        "feed_alarm": counts is not None and "delivery" in shown and is_stuck(shown["delivery"], counts),
    }


def is_stuck(delivery: dict[str, Any], counts: dict[str, Any]) -> bool:
    """The feed is stopped, or nobody gives places in it: no relay runs, and nobody reads it."""
    since = counts["pending_since"]
    return delivery["last_position"] is None or (since is not None and since < timezone.now() - BEHIND)


def describe_movements(span: str, counted: Figures | None) -> dict[str, Any]:
    """What was recorded in the hours or days up to now, as far as it was counted."""
    _title, each, step, places, form = RANGES[span]
    now = timezone.now()
    last = now.replace(hour=now.hour if each == "hour" else 0, minute=0, second=0, microsecond=0)
    moments = [last - step * back for back in reversed(range(places))]
    totals = statistics.read_totals(since=moments[0], each=each)
    posted = [total for total in totals if total.is_posted]
    series = {
        "deposits": [total for total in posted if total.type == Transaction.Type.DEPOSIT],
        "withdrawals": [total for total in posted if total.type == Transaction.Type.WITHDRAW],
        "declines": [total for total in totals if not total.is_posted],
    }
    sums = {name: sum(total.count for total in found) for name, found in series.items()}
    through = counted.counted_through if counted else None
    link = partial(make_link, moments[0], through) if through else None
    return {
        **sums,
        "links": link and {name: link(**of) for name, of in FILTERS.items()},
        "declined_percent": round(100 * sums["declines"] / (sum(sums.values()) or 1), 1),
        "chart": _draw(moments, form, series),
        "chart_options": json.dumps(CHART),
        "is_by_hour": each == "hour",
        "amounts": _add_up(posted, link),
        "declines_by_reason": _count_reasons(series["declines"], link),
        "counted_through": through,
        "is_behind": through is not None and through < now - BEHIND,
    }


def make_link(since: datetime, until: datetime, **filters: str) -> str:
    """To the list of exactly those transactions that were counted."""
    period = {"since": format_time(since), "until": format_time(until)}
    return f"{reverse('admin:transactions_transaction_changelist')}?{urlencode({**period, **filters})}"


def _draw(moments: list[datetime], form: str, series: dict[str, list[HourlyTotal]]) -> str:
    """What Chart.js draws: a bar for each moment, labelled in that form, of each of the `SERIES`."""
    datasets = []
    for name, (title, color) in SERIES.items():
        counts: Counter[datetime] = Counter()
        for total in series[name]:
            counts[total.hour] += total.count
        datasets.append(
            {"label": str(title), "data": [counts[at] for at in moments], "backgroundColor": color}
        )
    return json.dumps({"labels": [date_format(moment, form) for moment in moments], "datasets": datasets})


def _add_up(posted: Iterable[HourlyTotal], link: Link | None) -> list[dict[str, Any]]:
    """By currency: what was deposited, what was withdrawn, and the difference."""
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(Transaction.Type, Decimal(0)))
    for total in posted:
        amounts[total.currency][total.type] += total.amount
    return [
        {
            "currency": currency,
            "deposited": of["DEPOSIT"],
            "withdrawn": of["WITHDRAW"],
            "net": of["DEPOSIT"] - of["WITHDRAW"],
            "links": link
            and {name: link(currency=currency, **FILTERS[name]) for name in ("deposits", "withdrawals")},
        }
        for currency, of in sorted(amounts.items())
    ]


def _count_reasons(declined: Iterable[HourlyTotal], link: Link | None) -> list[dict[str, Any]]:
    """In words, the most frequent first, each with its share of the most frequent one in percent."""
    counts: Counter[str] = Counter()
    for total in declined:
        counts[total.outcome] += total.count
    most = max(counts.values(), default=1)
    return [
        {
            "reason": _(DECLINES.get(reason, reason)),
            "number": number_format(count, force_grouping=True),
            "share": max(1, 100 * count // most),
            "link": link and link(status=Transaction.Status.DECLINED.value, decline_reason=reason),
        }
        for reason, count in counts.most_common()
    ]


def describe_biggest(counted: Figures | None) -> dict[str, Any]:
    return {
        "accounts": statistics.read_biggest(counted),
        "looked_for_at": counted and counted.biggest_at,
        "read_at": timezone.now(),
    }


OfficeSite.pages.append(("operations/", operations, "operations"))

"""The first page of the back office: how the ledger is, for everybody as far as they may see it."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext_lazy as _

from office import access
from office.access import Action
from office.pages import overview
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
    """What the template shows: a part for every permission that somebody has."""
    access.record(request, Action.VIEW, "dashboard")
    asked = request.GET.get("range", "")
    span = asked if asked in RANGES else "24h"
    counted = Figures.objects.first()
    parts: dict[str, tuple[str, Callable[[], Any]]] = {
        "movements": ("transactions.view_transaction", lambda: describe_movements(span, counted)),
        "biggest": ("accounts.view_account", lambda: describe_biggest(counted)),
        "frozen": ("accounts.view_account", overview.find_frozen_accounts),
        "ending": ("accounts.view_hold", overview.find_holds_to_end),
        "claims": ("accounts.view_claim", lambda: True),
        "corrections": ("transactions.view_correction", lambda: True),
        "delivery": ("events.view_subscription", overview.read_delivery),
        "proof": ("transactions.view_auditrun", overview.find_proof),
    }
    shown = {name: read() for name, (permission, read) in parts.items() if request.user.has_perm(permission)}
    counts = overview.count() if shown else None
    return {
        **context,
        "parts": shown,
        "counts": counts,
        "feed_alarm": counts is not None and "delivery" in shown and is_stuck(shown["delivery"], counts),
        "ranges": [
            {"title": title, "link": f"?range={name}", "active": name == span}
            for name, (title, *_of) in RANGES.items()
        ],
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
    return {
        **sums,
        "declined_percent": round(100 * sums["declines"] / (sum(sums.values()) or 1), 1),
        "chart": _draw(moments, form, series),
        "chart_options": json.dumps(CHART),
        "is_by_hour": each == "hour",
        "amounts": _add_up(posted),
        "declines_by_reason": _count_reasons(series["declines"]),
        "counted_through": through,
        "is_behind": through is not None and through < now - BEHIND,
    }


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


def _add_up(posted: Iterable[HourlyTotal]) -> list[dict[str, Any]]:
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
        }
        for currency, of in sorted(amounts.items())
    ]


def _count_reasons(declined: Iterable[HourlyTotal]) -> list[dict[str, Any]]:
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
        }
        for reason, count in counts.most_common()
    ]


def describe_biggest(counted: Figures | None) -> dict[str, Any]:
    return {
        "accounts": statistics.read_biggest(counted),
        "looked_for_at": counted and counted.biggest_at,
        "read_at": timezone.now(),
    }

"""The balance of an account over time, as Chart.js draws it."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from office.pages.dashboard import GREY
from office.templatetags.ledger import shift
from transactions.reading import history

POINTS = 60
ALL = "all"
RANGES: dict[str, tuple[Promise, timedelta | None]] = {
    "day": (_("24 hours"), timedelta(days=1)),
    "month": (_("30 days"), timedelta(days=30)),
    "year": (_("A year"), timedelta(days=365)),
    ALL: (_("All"), None),
}
MARK = "#ea580c"
Course = list[tuple[datetime, Decimal]]


def choose_range(asked: str, moment: datetime | None, clock: datetime) -> str:
    """The name of the range that was asked for, or of the shortest one of 30 days or more with the moment."""
    if asked in RANGES:
        return asked
    for name in ("month", "year"):
        length = RANGES[name][1]
        if length and (moment is None or moment >= clock - length):
            return name
    return ALL


def describe(
    account: Account, *, name: str, clock: datetime, comparison: history.Comparison | None
) -> dict[str, Any] | None:
    """Data and options of the chart of that range, until now; None when nothing has ever moved.

    `comparison` is of the chosen moment, whose knowledge counts. Between its points the highest and the
    lowest balance are drawn, too, as far back as `turns_since`: None if that is all of the range.
    """
    then = comparison.then if comparison else None
    known_at, moment = (then.known_at, then.at) if then else (clock, None)
    length = RANGES[name][1]
    since = clock - length if length else history.find_first_effect(account.id)
    if since is None or since >= clock:
        return None
    step = (clock - since) / (POINTS - 1)
    moments = {clock, *(since + step * number for number in range(POINTS - 1))}
    mark = moment if moment and since <= moment <= clock else None
    course = history.read_course(account.id, moments | ({mark} if mark else set()), known_at=known_at)
    start = (
        history.begin_at(then._replace(at=clock, balance=course[-1][1]))
        if then
        else history.begin_now(account)
    )
    effects, has_all = history.read_newest_effects(account.id, start, since=since)
    course = _draw_turns(course, effects)
    format = "SHORT_DATETIME_FORMAT" if name in ("day", "month") else "DATE_FORMAT"
    datasets: list[dict[str, Any]] = [
        {
            "label": str(_("Balance")),
            "data": [float(balance) for _at, balance in course],  # the exact amounts are in the statement
            "stepped": True,
            "borderColor": "var(--color-primary-500)",
            "borderWidth": 2,
            "pointRadius": 0,
        }
    ]
    if mark:
        datasets.insert(
            0,
            {
                "label": str(_("The chosen moment")),
                "data": [float(balance) if at == mark else None for at, balance in course],
                "borderColor": MARK,
                "backgroundColor": MARK,
                "pointRadius": 6,
                "showLine": False,
            },
        )
    return {
        "data": json.dumps(
            {"labels": [date_format(shift(at), format) for at, _balance in course], "datasets": datasets}
        ),
        "options": json.dumps(_describe_options(course)),
        "turns_since": None if has_all else effects[0][0],
    }


def _draw_turns(course: Course, effects: Course) -> Course:
    """Between two points the lowest and the highest balance, or twice that of the first one: so many between
    any two, for the axis counts points and not seconds.
    """
    drawn = course[:1]
    by_moment = list(dict(effects).items())  # the last one of each
    for (begin, balance), (end, after) in pairwise(course):
        inside = [effect for effect in by_moment if begin < effect[0] <= end]
        third = (end - begin) / 3
        drawn += (
            sorted(choose(inside, key=itemgetter(1)) for choose in (min, max))
            if inside
            else [(begin + third, balance), (end - third, balance)]
        )
        drawn.append((end, after))
    return drawn


def _describe_options(course: Course) -> dict[str, Any]:
    """The options of the chart. They are given since unfold's own would hide the axis of the amounts."""
    balances = [balance for _at, balance in course]
    lowest, grace = min(balances), (max(balances) - min(balances)) / 20
    # There is no room below zero when no balance is.
    bounds: dict[str, Any] = {"min": 0} if 0 <= lowest <= grace else {}
    axis = {"border": {"display": False}, "grid": {"display": False}}
    ticks = {"color": GREY, "maxRotation": 0, "autoSkipPadding": 24}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "locale": get_language(),
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {**axis, "ticks": ticks},
            "y": {
                **axis,
                "grid": {"tickWidth": 0},
                "ticks": {**ticks, "maxTicksLimit": 6},
                "grace": "5%",
                **bounds,
            },
        },
    }

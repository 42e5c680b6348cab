"""What somebody did: transactions and holds, changes, and when they were last here; of some days."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.models import Hold, Token, User
from events import entries
from events.models import RecordEntry
from ledger.callers import ActorKind
from ledger.sql import fetch
from ledger.values import format_time
from office.pages.people import lines
from office.pages.people.period import DaysForm, Period
from office.sections import Context, Section
from transactions.models import Transaction
from transactions.reading import queries

PERMISSIONS = ("events.view_changes", "events.view_recordentry")
PAGE_SIZE = 50
WALK_MAX = 5000  # rows of everybody that are looked through for one page: no index has them by actor


def _write_walk(table: str, column: str) -> str:
    """SQL: those of the actor among so many newest rows before a place; and, marked, the row at which
    the walk ended, if that is not the end of the period."""
    return f"""
WITH walked AS MATERIALIZED (
    SELECT id, {column} AS at, actor FROM {table}
    WHERE {column} >= %(since)s AND ({column}, id) < (%(before)s, %(before_id)s)
    ORDER BY {column} DESC, id DESC LIMIT {WALK_MAX}
)
(SELECT id, at, TRUE FROM walked WHERE actor = %(actor)s ORDER BY at DESC, id DESC LIMIT {PAGE_SIZE + 1})
UNION ALL
(SELECT id, at, FALSE FROM walked ORDER BY at DESC, id DESC OFFSET {WALK_MAX - 1})
"""  # noqa: S608, of names, never of values


# What was done, in which table, and what its place in the address is called.
TRANSACTIONS = _write_walk("transactions_transaction", "recorded_at")
HOLDS = _write_walk("accounts_hold", "created_at")


class Walked(NamedTuple):
    """The ids found, and the place where older ones go on. It `is_cut` at that moment, if the page is not
    full."""

    ids: list[UUID]
    next: tuple[datetime, UUID] | None
    cut_at: datetime | None


def walk(statement: str, actor: UUID, period: Period, place: tuple[datetime, UUID] | None) -> Walked:
    before, before_id = place or (period.until, UUID(int=0))
    values = {"actor": actor, "since": period.since, "before": before, "before_id": before_id}
    rows = fetch(statement, values)
    found = [(at, id) for id, at, is_theirs in rows if is_theirs]
    if len(found) > PAGE_SIZE:
        return Walked([id for _, id in found[:PAGE_SIZE]], found[PAGE_SIZE - 1], None)
    end = next(((at, id) for id, at, is_theirs in rows if not is_theirs), None)
    return Walked([id for _, id in found], end, end and end[0])


def describe(request: HttpRequest, user: User) -> Context:
    """One of the three kinds, by `?kind=`, of the days that are asked for."""
    kinds = _list_kinds(request)
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds else next(iter(kinds))
    form = DaysForm(request.GET)
    found: Context = {"form": form, "kind": kind, "person": user, "last_use": _find_last_use(request, user)}
    if not form.is_valid():
        return found
    days = {name: form.cleaned_data[name].isoformat() for name in ("since", "until")}
    links = {name: _make_link(days, kind=name) for name in kinds}
    return {
        **found,
        "days": days,
        "kinds": [
            {"title": kinds[name], "link": link, "active": name == kind} for name, link in links.items()
        ],
        **_describe_kind(request, user, kind, form.read_period(), days),
    }


def _list_kinds(request: HttpRequest) -> dict[str, Any]:
    kinds = {
        "transactions": (_("Transactions"), "transactions.view_transaction"),
        "holds": (_("Holds"), "accounts.view_hold"),
        "changes": (_("Changes"), None),
    }
    return {
        name: title
        for name, (title, permission) in kinds.items()
        if permission is None or request.user.has_perm(permission)
    }


def _describe_kind(
    request: HttpRequest, user: User, kind: str, period: Period, days: dict[str, str]
) -> Context:
    if kind == "changes":
        return _describe_changes(request, user, period, days)
    place = _read_place(request.GET.get("before", ""))
    walked = walk(TRANSACTIONS if kind == "transactions" else HOLDS, user.pk, period, place)
    if kind == "transactions":
        rows: list[Any] = [
            *queries.with_resources(Transaction.objects.filter(id__in=walked.ids))
            .select_related("account__user")
            .order_by("-recorded_at", "-id")
        ]
    else:
        rows = list(
            Hold.objects.with_clock()
            .filter(id__in=walked.ids)
            .select_related("account__user")
            .order_by("-created_at", "-id")
        )
    older = walked.next and f"{format_time(walked.next[0])}_{walked.next[1]}"
    return {
        kind: rows,
        "cut_at": walked.cut_at,
        "walked": WALK_MAX,
        "older": _make_link(days, kind=kind, before=older) if older else "",
        "newest": _make_link(days, kind=kind) if place else "",
    }


def _describe_changes(request: HttpRequest, user: User, period: Period, days: dict[str, str]) -> Context:
    before = request.GET.get("before", "")
    found = entries.find(
        limit=PAGE_SIZE,
        actors=[user.pk],
        action=RecordEntry.Action.CHANGE,
        subjects=list(lines.find_pages(request)),
        since=period.since,
        until=period.until,
        before=min(int(before[:19]), entries.ID_MAX) if before.isascii() and before.isdecimal() else None,
    )
    rows = list(RecordEntry.objects.filter(id__in=found.ids).order_by("-id"))
    shown = list(lines.describe_entries(request, rows))
    lines.name_actors(shown)
    return {
        "lines": shown,
        "older": _make_link(days, kind="changes", before=found.before) if found.before else "",
        "newest": _make_link(days, kind="changes") if before else "",
    }


def _find_last_use(request: HttpRequest, user: User) -> dict[str, Any]:
    """Of a member of staff the last login; of a service when one of its tokens was last used."""
    used = Token.objects.filter(user=user, last_used_at__isnull=False).order_by("-last_used_at").first()
    return {
        "login": user.last_login,
        "token": used and used.last_used_at,
        "token_key": used and used.token_key if request.user.has_perm("accounts.view_token") else None,
    }


def _read_place(text: str) -> tuple[datetime, UUID] | None:
    at, _underscore, id = text.partition("_")
    try:
        moment = parse_datetime(at)
        return (moment, UUID(id)) if moment and moment.tzinfo else None
    except ValueError:
        return None


def _make_link(days: dict[str, str], **parameters: Any) -> str:
    return "?" + urlencode({"show": "done", **days, **parameters})


def is_an_actor(user: User) -> bool:
    """Staff and services: account holders do what is theirs alone."""
    return user.kind != ActorKind.HOLDER


SECTION = Section(
    name="done",
    title=_("What they did"),
    template="office/done.html",
    describe=describe,
    permissions=PERMISSIONS,
    applies=is_an_actor,
)

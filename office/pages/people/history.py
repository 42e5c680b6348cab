"""The history of a user, an account, a hold or a transaction: every change, by whom and why."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Hold, User
from events import entries
from events.models import Event, RecordEntry
from ledger.sql import fetch
from office.pages.people import lines
from office.sections import Context, Section
from transactions import corrections
from transactions.models import Transaction

PAGE_SIZE = 50
WALK_MAX = 500  # events of an account that are looked through for those of a hold, or for who froze it
SEQUENCE_MAX = ID_MAX = 2**63 - 1
# The account's newest events that tell more than that there is a row; those that fit are among them.
NEWEST = f"""
SELECT sequence FROM (
    SELECT sequence, type, data FROM events_event
    WHERE stream = %(stream)s AND about IS NULL AND sequence < %(before)s
    ORDER BY stream DESC, sequence DESC LIMIT {WALK_MAX}
) AS newest
"""  # noqa: S608, a number of our own
OF_HOLD = f"{NEWEST} WHERE type LIKE 'hold.%%' AND data ->> 'id' = %(hold)s ORDER BY sequence DESC"
OF_STATUS = f"{NEWEST} WHERE type = %(type)s ORDER BY sequence DESC LIMIT 1"


def describe_user(request: HttpRequest, user: User) -> Context:
    return _describe(request, stream=user.pk, subject_ids=[str(user.pk)])


def describe_account(request: HttpRequest, account: Account) -> Context:
    """With the corrections that staff have asked for, as far as the reader may see these."""
    asked = corrections.find_of_account(account.id) if _sees_corrections(request) else []
    ids = [str(account.id), *(str(each.id) for each in asked)]
    return _describe(request, stream=account.id, subject_ids=ids, currency=account.currency)


def describe_hold(request: HttpRequest, hold: Hold) -> Context:
    """Its events are among those of its account, at most so far back from the last one."""
    values = {"stream": hold.account_id, "before": hold.event_sequence + 1, "hold": str(hold.id)}
    found = _find_events(OF_HOLD, values)
    was_placed = any(event.type in ("hold.placed", "hold.declined") for event in found)
    currency = hold.account.currency
    shown = lines.fold(
        lines.describe_events(found, currency),
        lines.describe_entries(request, _find_entries(request, [str(hold.id)]), currency),
    )
    lines.name_actors(shown)
    return {"lines": shown, "is_cut": not was_placed}


def describe_transaction(request: HttpRequest, transaction: Transaction) -> Context:
    """It never changes: what was asked about it, and what took it back."""
    asked = corrections.find_about(transaction) if _sees_corrections(request) else []
    ids = [str(transaction.id), *(str(each.id) for each in asked)]
    return _describe(request, stream=None, subject_ids=ids, currency=transaction.account.currency)


def find_status_change(account: Account) -> lines.Line | None:
    """Who froze or closed the account, when and why; None if it is active, or that was long ago."""
    type = {Account.Status.FROZEN: "account.frozen", Account.Status.CLOSED: "account.closed"}.get(
        Account.Status(account.status)
    )
    if type is None:
        return None
    values = {"stream": account.id, "before": SEQUENCE_MAX, "type": type}
    found = list(lines.describe_events(_find_events(OF_STATUS, values), account.currency))
    lines.name_actors(found)
    return found[0] if found else None


def _find_events(statement: str, values: dict[str, Any]) -> list[Event]:
    """Those of the stream that the statement finds, newest first. Two queries."""
    numbers = [number for (number,) in fetch(statement, values)]
    found = Event.objects.filter(stream=values["stream"], sequence__in=numbers)
    return list(found.order_by("-stream", "-sequence"))


def _sees_corrections(request: HttpRequest) -> bool:
    return request.user.has_perm("transactions.view_correction")


def _describe(
    request: HttpRequest, *, stream: UUID | None, subject_ids: Sequence[str], currency: str = ""
) -> Context:
    """A page of what changed: of the stream's events and of entries about these ids, before `?before=`."""
    sequence, id = _read_place(request.GET.get("before", ""))
    events: list[Event] = []
    if stream:
        of_stream = Event.objects.filter(stream=stream, about=None, sequence__lt=sequence)
        events = list(of_stream.order_by("-stream", "-sequence")[: PAGE_SIZE + 1])
    has_more, events = len(events) > PAGE_SIZE, events[:PAGE_SIZE]
    found = entries.find(
        limit=PAGE_SIZE,
        subject_ids=subject_ids,
        action=RecordEntry.Action.CHANGE,
        subjects=list(lines.find_pages(request)),
        before=id,
    )
    of_record = _read_entries(found.ids)
    shown = lines.fold(
        lines.describe_events(events, currency), lines.describe_entries(request, of_record, currency)
    )
    # What one of the two has left beyond its page may be newer than what the other has on its own.
    ends = [events[-1].recorded_at] if has_more else []
    ends += [of_record[-1].recorded_at] if found.before and of_record else []
    end = max(ends, default=None)
    shown = [line for line in shown if end is None or line.at >= end]
    lines.name_actors(shown)
    older = ""
    if end is not None or found.before:
        kept = [event.sequence for event in events if end is None or event.recorded_at >= end]
        ids = [each.id for each in of_record if end is None or each.recorded_at >= end]
        is_walked = end is None or len(ids) == len(of_record)
        last = found.before if is_walked and found.before else min(ids, default=id)
        older = f"?show=history&before={min(kept, default=sequence)}-{last}"
    return {"lines": shown, "older": older, "newest": "?show=history" if request.GET.get("before") else ""}


def _find_entries(request: HttpRequest, subject_ids: Collection[str]) -> list[RecordEntry]:
    found = entries.find(
        limit=PAGE_SIZE,
        subject_ids=subject_ids,
        action=RecordEntry.Action.CHANGE,
        subjects=list(lines.find_pages(request)),
    )
    return _read_entries(found.ids)


def _read_entries(ids: Iterable[int]) -> list[RecordEntry]:
    return list(RecordEntry.objects.filter(id__in=list(ids)).order_by("-id"))


def _read_place(text: str) -> tuple[int, int]:
    """Where a page begins: before this event of the stream and this entry; the newest, if that is none."""
    parts = text.split("-")
    if len(parts) == 2 and all(part.isascii() and part.isdecimal() for part in parts):
        return min(int(parts[0][:19]), SEQUENCE_MAX), min(int(parts[1][:19]), ID_MAX)
    return SEQUENCE_MAX, ID_MAX


def make(describe: Any) -> Section:
    return Section(name="history", title=_("History"), template="office/history.html", describe=describe)

"""Lines that say who changed what, from which value to which, and why: of events and of the record alike."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Claim, Hold, Threshold, User
from events import record, resources
from events.models import Event, RecordEntry
from ledger.callers import ActorKind
from ledger.values import UUID_TEXT
from office.templatetags.ledger import NOTHING, bdi, moment, money
from transactions.models import Correction

# What happened, by the types of events and of entries; of commands of the office see `_find_command`.
WORDS = {
    "user.created": _("created"),
    "user.changed": _("changed"),
    "user.erased": _("forgotten"),
    "account.opened": _("opened"),
    "account.changed": _("changed"),
    "account.frozen": _("frozen"),
    "account.unfrozen": _("unfrozen"),
    "account.closed": _("closed"),
    "account.limits_changed": _("limits changed"),
    "hold.placed": _("hold placed"),
    "hold.declined": _("hold declined"),
    "hold.changed": _("hold changed"),
    "hold.change_declined": _("change of a hold declined"),
    "hold.captured": _("hold captured"),
    "hold.released": _("hold released"),
    "hold.expired": _("hold expired"),
    "claim.opened": _("claim opened"),
    "claim.declined": _("claim declined"),
    "claim.collected": _("claim collected"),
    "claim.waived": _("claim waived"),
    "threshold.set": _("threshold set"),
    "threshold.removed": _("threshold removed"),
    "balance.fell_below": _("fell below a threshold"),
    "balance.rose_above": _("reached a threshold again"),
    "correction.proposed": _("correction asked for"),
    "correction.posted": _("correction posted"),
    "correction.declined": _("correction declined"),
    "correction.approved": _("correction approved"),
    "correction.rejected": _("correction rejected"),
    "erasure.asked": _("erasure asked for"),
    "erasure.approved": _("forgotten"),
    "erasure.rejected": _("erasure rejected"),
    "token.issued": _("token issued"),
    "token.revoked": _("token revoked"),
    "note.written": _("note written"),
    "note.done": _("note done"),
}
NAMES = {
    "status": _("status"),
    "name": _("name"),
    "external_id": _("external id"),
    "metadata": _("metadata"),
    "credit_limit": _("credit limit"),
    "withdraw_max": _("most in one withdrawal"),
    "withdraw_day_max": _("most in a UTC day"),
    "amount": _("amount"),
    "captured": _("captured"),
    "remaining": _("remaining"),
    "collected": _("collected"),
    "expires_at": _("expires"),
    "closed_at": _("closed"),
    "reference": _("reference"),
    "kind": _("kind"),
    "of": _("of"),
    "below": _("below"),
    "groups": _("groups"),
    "is_active": _("active"),
    "done_at": _("done at"),
}
MONEY = {"credit_limit", "withdraw_max", "withdraw_day_max", "amount", "captured", "remaining", "collected"}
# What the line says already, as its reason and its time, or what follows of the rest.
SAID = {"status_reason", "decided_at", "available"}
# What an event tells of a thing that is new, or gone: nothing of it was otherwise before.
TELLING = ("amount", "of", "reference")
PEOPLE = ("user", "staff")  # entries of these are about a user
# What the detail of a command says that sets several values.
GIVEN = re.compile(r"(\w+)=(\S+)")
GIVEN_ALL = re.compile(rf"{GIVEN.pattern}( {GIVEN.pattern})*")
# Statuses, and what a threshold looks at, in the reader's words.
LABELS: dict[str, Any] = {
    value: label
    for choices in (Account.Status, Hold.Status, Claim.Status, Correction.Status, Threshold.Of)
    for value, label in choices.choices
}


@dataclass(kw_only=True)
class Line:
    """Each of `changes`: a name, how it was (None: nothing was before) and how it has become."""

    at: datetime
    what: str
    actor: UUID | None
    actor_kind: str
    request_id: str
    changes: list[tuple[str, str | None, str]]
    reason: str
    kind: str = ""  # of the thing, where the lines are of several
    url: str = ""
    subject_id: str = ""
    about: UUID | None = None  # the user whose thing it is, where the lines are of several
    who: User | None = field(default=None)
    whom: User | None = field(default=None)

    @property
    def kind_of_actor(self) -> str:
        return str(ActorKind(self.actor_kind).label) if self.actor_kind else ""


def name_actors(lines: Collection[Line]) -> None:
    """Find who is behind the ids. One query."""
    found = User.objects.in_bulk({id for line in lines for id in (line.actor, line.about) if id})
    for line in lines:
        line.who = found.get(line.actor) if line.actor else None
        line.whom = found.get(line.about) if line.about else None


def describe_events(events: Sequence[Event], currency: str) -> Iterator[Line]:
    """A line of each event that tells what it is of, in the same order. One query."""
    told = resources.find(events)
    for event in events:
        if (resource := told.get(event.pk)) is not None:
            yield Line(
                at=event.recorded_at,
                what=str(WORDS.get(event.type, event.type)),
                actor=resource.actor,
                actor_kind=resource.actor_kind,
                request_id=resource.request_id,
                changes=list(_compare(resource.before, resource.data, currency)),
                reason=resource.reason or "",
                **_lead_to_part(event.type, resource.data),
            )


def describe_entries(
    request: HttpRequest, entries: Sequence[RecordEntry], currency: str = ""
) -> Iterator[Line]:
    """A line of each entry of the record, in the same order. Two queries.

    Where there is no `currency`, amounts are in that of the account that an entry names.
    """
    pages = find_pages(request)
    read = record.read_told(entries)
    named = [_find_account(entry, told) for entry, told in zip(entries, read, strict=True)]
    ids = set(filter(None, named))
    accounts = Account.objects.only("currency", "user_id").in_bulk(ids) if ids else {}
    for entry, told, account_id in zip(entries, read, named, strict=True):
        page = pages.get(entry.subject)
        account = accounts.get(account_id) if account_id else None
        in_currency = currency or (account.currency if account else "")
        what, changes = _tell(entry, told, page, in_currency)
        yield Line(
            at=entry.recorded_at,
            what=what,
            actor=entry.actor,
            actor_kind=entry.actor_kind,
            request_id=entry.request_id,
            changes=changes,
            reason=told.get("reason") or "",
            kind=str(page.opts.verbose_name) if page else entry.subject,
            url=reverse(page._name("change"), args=[entry.subject_id]) if page and entry.subject_id else "",
            subject_id=entry.subject_id,
            about=account.user_id if account else _read_id(entry.subject_id, entry.subject in PEOPLE),
        )


def _find_account(entry: RecordEntry, told: Mapping[str, Any]) -> UUID | None:
    """The account that an entry is about, or names."""
    after = told.get("after") or {}
    return _read_id(entry.subject_id, entry.subject == "account") or _read_id(after.get("account") or "")


def _read_id(text: str, is_one: bool = True) -> UUID | None:
    return UUID(text) if is_one and UUID_TEXT.fullmatch(text) else None


def _tell(
    entry: RecordEntry, told: Mapping[str, Any], page: Any, currency: str
) -> tuple[str, list[tuple[str, str | None, str]]]:
    """What was done, and what has become of what."""
    before, after = told.get("before"), told.get("after") or {}
    if before is None:
        after = {name: after[name] for name in TELLING if after.get(name)}
    if not entry.type.endswith(".command_given"):
        return str(WORDS.get(entry.type, entry.type)), list(_compare_all(before, after, currency))
    name, _space, rest = (told.get("detail") or "").partition(" ")
    commands = {each.name: each.label for each in (*page.commands, *page.list_commands)} if page else {}
    given = dict(GIVEN.findall(rest)) if GIVEN_ALL.fullmatch(rest) else {}
    of_it = {each: None if value == "None" else value for each, value in given.items()}
    said = str(commands.get(name, name)) if of_it else f"{commands.get(name, name)} {rest}".strip()
    return said, list(_compare_all(before, of_it or after, currency))


def find_pages(request: HttpRequest) -> dict[str, Any]:
    """The pages of the models that the reader may see, by what the record calls these."""
    return {
        page.find_subject(): page  # type: ignore[attr-defined]
        for page in admin.site._registry.values()
        if page.has_view_permission(request)
    }


def _lead_to_part(type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The page of the hold or claim that an event of an account is of."""
    part = type.partition(".")[0]
    if part not in ("hold", "claim"):
        return {}
    return {"url": reverse(f"admin:accounts_{part}_change", args=[data["id"]]), "subject_id": data["id"]}


def _compare(
    before: Mapping[str, Any] | None, data: Mapping[str, Any], currency: str
) -> Iterator[tuple[str, str | None, str]]:
    """Those parts that were otherwise before; of what is new what tells it from others."""
    names = TELLING if before is None else before
    for name in names:
        if name in data and name not in SAID:
            was = None if before is None else show_value(name, before[name], currency)
            if before is not None or data[name]:
                yield _name(name), was, show_value(name, data[name], currency)


def _compare_all(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], currency: str
) -> Iterator[tuple[str, str | None, str]]:
    for name in [name for name in dict.fromkeys([*(before or {}), *after]) if name not in SAID]:
        was = show_value(name, before[name], currency) if before and name in before else None
        yield _name(name), was, show_value(name, after.get(name), currency)


def _name(name: str) -> str:
    return str(NAMES.get(name, name))


def show_value(name: str, value: Any, currency: str) -> str:
    """A value of an event or an entry in the reader's form; texts of others are set apart."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name in MONEY and currency:
        with suppress(InvalidOperation):
            return money(Decimal(str(value)), currency)
    if name.endswith("_at"):
        with suppress(ValueError):
            return str(moment(datetime.fromisoformat(value)))
    if name in ("status", "of"):
        return str(LABELS.get(value, value))
    if isinstance(value, str):
        return str(bdi(value))
    return str(bdi(json.dumps(value, ensure_ascii=False)))


def fold(events: Iterable[Line], entries: Iterable[Line]) -> list[Line]:
    """Both, newest first. Of what an event tells, done by the same person in the same request, no entry tells
    once more that the command was given."""
    events = list(events)
    told = {(line.request_id, line.actor) for line in events if line.request_id}
    rest = [line for line in entries if (line.request_id, line.actor) not in told]
    return sorted([*events, *rest], key=lambda line: line.at, reverse=True)

"""The audit of events that tell more than a row does: their MACs, and that users, accounts, holds, claims and
thresholds are still what was told of them last.

Such events are never pruned. What was erased of their personal text is not compared; its MAC still counts.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from accounts.models import CLAIM_TABLE, HOLD_TABLE, Account, Claim, Hold, Table, Threshold, User
from events import texts
from events.models import Sealed
from ledger.sql import fetch
from ledger.values import format_optional_time, format_time, slice_up
from transactions.proof.told.thresholds import TYPES as OF_THRESHOLDS
from transactions.proof.told.thresholds import Told as ToldThresholds

Wrong = tuple[UUID | None, str, str, str, str]
USERS_AT_ONCE = 1000
# What is kept of an account and told by events of its own, by the first word of their types.
KEPT: dict[str, tuple[type[Hold] | type[Claim], Table]] = {
    "hold": (Hold, HOLD_TABLE),
    "claim": (Claim, CLAIM_TABLE),
}
# Not the password, which is not the auditors' to read.
OF_USER = (
    *("username", "is_staff", "is_superuser", "name", "external_id", "metadata", "created_at", "created_as"),
    *("erased_at", "last_recorded_at"),
)
TELLING = f"""
SELECT {", ".join(Sealed._fields)}, mac, personal.id, owner, content FROM events_event AS event
LEFT JOIN LATERAL (
    SELECT id, owner, content FROM events_text WHERE id = event.text OFFSET 0
) AS personal ON true
WHERE about IS NULL AND """  # noqa: S608, of names, never of values
OF_ACCOUNTS = TELLING + (
    "stream BETWEEN %(first)s AND %(last)s AND NOT starts_with(type, 'user.') ORDER BY stream, sequence"
)
OF_USERS = TELLING + "stream = ANY(%(users)s) AND starts_with(type, 'user.') ORDER BY stream, sequence"


class Telling(NamedTuple):
    """An event with its personal text."""

    sealed: Sealed
    mac: bytes
    found: UUID | None  # the text, if it is there
    owner: UUID | None
    content: dict[str, Any] | None

    @property
    def is_erased(self) -> bool:
        return self.sealed.text is not None and self.content is None

    def read(self) -> dict[str, Any]:
        """The resource as it was told."""
        content = {} if self.sealed.text is None else self.content
        told: dict[str, Any] = texts.join(self.sealed._asdict(), content)["data"]
        return told


@dataclass
class Fold:
    """What the events of an account have told, all of them."""

    opened: Telling | None = None
    last: Telling | None = None
    credit_limit_max: Decimal = Decimal(0)
    # Of each hold and claim, by its kind and id: the first one and the last one.
    began: dict[tuple[str, str], Telling] = field(default_factory=dict)
    became: dict[tuple[str, str], Telling] = field(default_factory=dict)
    thresholds: ToldThresholds = field(default_factory=ToldThresholds)

    def add(self, event: Telling) -> None:
        type, data = event.sealed.type, event.sealed.data
        if type == "hold.change_declined":  # which changes nothing
            return
        kind, _, _ = type.partition(".")
        if kind in KEPT:
            self.began.setdefault((kind, data["id"]), event)
            self.became[kind, data["id"]] = event
            return
        if type.startswith(OF_THRESHOLDS):
            self.thresholds.add(event)
            return
        if type == "account.opened":
            self.opened = event
        self.last = event
        self.credit_limit_max = max(self.credit_limit_max, Decimal(data["credit_limit"]))


def find_wrong_accounts(parameters: dict[str, Any]) -> Iterator[Wrong]:
    """What is wrong with the events of some accounts, the accounts, their holds and their claims."""
    first, last = parameters["first"], parameters["last"]
    accounts = {
        account.id: account
        for account in Account._base_manager.filter(id__range=(first, last))
        if parameters["since"] == "-infinity" or account.last_recorded_at > parameters["since"]
    }
    kept: dict[tuple[str, UUID], list[Any]] = {}
    for kind, (model, _) in KEPT.items():
        for row in model._base_manager.filter(account__gte=first, account__lte=last):
            kept.setdefault((kind, row.account_id), []).append(row)
    thresholds: dict[UUID, list[Threshold]] = {}
    for threshold in Threshold.objects.filter(account__gte=first, account__lte=last):
        thresholds.setdefault(threshold.account_id, []).append(threshold)
    folds: dict[UUID, Fold] = {}
    for stream, events in groupby(_fetch(OF_ACCOUNTS, parameters), key=lambda event: event.sealed.stream):
        if stream in accounts:
            fold = folds[stream] = Fold()
            for event in events:
                wrong, told = _prove(event)
                yield from wrong
                if told:
                    fold.add(told)
    for account in accounts.values():
        fold = folds.get(account.id, Fold())
        yield from _compare_account(account, fold)
        for kind in KEPT:
            yield from _compare_kept(account, kind, kept.get((kind, account.id), []), fold)
        yield from fold.thresholds.compare(account, thresholds.get(account.id, []))


def find_wrong_users(parameters: dict[str, Any]) -> Iterator[Wrong]:
    """What is wrong with the events of users, and with the users."""
    users = User._base_manager.only(*OF_USER).order_by("id").iterator(chunk_size=USERS_AT_ONCE)
    for some in slice_up(users, USERS_AT_ONCE):
        events: dict[UUID, list[Telling]] = {user.pk: [] for user in some}
        for event in _fetch(OF_USERS, {"users": list(events)}):
            wrong, told = _prove(event)
            yield from wrong
            if told:
                events[event.sealed.stream].append(told)
        for user in some:
            yield from _compare_user(user, events[user.pk])


def _fetch(statement: str, parameters: dict[str, Any]) -> Iterator[Telling]:
    for row in fetch(statement, parameters):
        *values, mac, found, owner, content = row
        told = dict(zip(Sealed._fields, values, strict=True))
        told |= {name: told[name] and orjson.loads(told[name]) for name in ("data", "before")}
        yield Telling(Sealed(**told), mac, found, owner, content and orjson.loads(content))


def _prove(event: Telling) -> tuple[list[Wrong], Telling | None]:
    """What is wrong with the event and its text, by their MACs; and what of it is told all the same: nothing
    if it was forged, all but its personal text if only that was.
    """
    sealed = event.sealed
    account = None if sealed.type.startswith("user.") else sealed.stream
    name = f"{sealed.stream}.{sealed.sequence}"
    if not sealed.has_mac(event.mac):
        return [(account, "events_event", name, "the MAC of what it tells", "another")], None
    if sealed.text is None:
        return [], event
    if event.found is None:
        return [(account, "events_event", name, f"its text {sealed.text}", "none")], event
    if event.content is None or texts.is_right(sealed.text_mac, sealed.text, event.owner, event.content):
        return [], event
    expected = f"the text of event {name}, by its MAC"
    return [(account, "events_text", str(sealed.text), expected, "another")], event._replace(content=None)


def _compare_account(account: Account, fold: Fold) -> Iterator[Wrong]:
    opened, last = fold.opened, fold.last
    if opened is None or last is None or opened.sealed.sequence != 1:
        yield account.id, "accounts_account", str(account.id), "the event of its opening, its first", "none"
        return
    expected = {
        **last.read(),
        "user": opened.sealed.data["user"],
        "currency": opened.sealed.data["currency"],
        "created_at": opened.sealed.data["created_at"],
        "credit_limit_max": fold.credit_limit_max,
    }
    is_of = {
        "user": str(account.user_id),
        "currency": account.currency,
        "status": account.status,
        "created_at": format_time(account.created_at),
        "credit_limit": account.credit_limit,
        "credit_limit_max": account.credit_limit_max,
        "withdraw_max": account.withdraw_max,
        "withdraw_day_max": account.withdraw_day_max,
    }
    if not last.is_erased:
        is_of |= {
            "name": account.name,
            "status_reason": account.status_reason,
            "metadata": account.metadata,
        }
    yield from _compare(account.id, "accounts_account", account.id, expected, is_of)


def _compare_kept(account: Account, kind: str, rows: Iterable[Any], fold: Fold) -> Iterator[Wrong]:
    """The account's rows of that kind with what was told of them."""
    model, table = KEPT[kind]
    there = {(kind, str(row.id)) for row in rows}
    for key in sorted(key for key in fold.became if key[0] == kind and key not in there):
        sequence = fold.became[key].sealed.sequence
        yield account.id, model._meta.db_table, key[1], f"a {kind}, as event {sequence} tells", "none"
    for row in rows:
        told, began = fold.became.get((kind, str(row.id))), fold.began.get((kind, str(row.id)))
        if told is None or began is None:
            yield account.id, model._meta.db_table, str(row.id), "the events of it", "none"
            continue
        expected = told.sealed.data | {
            "event_sequence": told.sealed.sequence,
            "actor": began.sealed.actor,
            "request_id": began.sealed.request_id,
        }
        is_of = table.to_dict(row, account.currency) | {
            "event_sequence": row.event_sequence,
            "actor": row.actor,
            "request_id": row.request_id,
        }
        if kind == "hold":  # whose terms may be changed later
            asked = {name: began.sealed.data[name] for name in ("amount", "expires_at")}
            expected |= {f"{name}_asked": value for name, value in asked.items()}
            is_of |= {
                "amount_asked": row.amount_asked,
                "expires_at_asked": format_optional_time(row.expires_at_asked),
            }
        yield from _compare(account.id, model._meta.db_table, row.id, expected, is_of)


def _compare_user(user: User, events: Sequence[Telling]) -> Iterator[Wrong]:
    id = str(user.pk)
    created = next((event for event in events if event.sealed.type == "user.created"), None)
    if user.username == id and (created is None or created.sealed.sequence != 1):
        yield None, "accounts_user", id, "the event of its creation, its first", "none"
        return
    if not events:
        return
    last = events[-1]
    is_of: dict[str, Any] = {
        "created_at": format_time(user.created_at),
        "erased_at": format_optional_time(user.erased_at),
    }
    is_forgotten = last.sealed.type == "user.erased"
    if is_forgotten or not last.is_erased:
        is_of |= {"name": user.name, "external_id": user.external_id, "metadata": user.metadata}
    expected = last.read()
    if created:  # whom the API has made does not work in the office
        expected |= {"username": id, "is_staff": False, "is_superuser": False}
        is_of |= {name: getattr(user, name) for name in ("username", "is_staff", "is_superuser")}
    if is_forgotten:
        expected["created_as"], is_of["created_as"] = None, user.created_as
    elif created and not created.is_erased:
        told = created.read()
        asked = {name: told[name] for name in ("name", "external_id")}
        expected["created_as"] = {**asked, "currency": told["accounts"][0]["currency"]}
        is_of["created_as"] = user.created_as
    expected["last_recorded_at"], is_of["last_recorded_at"] = last.sealed.recorded_at, user.last_recorded_at
    yield from _compare(None, "accounts_user", user.pk, expected, is_of)


def _compare(
    account: UUID | None, table: str, id: UUID, expected: dict[str, Any], found: dict[str, Any]
) -> Iterator[Wrong]:
    """Amounts are compared as numbers: those of events are texts."""
    wrong: Collection[str] = [
        name
        for name, value in found.items()
        if (Decimal(expected[name]) if isinstance(value, Decimal) and expected[name] else expected[name])
        != value
    ]
    if wrong:
        yield (
            account,
            table,
            str(id),
            ", ".join(f"{name} {expected[name]}" for name in wrong),
            ", ".join(f"{name} {found[name]}" for name in wrong),
        )

"""What the ledger has of one person: all of it, for themselves; and what of it stays when they are forgotten.

Everything is read piece by piece, so that memory stays small whatever there is.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.db.transaction import atomic

from accounts import erasing, mentions, queries
from accounts.models import CLAIM_TABLE, HOLD_TABLE, Account, Claim, Erasure, Hold, Note, Token, User
from events import record, resources
from events.models import NIL, Event, RecordEntry
from events.record import Action
from ledger.callers import Caller
from ledger.sql import fetch
from ledger.values import format_optional_time, format_time
from transactions.models import Correction, Transaction
from transactions.reading import queries as reading

ROWS_AT_ONCE = 1000
Row = dict[str, Any]
# Texts that stay when a person is forgotten: bookkeeping, and what is told of somebody else.
KEPT = """
SELECT 'transactions_transaction', id, jsonb_build_object('reference', reference, 'metadata', metadata)
FROM transactions_transaction AS t WHERE EXISTS (
    SELECT FROM unnest(%(needles)s::text[]) AS needle
    WHERE strpos(lower(to_jsonb(reference)::text || metadata::text), needle) > 0
)
UNION ALL
SELECT 'accounts_hold', id, jsonb_build_object('reference', reference, 'metadata', metadata)
FROM accounts_hold AS h WHERE EXISTS (
    SELECT FROM unnest(%(needles)s::text[]) AS needle
    WHERE strpos(lower(to_jsonb(reference)::text || metadata::text), needle) > 0
)
UNION ALL
SELECT 'accounts_claim', id, jsonb_build_object(
    'reference', reference, 'reason', reason, 'waived_reason', waived_reason
)
FROM accounts_claim AS owed WHERE EXISTS (
    SELECT FROM unnest(%(needles)s::text[]) AS needle
    WHERE strpos(lower(jsonb_build_array(reference, reason, waived_reason)::text), needle) > 0
)
UNION ALL
SELECT 'transactions_correction', id, jsonb_build_object(
    'reference', reference, 'reason', reason, 'decision_reason', decision_reason
)
FROM transactions_correction AS c WHERE EXISTS (
    SELECT FROM unnest(%(needles)s::text[]) AS needle
    WHERE strpos(lower(jsonb_build_array(reference, reason, decision_reason)::text), needle) > 0
)
UNION ALL
SELECT 'accounts_account', id, CASE WHEN user_id = %(user)s THEN jsonb_build_object('name', name)
    ELSE jsonb_build_object('name', name, 'status_reason', status_reason) END
FROM accounts_account AS a WHERE EXISTS (
    SELECT FROM unnest(%(needles)s::text[]) AS needle
    WHERE strpos(lower(jsonb_build_array(name, status_reason)::text), needle) > 0
)
UNION ALL
SELECT 'events_text', id, content - '{data/name,before/name,data/external_id}'::text[]
FROM events_text WHERE owner IS DISTINCT FROM %(user)s AND content - %(free)s::text[] <> '{}' AND EXISTS (
    SELECT FROM unnest(%(needles)s::text[]) AS needle WHERE strpos(lower(content::text), needle) > 0
)
"""


class Kept(NamedTuple):
    """A row that mentions the person and stays; `parts` are those that do."""

    table: str
    id: UUID
    parts: Row


class Plan(NamedTuple):
    """What forgetting a person would take away, by the number of its rows, and what would stay."""

    goes: dict[str, int]
    stays: list[Kept]


def plan_erasure(*, user_id: UUID) -> Plan:
    """Looks at every row of the ledger that has texts. Raises `User.DoesNotExist`."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute(reading.SNAPSHOT)
        user = User.objects.get(pk=user_id)
        words = mentions.find_words(user)
        [[texts]] = fetch(
            "SELECT count(*) FROM events_text WHERE owner = %s AND content IS NOT NULL", [user.pk]
        )
        goes = {
            "name, external id and metadata of the user": 1,
            "metadata and reasons of accounts": Account.objects.filter(user=user).count(),
            "personal texts of theirs in events and in the record": texts,
            "searches, reasons and notes of others that name them": len(erasing.find_mentions(user, words)),
            "tokens, which are revoked": Token.objects.filter(user=user).count(),
        }
        asked = {"user": user.pk, "needles": words.needles, "free": erasing.FREE_WORDS}
        stays = []
        for table, id, value in fetch(KEPT, asked):
            parts = {name: part for name, part in orjson.loads(value).items() if words.are_in_any(part)}
            if parts:
                stays.append(Kept(table, id, parts))
    return Plan(goes, stays)


def export(*, user_id: UUID, caller: Caller) -> Iterator[tuple[str, Iterator[Row]]]:
    """The tables of what the ledger has of the person, each to be read before the next one.

    The record says so before anything is read. All is as of one moment. Raises `User.DoesNotExist`.
    """
    with atomic():
        user = User.objects.get(pk=user_id)
        record.write(
            caller,
            type="person.exported",
            action=Action.EXPORT,
            subject="user",
            subject_id=user.pk,
            owner=user.pk,
        )
    return _read_tables(user_id)


def _read_tables(user_id: UUID) -> Iterator[tuple[str, Iterator[Row]]]:
    with atomic(), connection.cursor() as cursor:
        cursor.execute(reading.SNAPSHOT)
        user = queries.read_accounts(User.objects.get(pk=user_id))
        for name, read in TABLES.items():
            yield name, read(user)


def _read_user(user: User) -> Iterator[Row]:
    yield {name: value for name, value in user.to_dict().items() if name != "accounts"}


def _read_accounts(user: User) -> Iterator[Row]:
    for account in _list_accounts(user):
        yield account.to_dict()


def _list_accounts(user: User) -> Iterator[Account]:
    return _walk(Account.objects.with_held_due().filter(user=user), "id")


def _read_transactions(user: User) -> Iterator[Row]:
    for account in _list_accounts(user):
        rows = reading.with_resources(Transaction.objects.filter(account=account))
        for row in _walk(rows, "seq"):
            yield row.to_dict()


def _read_holds(user: User) -> Iterator[Row]:
    for account in _list_accounts(user):
        for hold in _walk(Hold.objects.filter(account=account), "created_at", "id"):
            yield HOLD_TABLE.to_dict(hold, account.currency)


def _read_claims(user: User) -> Iterator[Row]:
    for account in _list_accounts(user):
        for claim in _walk(Claim.objects.filter(account=account), "created_at", "id"):
            yield CLAIM_TABLE.to_dict(claim, account.currency)


def _read_events(user: User) -> Iterator[Row]:
    """Those of transactions say what the transactions do: they are left out."""
    for stream in (user.pk, *(account.id for account in _list_accounts(user))):
        for some in _walk_pages(Event.objects.filter(stream=stream, about=None), "sequence"):
            told = resources.find(some)
            for event in some:
                row = event.to_dict(told[event.pk], epoch=NIL, position=None)
                yield {name: value for name, value in row.items() if name not in ("epoch", "position")}


def _read_tokens(user: User) -> Iterator[Row]:
    for token in Token.objects.filter(user=user).order_by("created"):
        yield {
            "prefix": token.token_key,
            "created_at": format_time(token.created),
            "expires_at": format_optional_time(token.expiry),
        }


def _read_corrections(user: User) -> Iterator[Row]:
    for account in _list_accounts(user):
        for row in _walk(Correction.objects.filter(account=account), "made_at", "id"):
            yield {
                "id": str(row.id),
                "account": str(account.id),
                "kind": row.kind,
                "type": row.type,
                "amount": f"{row.amount:f}",
                "reference": row.reference,
                "reason": row.reason,
                "reverses": row.reverses and str(row.reverses),
                "claim": row.claim and str(row.claim),
                "destination": row.destination and str(row.destination),
                "status": row.status,
                "decision_reason": row.decision_reason,
                "made_at": format_time(row.made_at),
                "decided_at": format_optional_time(row.decided_at),
            }


def _read_erasures(user: User) -> Iterator[Row]:
    for row in Erasure.objects.filter(user=user).order_by("asked_at"):
        yield {
            "id": str(row.id),
            "reason": row.reason,
            "status": row.status,
            "asked_at": format_time(row.asked_at),
            "decided_at": format_optional_time(row.decided_at),
        }


def _read_record(user: User) -> Iterator[Row]:
    """Who looked at them, at what is theirs, or searched for them; what was noted; and what they did."""
    yield from _show_entries(RecordEntry.objects.filter(actor=user.pk))
    for some in _list_subjects(user):
        yield from _show_entries(RecordEntry.objects.filter(subject_id__in=some).exclude(actor=user.pk))
    searches = erasing.find_mentions(user, mentions.find_words(user))
    yield from _show_entries(RecordEntry.objects.filter(text__in=searches, action=Action.SEARCH))


def _list_subjects(user: User) -> Iterator[list[str]]:
    """What entries call the person and what is theirs, some at a time."""
    tokens = Token.objects.filter(user=user).values_list("token_key", flat=True)
    erasures = Erasure.objects.filter(user=user).values_list("id", flat=True)
    notes = Note.objects.filter(user=user).values_list("id", flat=True)
    yield [str(user.pk), *map(str, erasures), *map(str, notes), *tokens]
    for account in _list_accounts(user):
        yield [str(account.id)]
        of_account: list[tuple[QuerySet[Any], tuple[str, ...]]] = [
            (Transaction.objects.filter(account=account), ("seq",)),
            (Hold.objects.filter(account=account), ("created_at", "id")),
            (Claim.objects.filter(account=account), ("created_at", "id")),
            (Correction.objects.filter(account=account), ("made_at", "id")),
        ]
        for rows, order in of_account:
            for some in _walk_pages(rows, *order):
                yield [str(row.id) for row in some]


def _show_entries(entries: QuerySet[RecordEntry]) -> Iterator[Row]:
    for some in _walk_pages(entries, "id"):
        for entry, told in zip(some, record.read_told(some), strict=True):
            yield {
                "recorded_at": format_time(entry.recorded_at),
                "actor": entry.actor and str(entry.actor),
                "actor_kind": entry.actor_kind,
                "action": entry.action,
                "type": entry.type,
                "subject": entry.subject,
                "subject_id": entry.subject_id,
                "told": told,
            }


def _walk(rows: QuerySet[Any], *order: str) -> Iterator[Any]:
    for some in _walk_pages(rows, *order):
        yield from some


def _walk_pages(rows: QuerySet[Any], *order: str) -> Iterator[list[Any]]:
    """All rows in this order, which tells each from the others."""
    rows, last = rows.order_by(*order), None
    while some := list((rows.filter(_find_beyond(last, order)) if last else rows)[:ROWS_AT_ONCE]):
        yield some
        last = some[-1]


def _find_beyond(last: Model, order: Iterable[str]) -> Q:
    first, *others = order
    value = getattr(last, first)
    beyond = Q(**{f"{first}__gt": value})
    return beyond | (Q(**{first: value}) & _find_beyond(last, others)) if others else beyond


TABLES: dict[str, Callable[[User], Iterator[Row]]] = {
    "user": _read_user,
    "accounts": _read_accounts,
    "transactions": _read_transactions,
    "holds": _read_holds,
    "claims": _read_claims,
    "events": _read_events,
    "tokens": _read_tokens,
    "corrections": _read_corrections,
    "erasures": _read_erasures,
    "record": _read_record,
}

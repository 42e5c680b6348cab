"""Forgetting an account holder: one person asks, another approves, and it is carried out at once.

Whatever is personal then is gone from the ledger: the user's name, external id and metadata, the metadata and
the reason of the status of their accounts, and every personal text that is theirs, or in which somebody has
named them: the words of searches, reasons in the record (`accounts.mentions` says how they are found). Money
stays, with its references and metadata, which are bookkeeping; so do the names of accounts. No MAC, chain or
anchor covers more of a personal text than its MAC, so that all of them stay right (ADR 26). Functions name
their `caller`, own their transaction and write their entry of the record last.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection
from django.db.transaction import atomic

from accounts import errors, mentions, operations, queries, tokens
from accounts.models import Account, Erasure, Token, User, replace_row
from events import record
from events.models import NIL
from events.texts import ERASED
from ledger import macs
from ledger.callers import ActorKind, Caller
from ledger.errors import gettext_noop
from ledger.sql import fetch
from ledger.values import format_optional_time, format_time

PERMISSION = "accounts.erase_user"
FREE_WORDS = [
    "words",
    "reason",
    "after/reason",
    "after/link",
]  # the places of what people wrote or searched, in the record and in events
SINCE_TRANSACTION_TIMEOUT = 170000
# All texts of others are looked through: that may take longer than a request may.
TAKE_TIME = "SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on"
MENTIONING = """
SELECT id, content::text FROM events_text
WHERE content IS NOT NULL AND owner IS DISTINCT FROM %s AND content - %s::text[] = '{}'
    AND EXISTS (SELECT FROM unnest(%s::text[]) AS needle WHERE strpos(lower(content::text), needle) > 0)
"""
DECIDE = """
UPDATE accounts_erasure SET status = %s, checker_id = %s, reason = %s, external_id_hash = %s,
    decided_at = now(), hash_until = now() + %s
WHERE id = %s RETURNING decided_at, hash_until
"""
ERASE_TEXTS = "UPDATE events_text SET content = NULL WHERE owner = %s AND content IS NOT NULL RETURNING id"
ERASE_MENTIONS = (
    "UPDATE events_text SET content = NULL WHERE id = ANY(%s) AND content IS NOT NULL RETURNING id"
)
ERASE_USER = """
UPDATE accounts_user SET name = %s, external_id = NULL, metadata = '{}', created_as = NULL, erased_at = %s,
    event_sequence = %s, last_recorded_at = %s
WHERE id = %s
"""
ERASE_ACCOUNT = """
UPDATE accounts_account SET metadata = '{}', status_reason = %s, event_sequence = %s, last_recorded_at = %s
WHERE id = %s
"""
_forgetting: list[Callable[[UUID], None]] = []
FORGET_HASHES = """
UPDATE accounts_erasure SET external_id_hash = NULL, hash_until = NULL
WHERE external_id_hash IS NOT NULL AND hash_until <= clock_timestamp()
"""


def register(forget: Callable[[UUID], None]) -> None:
    """Call `forget` with the user's id in the transaction of every erasure: for a package above that keeps
    words of people.
    """
    _forgetting[:] = [forget]


@atomic
def ask(*, user_id: UUID, reason: str, caller: Caller) -> Erasure:
    """Ask for a person to be forgotten: nothing happens to them before a second person approves.

    Raises `UserNotFound`, `NotAHolder`, `UserErased`, `ErasureWaiting`.
    """
    return _ask(_lock_holder(user_id), caller.actor or NIL, reason, caller)


@atomic
def approve(*, id: UUID, caller: Caller, reason: str = "") -> Erasure:
    """Forget the person, as somebody else than who has asked for it.

    Raises `ErasureDecided`, `SameEraser`, `EraserNotPermitted`.
    """
    erasure = _lock_waiting(id)
    _require_eraser(checker := User.objects.get(pk=caller.actor or NIL))
    if erasure.maker_id == checker.pk:
        raise errors.SameEraser(gettext_noop("Somebody else must approve what you have asked for."))
    _carry_out(erasure, checker, caller, reason, "approved")
    return erasure


@atomic
def reject(*, id: UUID, caller: Caller, reason: str) -> Erasure:
    """Nobody is forgotten; who has asked for it may do this too. Raises `ErasureDecided`."""
    erasure = _lock_waiting(id)
    [[erasure.decided_at, _]] = fetch(
        DECIDE, [Erasure.Status.REJECTED, caller.actor, erasure.reason, None, None, id]
    )
    erasure.status, erasure.checker_id = Erasure.Status.REJECTED, caller.actor
    _record(caller, erasure, "rejected", reason)
    return erasure


@atomic
def erase_at_once(*, user_id: UUID, approvers: tuple[UUID, UUID], reason: str, caller: Caller) -> Erasure:
    """Break the glass: an operator forgets a person whom two members of staff have agreed to forget.

    Both are named in the record. What waits for approval is carried out by this. Raises `UserNotFound`,
    `NotAHolder`, `UserErased`, `SameEraser`, `EraserNotPermitted`.
    """
    maker, checker = (User.objects.get(pk=id) for id in approvers)
    for each in (maker, checker):
        _require_eraser(each)
    if maker == checker:
        raise errors.SameEraser("Two different people must approve it.")
    of_user = Erasure.objects.filter(user=user_id, status=Erasure.Status.WAITING)
    waiting = of_user.select_for_update(no_key=True, of=("self",)).first()
    user = _lock_holder(user_id)
    if waiting and waiting.maker_id not in approvers:
        raise errors.ErasureWaiting("It waits for approval in the office: approve or reject it there.")
    erasure = waiting or _ask(user, maker.pk, reason, caller)
    _carry_out(erasure, maker if erasure.maker_id == checker.pk else checker, caller, reason, "forced")
    return erasure


@atomic
def forget_hashes() -> int:
    """Let go the hashes of external ids whose time is over: these may be used again. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_HASHES)
        return int(cursor.rowcount)


def find_mentions(user: User, words: mentions.Words) -> list[UUID]:
    """The texts of others that name the person, of what was searched or given as a reason and no more.

    Looks at every text of the ledger.
    """
    found = fetch(MENTIONING, [user.pk, FREE_WORDS, words.needles])
    return [id for id, content in found if words.are_in_any(orjson.loads(content))]


def count_waiting(*, limit: int) -> int:
    """How many wait for approval; `limit` means that many or more."""
    return len(Erasure.objects.filter(status=Erasure.Status.WAITING).values_list("id")[:limit])


def take_time() -> None:
    """Let the transaction take as long as it needs, and read whole tables."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TIME)
        if connection.pg_version >= SINCE_TRANSACTION_TIMEOUT:  # type: ignore[attr-defined]
            cursor.execute("SET LOCAL transaction_timeout = 0")


def _ask(user: User, maker_id: UUID, reason: str, caller: Caller) -> Erasure:
    if Erasure.objects.filter(user=user, status=Erasure.Status.WAITING).exists():
        raise errors.ErasureWaiting(gettext_noop("Somebody has asked to forget this person already."))
    erasure = Erasure.objects.create(user=user, reason=reason, maker_id=maker_id)
    _record(caller, erasure, "asked", reason)
    return erasure


def _lock_holder(user_id: UUID) -> User:
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise errors.UserNotFound(gettext_noop("There is no such user."))
    if user.kind != ActorKind.HOLDER:
        raise errors.NotAHolder(
            gettext_noop("This is no account holder: names of staff and services stay on what they did.")
        )
    if user.erased_at:
        raise errors.UserErased(gettext_noop("This person was forgotten already."))
    return user


def _lock_waiting(id: UUID) -> Erasure:
    erasure = Erasure.objects.select_for_update(no_key=True, of=("self",)).get(id=id)
    if erasure.status != Erasure.Status.WAITING:
        raise errors.ErasureDecided(gettext_noop("This was decided already."))
    return erasure


def _require_eraser(member: User) -> None:
    if not (member.is_active and member.is_staff and member.has_perm(PERMISSION)):
        raise errors.EraserNotPermitted(
            gettext_noop("Who approves it must be an active member of staff who may forget people.")
        )


def _carry_out(erasure: Erasure, checker: User, caller: Caller, reason: str, how: str) -> None:
    """The scan comes before the locks of the accounts, so that no posting waits for it."""
    take_time()
    user = _lock_holder(erasure.user_id)
    words = mentions.find_words(user)
    mentioning = find_mentions(user, words)
    asked, decided = (ERASED if words.are_in(each) else each for each in (erasure.reason, reason))
    hash = macs.compute("external_id", user.external_id) if user.external_id else None
    kept = timedelta(days=settings.ERASED_ID_DAYS) if hash else None
    [[erasure.decided_at, erasure.hash_until]] = fetch(
        DECIDE, [Erasure.Status.DONE, checker.pk, asked, hash, kept, erasure.id]
    )
    erasure.status, erasure.checker, erasure.reason = Erasure.Status.DONE, checker, asked
    erasure.external_id_hash = hash
    live = Token.objects.filter(user=user, revoked_at=None)
    for key in list(live.values_list("token_key", flat=True)):
        tokens.revoke(token_key=key, caller=caller)
    fetch(ERASE_TEXTS, [user.pk])
    _erase_reasons(user, words)
    others = [id for [id] in fetch(ERASE_MENTIONS, [mentioning])]
    for forget in _forgetting:
        forget(user.pk)
    _erase_rows(user, caller)
    _record(caller, erasure, how, decided, others)


def _erase_reasons(user: User, words: mentions.Words) -> None:
    """Of what was asked before for this person, and of what names them."""
    kept = Erasure.objects.exclude(reason=ERASED).values_list("id", "user", "status", "reason")
    naming = [
        id
        for id, of, status, reason in kept.iterator()
        if words.are_in(reason) or (of == user.pk and status == Erasure.Status.REJECTED)
    ]
    Erasure.objects.filter(id__in=naming).update(reason=ERASED)


def _erase_rows(user: User, caller: Caller) -> None:
    """The user and their accounts, each in the statement of the event that tells it."""
    ids = Account.objects.filter(user=user).values_list("id", flat=True)
    operations.lock_rows(ids, ("id",))
    moment = operations.read_clock()
    for account in Account.objects.with_held_due().filter(user=user).order_by("id"):
        reason = ERASED if account.status_reason else ""
        last = max(moment, account.last_recorded_at)
        erased = replace_row(
            account,
            metadata={},
            status_reason=reason,
            event_sequence=account.event_sequence + 1,
            last_recorded_at=last,
        )
        values = [reason, erased.event_sequence, last, account.id]
        operations.tell(
            erased, "account.changed", erased.to_dict(), caller, change=ERASE_ACCOUNT, values=values
        )
    last = max(operations.read_clock(), user.last_recorded_at)  # after its accounts'
    user.name, user.external_id, user.metadata, user.created_as = ERASED, None, {}, None
    user.erased_at, user.last_recorded_at, user.event_sequence = last, last, user.event_sequence + 1
    data = queries.read_accounts(user).to_dict()
    values = [ERASED, last, user.event_sequence, last, user.pk]
    operations.tell(user, "user.erased", data, caller, change=ERASE_USER, values=values)


def _record(caller: Caller, erasure: Erasure, what: str, reason: str, others: Collection[UUID] = ()) -> None:
    """What its entries say; the audit compares the row with them, and every erased text."""
    after: dict[str, Any] = {
        "user": str(erasure.user_id),
        "status": str(erasure.status),
        "asked_by": str(erasure.maker_id),
        "asked_at": format_time(erasure.asked_at),
        "decided_by": erasure.checker_id and str(erasure.checker_id),
        "decided_at": format_optional_time(erasure.decided_at),
    }
    if erasure.status == Erasure.Status.DONE:
        after |= {"reason": erasure.reason, "texts_of_others": sorted(map(str, others))}
    record.write(
        caller,
        type=f"erasure.{what}",
        subject="erasure",
        subject_id=erasure.id,
        owner=erasure.user_id,
        before=None if what == "asked" else {"status": str(Erasure.Status.WAITING)},
        after=after,
        reason=reason,
    )

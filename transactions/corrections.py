"""What staff put right: deposits and withdrawals of their own, and reversals.

Above a limit a second person must approve. The correction's id is that of the transaction it becomes, so it
is posted once, whatever happens.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet, Sum
from django.db.models.functions import Now
from django.db.transaction import atomic
from psycopg.errors import UniqueViolation

from accounts import errors, idempotency, operations
from accounts.models import Account, User
from events import record
from events.models import NIL
from ledger.callers import ActorKind, Caller
from ledger.errors import gettext_noop
from ledger.text import Rule, require_text
from ledger.values import format_optional_time, format_time
from transactions import posting
from transactions.errors import TRANSFER_DECLINED, CorrectionDecided, SameApprover
from transactions.models import Correction, Transaction, derive_destination_id
from transactions.posting.commands import (
    Command,
    NewTransaction,
    Reversal,
    require_amount,
    require_scale,
)
from transactions.reading import queries

UNAPPROVED_WITHIN = timedelta(days=1)  # what somebody corrects alone is added up over so long


def adjust(
    *,
    id: UUID,
    account_id: UUID,
    type: Transaction.Type,
    amount: Decimal,
    reference: str,
    reason: str,
    caller: Caller,
) -> Correction:
    """A deposit or withdrawal by staff; posted at once, or waiting for approval.

    Raises `AccountNotFound`, `Amount…`, `Text…`, `IdempotencyKeyReused`.
    """
    require_amount(amount)
    require_text(reference, Rule.IDENTIFIER, "reference")
    account = Account.objects.filter(id=account_id).first()
    if account is None:
        raise errors.AccountNotFound(gettext_noop("There is no such account."))
    require_scale(amount, account.currency)
    return _propose(
        Correction(
            id=id,
            kind=Correction.Kind.ADJUSTMENT,
            account=account,
            type=type,
            amount=amount,
            reference=reference,
            reason=reason,
        ),
        caller,
    )


def reverse(*, id: UUID, transaction_id: UUID, amount: Decimal, reason: str, caller: Caller) -> Correction:
    """Take a transaction back, `amount` of it, and of a transfer both legs; at once, or when it is approved.

    What is approved is this amount: if less is left then, the ledger declines it. Raises
    `TransactionNotFound`, `NotReversible`, `Amount…`, `IdempotencyKeyReused`.
    """
    rows = _find_rows(transaction_id)
    # It refuses what cannot be reversed.
    command = Reversal(id=id, reason=reason, rows=rows, amount=amount, transaction_id=transaction_id)
    account = next(row.account for row in rows if row.id == transaction_id)
    require_scale(amount, account.currency)
    return _propose(
        Correction(
            id=id,
            kind=Correction.Kind.REVERSAL,
            account=account,
            type=next(leg.type for leg in command.legs if leg.reverses == transaction_id),
            amount=amount,
            reverses=transaction_id,
            reason=reason,
        ),
        caller,
    )


@atomic
def approve(*, id: UUID, caller: Caller, reason: str = "") -> Correction:
    """Post it, as a second person. Raises `CorrectionDecided`, `SameApprover`."""
    correction = _lock_waiting(id, caller)
    if correction.maker_id == caller.actor:
        raise SameApprover(gettext_noop("Somebody else must approve what you have asked for."))
    _post(correction, caller.request_id)
    _record(caller, correction, "approved", _describe_decision(correction), reason)
    return correction


@atomic
def reject(*, id: UUID, caller: Caller, reason: str) -> Correction:
    """Nothing is posted; its maker may do this too. Raises `CorrectionDecided`."""
    correction = _lock_waiting(id, caller)
    _decide(correction, Correction.Status.REJECTED, reason)
    _record(caller, correction, "rejected", _describe_decision(correction), reason)
    return correction


def find_transactions(correction: Correction) -> list[Transaction]:
    """What became of it: nothing yet, a transaction, or both legs of a transfer. Its own account's first."""
    rows = queries.find_transactions([correction.id, derive_destination_id(correction.id)])
    return sorted(rows.values(), key=lambda row: row.account_id != correction.account_id)


def find_decline(rows: Sequence[Transaction]) -> Transaction | None:
    """The one of a transfer's legs, or the only row, that could not be posted."""
    return min(
        (row for row in rows if row.decline_reason),
        key=lambda row: row.decline_reason == TRANSFER_DECLINED,
        default=None,
    )


def count_waiting(*, limit: int) -> int:
    """How many wait for approval; `limit` means that many or more."""
    return len(Correction.objects.filter(status=Correction.Status.WAITING).values_list("id")[:limit])


def find_waiting_reversals(transaction_id: UUID) -> QuerySet[Correction]:
    """Who has asked for this transaction's reversal, or that of a part, which waits for approval."""
    waiting = Correction.objects.filter(status=Correction.Status.WAITING, reverses=transaction_id)
    return waiting.select_related("maker").order_by("made_at", "id")


@atomic
def _propose(correction: Correction, caller: Caller) -> Correction:
    """Under the lock of its maker, so that two small ones cannot pass a limit that they pass together."""
    correction.maker = User.objects.select_for_update(no_key=True).get(id=caller.actor or NIL)
    correction.request_id = caller.request_id
    if before := Correction.objects.filter(id=correction.id).first():
        asked, was = (
            {name: getattr(each, name) for name in Correction.ASKED} for each in (correction, before)
        )
        if differs := idempotency.find_differences(asked, was):
            raise _refuse_reuse(before.maker_id, differs)
        return before
    correction.needs_approval = _exceeds_limit(correction)
    try:
        correction.save(force_insert=True)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):  # another maker's, at once
            raise _refuse_reuse(idempotency.NIL, []) from None
        raise
    if not correction.needs_approval:
        _post(correction, caller.request_id)
    made = "proposed" if correction.needs_approval else correction.status.lower()
    _record(caller, correction, made, _describe_making(correction), correction.reason)
    return correction


def _refuse_reuse(maker_id: UUID, differs: list[str]) -> errors.IdempotencyKeyReused:
    return errors.IdempotencyKeyReused(
        gettext_noop("This form was sent before, with other contents."),
        differs=differs,
        confidential_to=(maker_id, "transactions.view_correction"),
    )


def _exceeds_limit(correction: Correction) -> bool:
    """Whether its maker would correct more than the currency's limit within a day without approval.

    What the ledger declined moved nothing, and does not count.
    """
    currency = correction.account.currency
    limit: Decimal | None = settings.APPROVAL_ABOVE.get(currency)
    if limit is None:
        return True
    alone = Correction.objects.filter(
        maker=correction.maker,
        account__currency=currency,
        needs_approval=False,
        status=Correction.Status.POSTED,
        made_at__gt=operations.read_clock() - UNAPPROVED_WITHIN,
    )
    before: Decimal = alone.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return before + correction.amount > limit


def _find_rows(transaction_id: UUID) -> list[Transaction]:
    """The transaction to be reversed, or both legs. Raises `TransactionNotFound`."""
    return queries.find_whole(queries.with_resources(Transaction.objects.all()), transaction_id)


def _lock_waiting(id: UUID, caller: Caller) -> Correction:
    """The correction, which is still to be decided, with who decides it; nothing is written yet."""
    correction = Correction.objects.select_for_update(no_key=True, of=("self",)).get(id=id)
    if correction.status != Correction.Status.WAITING:
        raise CorrectionDecided(gettext_noop("This was decided already."))
    correction.checker_id = caller.actor
    return correction


def _post(correction: Correction, request_id: str) -> None:
    """Through the engine. What it declines is declined for good: the next attempt is another correction."""
    if correction.reverses is not None:
        command: Command = Reversal(
            id=correction.id,
            reason=correction.reason,
            rows=_find_rows(correction.reverses),
            amount=correction.amount,
            transaction_id=correction.reverses,
        )
    else:
        command = NewTransaction(
            id=correction.id,
            account_id=correction.account_id,
            type=Transaction.Type(correction.type),
            amount=correction.amount,
            reference=correction.reference,
            metadata={"reason": correction.reason},
        )
    result = posting.post(command, caller=Caller(correction.maker_id, ActorKind.STAFF, request_id))
    is_declined = any(row.decline_reason for row in result.transactions)
    _decide(correction, Correction.Status.DECLINED if is_declined else Correction.Status.POSTED)


def _decide(correction: Correction, status: Correction.Status, reason: str = "") -> None:
    correction.status = status
    correction.decision_reason = reason
    correction.decided_at = Now()
    correction.save(update_fields=["status", "checker", "decided_at", "decision_reason"])
    correction.refresh_from_db(fields=["decided_at"])


def _describe_making(correction: Correction) -> dict[str, Any]:
    """What its first entry says of it; the audit compares it with the row."""
    return {
        "kind": correction.kind,
        "account": str(correction.account_id),
        "type": correction.type,
        "amount": f"{correction.amount:f}",
        "reference": correction.reference,
        "reverses": correction.reverses and str(correction.reverses),
        "made_at": format_time(correction.made_at),
        "needs_approval": correction.needs_approval,
        **_describe_decision(correction),
    }


def _describe_decision(correction: Correction) -> dict[str, Any]:
    return {"status": str(correction.status), "decided_at": format_optional_time(correction.decided_at)}


def _record(caller: Caller, correction: Correction, what: str, after: dict[str, Any], reason: str) -> None:
    record.write(
        caller,
        type=f"correction.{what}",
        subject="correction",
        subject_id=correction.id,
        owner=correction.account.user_id,
        before={"status": "WAITING"} if what in ("approved", "rejected") else None,
        after=after,
        reason=reason,
    )

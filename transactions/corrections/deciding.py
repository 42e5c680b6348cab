"""What becomes of what staff ask for: it is posted, or waits for a second person's answer."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Sum
from django.db.models.functions import Now
from django.db.transaction import atomic
from psycopg.errors import UniqueViolation

from accounts import errors, idempotency, operations
from accounts.models import User
from events import record
from events.models import NIL
from ledger.callers import ActorKind, Caller
from ledger.errors import gettext_noop
from ledger.values import format_optional_time, format_time
from transactions import posting
from transactions.errors import CorrectionDecided, SameApprover
from transactions.models import Correction, Transaction
from transactions.posting.commands import (
    ClaimedReversal,
    Command,
    NewClaim,
    NewTransaction,
    Reversal,
    WaiveClaim,
)
from transactions.reading import queries

UNAPPROVED_WITHIN = timedelta(days=1)  # what somebody corrects alone is added up over so long


@atomic
def approve(*, id: UUID, caller: Caller, reason: str = "") -> Correction:
    """Post it, as a second person. Raises `CorrectionDecided`, `SameApprover`, `ClaimNotOpen`."""
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


@atomic
def propose(correction: Correction, caller: Caller) -> Correction:
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


def find_rows(transaction_id: UUID) -> list[Transaction]:
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
    """Through the engine. What it declines is declined for good: the next attempt is another correction.

    Raises `ClaimNotOpen` if the claim that it waives is not open any more.
    """
    caller = Caller(correction.maker_id, ActorKind.STAFF, request_id)
    result = posting.post(make_command(correction), caller=caller)
    if correction.claim and result.claim.waived_reason != correction.reason:
        raise errors.ClaimNotOpen(gettext_noop("The claim is not open any more."))  # another waived it
    is_declined = posting.find_culprit([result]) is not None
    _decide(correction, Correction.Status.DECLINED if is_declined else Correction.Status.POSTED)


def make_command(correction: Correction) -> Command:
    """What is posted if it is approved. Raises `TransactionNotFound`, `NotReversible`, `NotClaimable`."""
    id, reason, amount = correction.id, correction.reason, correction.amount
    match correction.kind:
        case Correction.Kind.CLAIM if correction.reverses:
            rows = find_rows(correction.reverses)
            return ClaimedReversal(id=id, reason=reason, rows=rows, amount=amount)
        case Correction.Kind.CLAIM:
            return NewClaim(
                id=id,
                account_id=correction.account_id,
                amount=amount,
                reason=reason,
                reference=correction.reference,
                destination=correction.destination,
            )
        case Correction.Kind.WAIVER if correction.claim:
            return WaiveClaim(claim_id=correction.claim, account_id=correction.account_id, reason=reason)
        case Correction.Kind.REVERSAL if correction.reverses:
            rows = find_rows(correction.reverses)
            return Reversal(
                id=id, reason=reason, rows=rows, amount=amount, transaction_id=correction.reverses
            )
    return NewTransaction(
        id=id,
        account_id=correction.account_id,
        type=Transaction.Type(correction.type),
        amount=amount,
        reference=correction.reference,
        metadata={"reason": reason},
    )


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
        "claim": correction.claim and str(correction.claim),
        "destination": correction.destination and str(correction.destination),
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

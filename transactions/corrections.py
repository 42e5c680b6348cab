"""What staff put right: deposits and withdrawals of their own, and reversals.

Above a limit a second person must approve. The correction's id is that of the transaction it becomes, so it
is posted once, whatever happens.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Sum
from django.db.models.functions import Now
from django.db.transaction import atomic
from psycopg.errors import UniqueViolation

from accounts import errors, idempotency, operations
from accounts.models import Account, User
from ledger.callers import ActorKind
from ledger.errors import gettext_noop
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
    maker_id: UUID,
    request_id: str,
) -> Correction:
    """A deposit or withdrawal by staff; posted at once, or waiting for approval.

    Raises `AccountNotFound`, `Amount…`, `IdempotencyKeyReused`.
    """
    require_amount(amount)
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
            maker_id=maker_id,
            request_id=request_id,
        )
    )


def reverse(*, id: UUID, transaction_id: UUID, reason: str, maker_id: UUID, request_id: str) -> Correction:
    """Take a transaction back, of a transfer both legs; at once, or when it is approved.

    Raises `TransactionNotFound`, `NotReversible`, `IdempotencyKeyReused`.
    """
    rows = _find_rows(transaction_id)
    legs = Reversal(id=id, reason=reason, rows=rows).legs  # refuses what cannot be reversed
    return _propose(
        Correction(
            id=id,
            kind=Correction.Kind.REVERSAL,
            account=next(row.account for row in rows if row.id == transaction_id),
            type=next(leg.type for leg in legs if leg.reverses == transaction_id),
            amount=rows[0].amount,
            reverses=transaction_id,
            reason=reason,
            maker_id=maker_id,
            request_id=request_id,
        )
    )


@atomic
def approve(*, id: UUID, checker_id: UUID, request_id: str) -> Correction:
    """Post it, as a second person. Raises `CorrectionDecided`, `SameApprover`."""
    correction = _lock_waiting(id, checker_id)
    if correction.maker_id == checker_id:
        raise SameApprover(gettext_noop("Somebody else must approve what you have asked for."))
    return _post(correction, request_id)


@atomic
def reject(*, id: UUID, checker_id: UUID, reason: str) -> Correction:
    """Nothing is posted; its maker may do this too. Raises `CorrectionDecided`."""
    return _decide(_lock_waiting(id, checker_id), Correction.Status.REJECTED, reason)


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


def find_waiting_reversal(transaction_id: UUID) -> Correction | None:
    """Who has asked for this transaction's reversal, which waits for approval."""
    waiting = Correction.objects.filter(status=Correction.Status.WAITING, reverses=transaction_id)
    return waiting.select_related("maker").first()


@atomic
def _propose(correction: Correction) -> Correction:
    """Under the lock of its maker, so that two small ones cannot pass a limit that they pass together."""
    User.objects.select_for_update(no_key=True).get(id=correction.maker_id)
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
    if correction.needs_approval:
        return correction
    return _post(correction, correction.request_id)


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


def _lock_waiting(id: UUID, checker_id: UUID) -> Correction:
    """The correction, which is still to be decided, with who decides it; nothing is written yet."""
    correction = Correction.objects.select_for_update(no_key=True, of=("self",)).get(id=id)
    if correction.status != Correction.Status.WAITING:
        raise CorrectionDecided(gettext_noop("This was decided already."))
    correction.checker_id = checker_id
    return correction


def _post(correction: Correction, request_id: str) -> Correction:
    """Through the engine. What it declines is declined for good: the next attempt is another correction."""
    if correction.reverses is not None:
        command: Command = Reversal(
            id=correction.id, reason=correction.reason, rows=_find_rows(correction.reverses)
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
    [result] = posting.post(
        [command], actor=correction.maker_id, actor_kind=ActorKind.STAFF, request_id=request_id
    )
    is_declined = any(row.decline_reason for row in result.transactions)
    return _decide(correction, Correction.Status.DECLINED if is_declined else Correction.Status.POSTED)


def _decide(correction: Correction, status: Correction.Status, reason: str = "") -> Correction:
    correction.status = status
    correction.decision_reason = reason
    correction.decided_at = Now()
    correction.save(update_fields=["status", "checker", "decided_at", "decision_reason"])
    correction.refresh_from_db(fields=["decided_at"])
    return correction

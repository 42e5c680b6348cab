"""What becomes of what staff ask for: it is posted, or waits for a second person's answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Case, Sum, Value, When
from django.db.models.functions import Now
from django.db.transaction import atomic
from psycopg.errors import UniqueViolation

from accounts import errors, idempotency, operations
from accounts.models import User
from events.models import NIL
from ledger.callers import ActorKind, Caller
from ledger.errors import gettext_noop
from transactions import posting
from transactions.corrections.commands import make_batch, make_commands
from transactions.corrections.telling import record_decision, record_making
from transactions.errors import CorrectionDecided, SameApprover
from transactions.models import Correction

UNAPPROVED_WITHIN = timedelta(days=1)  # what somebody corrects alone is added up over so long


@atomic
def approve(*, id: UUID, caller: Caller, reason: str = "") -> Correction:
    """Post it, with all of its batch, as a second person.

    Raises `CorrectionDecided`, `SameApprover`, `ClaimNotOpen`.
    """
    waiting = _lock_waiting(id)
    if waiting[0].maker_id == caller.actor:
        raise SameApprover(gettext_noop("Somebody else must approve what you have asked for."))
    _post(waiting, caller.request_id, checker_id=caller.actor)
    record_decision(waiting, caller, "approved", reason)
    return _get(id, waiting)


@atomic
def reject(*, id: UUID, caller: Caller, reason: str) -> Correction:
    """Nothing is posted, of all of its batch; its maker may do this too. Raises `CorrectionDecided`."""
    waiting = _lock_waiting(id)
    _decide(waiting, caller.actor, rejected=waiting, reason=reason)
    record_decision(waiting, caller, "rejected", reason)
    return _get(id, waiting)


@atomic
def propose(correction: Correction, caller: Caller) -> Correction:
    """Under the lock of its maker, so that two small ones cannot pass a limit that they pass together."""
    correction.maker = lock_maker(caller)
    if before := Correction.objects.filter(id=correction.id).first():
        require_the_same([correction], [before])
        return before
    make([correction], caller)
    return correction


def lock_maker(caller: Caller) -> User:
    return User.objects.select_for_update(no_key=True).get(id=caller.actor or NIL)


def make(corrections: Sequence[Correction], caller: Caller) -> None:
    """New ones, all of one maker, who is locked: posted at once, or all of them wait.

    Raises `IdempotencyKeyReused` if another maker has one of the ids.
    """
    needs_approval = _exceed_limit(corrections)
    for each in corrections:
        each.request_id, each.needs_approval = caller.request_id, needs_approval
    try:
        Correction.objects.bulk_create(corrections)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):  # another maker's, at once
            raise _refuse_reuse(idempotency.NIL, []) from None
        raise
    if not needs_approval:
        _post(corrections, caller.request_id)
    record_making(corrections, caller)


def require_the_same(asked: Sequence[Correction], before: Sequence[Correction]) -> None:
    """That it is the same form, sent again. Of a batch the amounts are what was left the first time.

    Raises `IdempotencyKeyReused`.
    """
    names = [name for name in Correction.ASKED if asked[0].batch is None or name != "amount"]
    differs: list[str] = [] if len(asked) == len(before) else ["batch"]
    for each, was in zip(asked, before, strict=False):
        values = ({name: getattr(one, name) for name in names} for one in (each, was))
        differs += [name for name in idempotency.find_differences(*values) if name not in differs]
    if differs:
        raise _refuse_reuse(before[0].maker_id, differs)


def _refuse_reuse(maker_id: UUID, differs: list[str]) -> errors.IdempotencyKeyReused:
    return errors.IdempotencyKeyReused(
        gettext_noop("This form was sent before, with other contents."),
        differs=differs,
        confidential_to=(maker_id, "transactions.view_correction"),
    )


def _exceed_limit(corrections: Sequence[Correction]) -> bool:
    """Whether their maker would correct more than a currency's limit within a day without approval.

    They count together. What the ledger declined moved nothing, and does not count.
    """
    asked: dict[str, Decimal] = {}
    for each in corrections:
        currency = each.account.currency
        asked[currency] = asked.get(currency, Decimal(0)) + each.amount
    since = operations.read_clock() - UNAPPROVED_WITHIN
    return any(
        (limit := settings.APPROVAL_ABOVE.get(currency)) is None
        or _sum_alone(corrections[0].maker, currency, since) + sum > limit
        for currency, sum in asked.items()
    )


def _sum_alone(maker: User, currency: str, since: datetime) -> Decimal:
    """What they have corrected in the currency without approval."""
    alone = Correction.objects.filter(
        maker=maker,
        account__currency=currency,
        needs_approval=False,
        status=Correction.Status.POSTED,
        made_at__gt=since,
    )
    return alone.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _lock_waiting(id: UUID) -> list[Correction]:
    """The correction, or all of its batch in their order, still to be decided; nothing is written yet."""
    batch = Correction.objects.values_list("batch", flat=True).get(id=id)
    asked = Correction.objects.select_related("account").select_for_update(no_key=True, of=("self",))
    found = list(asked.filter(batch=batch).order_by("place") if batch else asked.filter(id=id))
    if any(each.status != Correction.Status.WAITING for each in found):
        raise CorrectionDecided(gettext_noop("This was decided already."))
    return found


def _get(id: UUID, corrections: Sequence[Correction]) -> Correction:
    return next(each for each in corrections if each.id == id)


def _post(corrections: Sequence[Correction], request_id: str, *, checker_id: UUID | None = None) -> None:
    """Through the engine. What it declines is declined for good: the next attempt is another correction.

    Raises `ClaimNotOpen` if the claim that it waives is not open any more.
    """
    caller = Caller(corrections[0].maker_id, ActorKind.STAFF, request_id)
    results = posting.post(make_commands(corrections), caller=caller, batch=make_batch(corrections))
    for each, result in zip(corrections, results, strict=True):
        if each.claim and result.claim.waived_reason != each.reason:
            raise errors.ClaimNotOpen(gettext_noop("The claim is not open any more."))  # another waived it
    declined = [
        each
        for each, result in zip(corrections, results, strict=True)
        if posting.find_culprit([result]) is not None
    ]
    _decide(corrections, checker_id, declined=declined)


def _decide(
    corrections: Sequence[Correction],
    checker_id: UUID | None,
    *,
    declined: Sequence[Correction] = (),
    rejected: Sequence[Correction] = (),
    reason: str = "",
) -> None:
    """At one moment. What is neither declined nor rejected is posted."""
    for each in corrections:
        each.status = Correction.Status.POSTED
    for status, those in ((Correction.Status.DECLINED, declined), (Correction.Status.REJECTED, rejected)):
        for each in those:
            each.status = status
    of = {status: [each.id for each in corrections if each.status == status] for status in Correction.Status}
    Correction.objects.filter(id__in=[each.id for each in corrections]).update(
        status=Case(*(When(id__in=ids, then=Value(status)) for status, ids in of.items() if ids)),
        checker=checker_id,
        decided_at=Now(),
        decision_reason=reason,
    )
    decided_at = Correction.objects.values_list("decided_at", flat=True).get(id=corrections[0].id)
    for each in corrections:
        each.checker_id, each.decided_at, each.decision_reason = checker_id, decided_at, reason

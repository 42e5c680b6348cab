"""What staff can ask for, each as its maker: posted at once, or waiting for approval.

`then` is what is done with it. With `draft` nothing is: it is answered unsaved, to be rehearsed.
"""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from accounts import errors
from accounts.models import Account, Claim
from ledger.callers import Caller
from ledger.errors import gettext_noop
from ledger.text import Rule, require_text
from transactions.corrections.commands import find_rows
from transactions.corrections.deciding import propose
from transactions.errors import CurrencyMismatch, SameAccount
from transactions.models import Correction, Transaction
from transactions.posting.commands import ClaimedReversal, Reversal, require_amount, require_scale

Then = Callable[[Correction, Caller], Correction]


def draft(correction: Correction, maker: Caller) -> Correction:
    """As it would be asked for: nothing is saved."""
    return correction


def adjust(
    *,
    id: UUID,
    account_id: UUID,
    type: Transaction.Type,
    amount: Decimal,
    reference: str,
    reason: str,
    caller: Caller,
    then: Then = propose,
) -> Correction:
    """A deposit or withdrawal by staff.

    Raises `AccountNotFound`, `Amount…`, `Text…`, `IdempotencyKeyReused`.
    """
    require_text(reference, Rule.IDENTIFIER, "reference")
    account = _get_account(account_id, amount)
    correction = Correction(
        id=id,
        kind=Correction.Kind.ADJUSTMENT,
        account=account,
        type=type,
        amount=amount,
        reference=reference,
        reason=reason,
    )
    return then(correction, caller)


def reverse(
    *, id: UUID, transaction_id: UUID, amount: Decimal, reason: str, caller: Caller, then: Then = propose
) -> Correction:
    """Take a transaction back, `amount` of it, and of a transfer both legs.

    What is approved is this amount: if less is left then, the ledger declines it. Raises
    `TransactionNotFound`, `NotReversible`, `Amount…`, `IdempotencyKeyReused`.
    """
    rows = find_rows(transaction_id)
    # It refuses what cannot be reversed.
    command = Reversal(id=id, reason=reason, rows=rows, amount=amount, transaction_id=transaction_id)
    account = next(row.account for row in rows if row.id == transaction_id)
    require_scale(amount, account.currency)
    correction = Correction(
        id=id,
        kind=Correction.Kind.REVERSAL,
        account=account,
        type=next(leg.type for leg in command.legs if leg.reverses == transaction_id),
        amount=amount,
        reverses=transaction_id,
        reason=reason,
    )
    return then(correction, caller)


def claim_back(
    *, id: UUID, transaction_id: UUID, amount: Decimal, reason: str, caller: Caller, then: Then = propose
) -> Correction:
    """Take back what came in as `reverse` does; what is not there any more is owed by who has received it.

    Raises what `reverse` does, and `NotClaimable`.
    """
    rows = find_rows(transaction_id)
    # It refuses what cannot be claimed.
    command = ClaimedReversal(id=id, reason=reason, rows=rows, amount=amount)
    command.require_one_currency({row.account_id: row.account.currency for row in rows})
    account = next(row.account for row in rows if row.account_id == command.account_id)
    require_scale(amount, account.currency)
    correction = Correction(
        id=id,
        kind=Correction.Kind.CLAIM,
        account=account,
        type=Transaction.Type.WITHDRAW,
        amount=amount,
        reverses=command.reverses,
        reason=reason,
    )
    return then(correction, caller)


def claim(
    *,
    id: UUID,
    account_id: UUID,
    amount: Decimal,
    reference: str,
    destination: UUID | None,
    reason: str,
    caller: Caller,
    then: Then = propose,
) -> Correction:
    """Claim an amount of an account: what is there is taken at once, the rest is owed.

    `destination` is the account that is paid, in the same currency; None: it leaves the ledger. Raises
    `AccountNotFound`, `SameAccount`, `CurrencyMismatch`, `Amount…`, `Text…`, `IdempotencyKeyReused`.
    """
    require_text(reference, Rule.IDENTIFIER, "reference")
    account = _get_account(account_id, amount)
    if destination is not None:
        _require_payee(destination, account)
    correction = Correction(
        id=id,
        kind=Correction.Kind.CLAIM,
        account=account,
        type=Transaction.Type.WITHDRAW,
        amount=amount,
        reference=reference,
        destination=destination,
        reason=reason,
    )
    return then(correction, caller)


def waive(*, id: UUID, claim_id: UUID, reason: str, caller: Caller, then: Then = propose) -> Correction:
    """Ask no more for what a claim has left. Of a waiver the amount is what that was when it was asked for.

    Raises `ClaimNotFound`, `ClaimNotOpen`, `IdempotencyKeyReused`.
    """
    waived = Claim.objects.select_related("account").filter(id=claim_id).first()
    if waived is None:
        raise errors.ClaimNotFound(gettext_noop("There is no such claim."))
    # Sent again, it has the amount of the first time.
    before = Correction.objects.filter(id=id, claim=claim_id).first()
    if before is None and waived.status != Claim.Status.OPEN:
        raise errors.ClaimNotOpen(gettext_noop("The claim is not open any more."), claim_status=waived.status)
    correction = Correction(
        id=id,
        kind=Correction.Kind.WAIVER,
        account=waived.account,
        amount=before.amount if before else waived.remaining,
        claim=claim_id,
        reason=reason,
    )
    return then(correction, caller)


def _get_account(account_id: UUID, amount: Decimal) -> Account:
    """The account, in which the amount can be. Raises `AccountNotFound`, `Amount…`."""
    require_amount(amount)
    account = Account.objects.filter(id=account_id).first()
    if account is None:
        raise errors.AccountNotFound(gettext_noop("There is no such account."))
    require_scale(amount, account.currency)
    return account


def _require_payee(destination: UUID, account: Account) -> None:
    """Raises `AccountNotFound`, `SameAccount`, `CurrencyMismatch`, each about the destination."""
    payee = Account.objects.filter(id=destination).first()
    error: errors.AccountNotFound | SameAccount | CurrencyMismatch
    if payee is None:
        error = errors.AccountNotFound(gettext_noop("There is no such account to be paid."))
    elif payee.id == account.id:
        error = SameAccount(gettext_noop("What is collected goes to another account."))
    elif payee.currency != account.currency:
        error = CurrencyMismatch(gettext_noop("The account to be paid is in another currency."))
    else:
        return
    error.field = "destination"
    raise error

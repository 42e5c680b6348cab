"""What is posted of corrections: the same whether it is rehearsed, posted at once or approved."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from transactions.errors import TransactionNotFound
from transactions.models import Correction, Transaction
from transactions.posting import NewBatch
from transactions.posting.commands import (
    ClaimedReversal,
    Command,
    NewClaim,
    NewTransaction,
    Reversal,
    WaiveClaim,
)
from transactions.reading import queries

Wholes = Mapping[UUID, list[Transaction]]


def find_rows(transaction_id: UUID) -> list[Transaction]:
    """The transaction to be reversed, or both legs. Raises `TransactionNotFound`."""
    return queries.find_whole(queries.with_resources(Transaction.objects.all()), transaction_id)


def make_commands(corrections: Sequence[Correction]) -> list[Command]:
    """What is posted if they are approved. Raises `TransactionNotFound`, `NotReversible`, `NotClaimable`."""
    reversed_ids = [each.reverses for each in corrections if each.reverses]
    every = queries.with_resources(Transaction.objects.all())
    wholes = queries.find_wholes(every, reversed_ids) if reversed_ids else {}
    return [_make_command(each, wholes) for each in corrections]


def make_batch(corrections: Sequence[Correction]) -> NewBatch | None:
    """The list that they are posted as; None: one alone."""
    first = corrections[0]
    if first.batch is None:
        return None
    asked = [[str(each.reverses), each.amount, each.reason] for each in corrections]
    return NewBatch(id=first.batch, asked=asked, atomic=False)


def _make_command(correction: Correction, wholes: Wholes) -> Command:
    id, reason, amount = correction.id, correction.reason, correction.amount
    match correction.kind:
        case Correction.Kind.CLAIM if correction.reverses:
            rows = _get_rows(correction.reverses, wholes)
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
            rows = _get_rows(correction.reverses, wholes)
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


def _get_rows(id: UUID, wholes: Wholes) -> list[Transaction]:
    if id not in wholes:
        raise TransactionNotFound(queries.NO_TRANSACTION)
    return wholes[id]

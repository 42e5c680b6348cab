"""Taking back many transactions at once: asked for, approved and posted as one list."""

from collections.abc import Sequence
from uuid import UUID

from django.db.transaction import atomic

from ledger.callers import Caller
from ledger.errors import gettext_noop
from transactions.corrections.deciding import lock_maker, make, require_the_same
from transactions.errors import ListTooLarge, TransactionNotFound
from transactions.models import Correction, Transaction, derive_item_id
from transactions.posting import ROWS_MAX
from transactions.posting.commands import Reversal
from transactions.reading import queries


@atomic
def reverse_all(
    *, id: UUID, transaction_ids: Sequence[UUID], reason: str, caller: Caller
) -> list[Correction]:
    """Take back what is left of each transaction, and of a transfer both legs, as one list with that id.

    The sum per currency counts for the limit: above it, all of them wait for one approval. What the ledger
    declines is declined alone. Sent again it is answered as it is. Raises `ListTooLarge`,
    `TransactionNotFound`, `NotReversible`, `IdempotencyKeyReused`.
    """
    maker = lock_maker(caller)
    asked = draft_all(id=id, transaction_ids=transaction_ids, reason=reason)
    for each in asked:
        each.maker = maker
    if before := find_batch(id):
        require_the_same(asked, before)
        return before
    make(asked, caller)
    return asked


def draft_all(*, id: UUID, transaction_ids: Sequence[UUID], reason: str) -> list[Correction]:
    """As they would be asked for, in the order of the ids: nothing is saved.

    Of two legs of a transfer the first one stands for it. Raises what `reverse_all` does.
    """
    every = queries.with_resources(Transaction.objects.select_related("account__user"))
    wholes = queries.find_wholes(every, transaction_ids)
    named: dict[UUID, tuple[UUID, list[Transaction]]] = {}
    for transaction_id in transaction_ids:
        if transaction_id not in wholes:
            raise TransactionNotFound(queries.NO_TRANSACTION)
        rows = wholes[transaction_id]
        named.setdefault(rows[0].transfer or rows[0].id, (transaction_id, rows))
    if not 0 < sum(len(rows) for _, rows in named.values()) <= ROWS_MAX:
        raise ListTooLarge(
            gettext_noop("At most 1,000 rows are taken back at once, and at least one; a transfer is two.")
        )
    return [
        _draft(id, place, len(named), transaction_id, rows, reason)
        for place, (transaction_id, rows) in enumerate(named.values())
    ]


def _draft(
    batch: UUID, place: int, batch_size: int, transaction_id: UUID, rows: list[Transaction], reason: str
) -> Correction:
    id = derive_item_id(batch, place)
    row = next(row for row in rows if row.id == transaction_id)
    # It refuses what cannot be reversed.
    command = Reversal(id=id, reason=reason, rows=rows, transaction_id=transaction_id)
    return Correction(
        id=id,
        kind=Correction.Kind.REVERSAL,
        account=row.account,
        type=next(leg.type for leg in command.legs if leg.reverses == transaction_id),
        amount=row.left or row.amount,  # of what has nothing left the ledger says so
        reverses=transaction_id,
        reason=reason,
        batch=batch,
        place=place,
        batch_size=batch_size,
    )


def find_batch(id: UUID) -> list[Correction]:
    """All that were asked for together, in their order."""
    found = Correction.objects.select_related("account__user", "maker", "checker").filter(batch=id)
    return list(found.order_by("place"))

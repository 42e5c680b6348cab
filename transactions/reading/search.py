"""Finding things by an id or a whole reference, as they are now. The rest finds `transactions.search`."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Account, Claim, Hold, User
from transactions.models import Correction, Transaction, derive_destination_id

TRANSACTIONS_MAX = 20
# The index is by reference only. Of a reference that is on more rows than this, any so many are looked at.
ROWS_OF_A_REFERENCE_MAX = 500


@dataclass(frozen=True, kw_only=True)
class Found:
    users: Sequence[User] = ()
    accounts: Sequence[Account] = ()
    transactions: Sequence[Transaction] = ()
    holds: Sequence[Hold] = ()
    claims: Sequence[Claim] = ()
    corrections: Sequence[Correction] = ()

    def __bool__(self) -> bool:
        return any(vars(self).values())


def find_by_id(id: UUID) -> Found:
    """Whatever has this id; both legs when it is that of a transfer."""
    rows = Transaction.objects.filter(id__in=[id, derive_destination_id(id)])
    return Found(
        users=list(User.objects.filter(id=id)),
        accounts=list(Account.objects.with_held_due().filter(id=id).select_related("user")),
        transactions=sorted(rows.select_related("account__user"), key=lambda row: row.id != id),
        holds=list(Hold.objects.with_clock().filter(id=id).select_related("account__user")),
        claims=list(Claim.objects.filter(id=id).select_related("account__user")),
        corrections=list(Correction.objects.filter(id=id).select_related("account__user")),
    )


def find_by_reference(reference: str) -> list[UUID]:
    """The newest transactions with exactly this reference, the last one first."""
    rows = Transaction.objects.filter(reference=reference).exclude(reference="")
    found = rows.values_list("recorded_at", "id")[:ROWS_OF_A_REFERENCE_MAX]
    return [id for _, id in heapq.nlargest(TRANSACTIONS_MAX, found)]


def find_ids_of_command(id: UUID, parts: Sequence[UUID]) -> list[UUID]:
    """The ids of all transactions that came of the command, whatever it was: one; a transfer; a capture, the
    `parts` of which may be transfers of their own; a list.
    """
    rows = Transaction.objects.order_by().values_list("id", flat=True)
    of_transfers, of_list = rows.filter(transfer__in=[id, *parts]), rows.filter(batch=id)
    return list(rows.filter(id=id).union(of_transfers, of_list, all=True))

"""What the rows of a page belong to beside their own columns, read for all of them at once."""

from collections.abc import Sequence

from accounts.models import Account
from ledger.callers import ActorKind
from transactions.models import Correction, Transaction
from transactions.reading.queries import find_taken_back


def fill_in_taken_back(rows: Sequence[Transaction]) -> None:
    """`reversed` and `reversed_by` of each: how much of it was taken back, and by which one at last."""
    taken = find_taken_back([row.id for row in rows])
    for row in rows:
        if found := taken.get(row.id):
            row.reversed, row.reversed_by = found.amount, [str(found.by)]


def fill_in_others(rows: Sequence[Transaction]) -> None:
    """`other` of the legs of transfers: the account of the other leg, with its user."""
    transfers = {row.transfer for row in rows if row.transfer}
    if not transfers:
        return
    legs = Transaction.objects.filter(transfer__in=transfers, status=Transaction.Status.POSTED)
    accounts: dict[object, list[Account]] = {}
    for leg in legs.only("transfer", "account").select_related("account__user"):
        accounts.setdefault(leg.transfer, []).append(leg.account)
    for row in rows:
        others = [each for each in accounts.get(row.transfer, []) if each.id != row.account_id]
        row.other = others[0] if others else None


def fill_in_corrections(rows: Sequence[Transaction]) -> None:
    """`correction`, with who asked for it and who approved it, of what staff have put right: both legs of a
    transfer.
    """
    ids = {row.transfer or row.id for row in rows if row.actor_kind == ActorKind.STAFF}
    found = Correction.objects.select_related("maker", "checker").in_bulk(ids) if ids else {}
    for row in rows:
        row.correction = found.get(row.transfer or row.id)

"""What became of corrections, and what waits."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Claim
from transactions.errors import TRANSFER_DECLINED
from transactions.models import Correction, Transaction, derive_destination_id
from transactions.reading import queries

OF_ACCOUNT_MAX = 100  # the newest, for the history of an account and of what is on it
WAITING_MAX = 10


def find_transactions(correction: Correction) -> list[Transaction]:
    """What became of it: nothing yet, a transaction, or both legs of a transfer. Its own account's first."""
    rows = queries.find_transactions([correction.id, derive_destination_id(correction.id)])
    return sorted(rows.values(), key=lambda row: row.account_id != correction.account_id)


def find_taken_back(correction: Correction) -> list[Transaction]:
    """What it takes back, if anything: a transaction, of a transfer the leg on its account."""
    if correction.reverses is None:
        return []
    rows = queries.find_transactions([correction.reverses, derive_destination_id(correction.reverses)])
    return [row for row in rows.values() if row.account_id == correction.account_id]


def find_claim(correction: Correction) -> Claim | None:
    """The claim that it opens, if it has, or waives."""
    id = {Correction.Kind.CLAIM: correction.id, Correction.Kind.WAIVER: correction.claim}.get(
        Correction.Kind(correction.kind)
    )
    return Claim.objects.select_related("account__user").filter(id=id).first() if id else None


def find_decline(correction: Correction) -> Transaction | Claim | None:
    """What of it could not be posted: the one of a transfer's legs, the only row, or the claim."""
    if correction.status != Correction.Status.DECLINED:
        return None
    made: Sequence[Transaction | Claim | None] = [*find_transactions(correction), find_claim(correction)]
    return min(
        (each for each in made if each and each.decline_reason),
        key=lambda each: each.decline_reason == TRANSFER_DECLINED,
        default=None,
    )


def count_waiting(*, limit: int) -> int:
    """How many wait for approval; `limit` means that many or more."""
    return len(Correction.objects.filter(status=Correction.Status.WAITING).values_list("id")[:limit])


def find_waiting_reversals(transaction: Transaction) -> QuerySet[Correction]:
    """Who has asked to take back this transaction, or a part, also as a claim, and waits for approval."""
    ids = {transaction.id, transaction.transfer or transaction.id}
    return _list_waiting().filter(reverses__in=ids)


def find_waiting_waiver(claim_id: UUID) -> Correction | None:
    """Who has asked first to waive the claim, and waits for approval."""
    return _list_waiting().filter(claim=claim_id).first()


def find_waiting(account_id: UUID) -> list[Correction]:
    """What waits for approval on the account, the oldest first; so many at most."""
    return list(_list_waiting().filter(account=account_id)[:WAITING_MAX])


def find_of_account(account_id: UUID) -> list[Correction]:
    """What was asked for on the account, newest first."""
    found = Correction.objects.filter(account=account_id).order_by("-account", "-made_at")
    return list(found[:OF_ACCOUNT_MAX])


def find_about(transaction: Transaction) -> list[Correction]:
    """What it came of, and what was asked for to take it back, among the newest of its account."""
    ids = {transaction.id, transaction.transfer or transaction.id}
    made = Correction.objects.filter(id__in=ids)
    asked = [each for each in find_of_account(transaction.account_id) if each.reverses in ids]
    return list({each.id: each for each in (*made, *asked)}.values())


def _list_waiting() -> QuerySet[Correction]:
    waiting = Correction.objects.filter(status=Correction.Status.WAITING)
    return waiting.select_related("maker").order_by("made_at", "id")

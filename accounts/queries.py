"""Reading holds."""

from uuid import UUID

from accounts.errors import HoldNotFound
from accounts.models import ClockTimestamp, Hold


def find_hold(id: UUID) -> Hold:
    """Raises `HoldNotFound`."""
    hold = Hold.objects.filter(id=id).first()
    if hold is None:
        raise HoldNotFound("There is no such hold.")
    return hold


def find_accounts_with_due_holds(limit: int) -> list[UUID]:
    due = Hold._base_manager.filter(status=Hold.Status.OPEN, expires_at__lte=ClockTimestamp())
    return list(due.values_list("account_id", flat=True).distinct()[:limit])

"""Writing the access log. A page whose access cannot be recorded is not shown."""

from uuid import UUID

from prometheus_client import Counter

from office.models import DETAIL_LENGTH_MAX, Access

ACCESSES = Counter(
    "ledger_office_accesses", "What staff saw and did in the back office.", ["action", "subject"]
)


def record(
    action: Access.Action,
    subject: str,
    subject_id: object = "",
    *,
    actor_id: UUID,
    detail: str = "",
    reason: str = "",
    request_id: str,
) -> None:
    """One line of the log. A change and its line belong into one database transaction."""
    Access.objects.create(
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        actor_id=actor_id,
        detail=detail.replace("\x00", "")[:DETAIL_LENGTH_MAX],
        reason=reason[:DETAIL_LENGTH_MAX],
        request_id=request_id,
    )
    ACCESSES.labels(action=action, subject=subject).inc()

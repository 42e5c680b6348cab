"""Writing the access log. A page whose access cannot be recorded is not shown."""

from django.http import HttpRequest
from prometheus_client import Counter

from office.models import DETAIL_LENGTH_MAX, Access
from rest.middleware import get_request_id

ACCESSES = Counter(
    "ledger_office_accesses", "What staff saw and did in the back office.", ["action", "subject"]
)


def record(
    request: HttpRequest,
    action: Access.Action,
    subject: str,
    subject_id: object = "",
    *,
    detail: str = "",
    reason: str = "",
) -> None:
    """One line of the log, of who sent the request. A change and its line belong into one transaction."""
    Access.objects.create(
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        actor_id=request.user.pk,  # type: ignore[misc]
        detail=detail.replace("\x00", "")[:DETAIL_LENGTH_MAX],
        reason=reason[:DETAIL_LENGTH_MAX],
        request_id=get_request_id(request),
    )
    ACCESSES.labels(action=action, subject=subject).inc()

"""What staff look at and do in the back office, as entries of the record."""

from uuid import UUID

from django.db.transaction import atomic
from django.http import HttpRequest
from prometheus_client import Counter

from events import record as entries
from events.models import SUBJECT_ID_LENGTH_MAX, RecordEntry
from rest.middleware import get_caller

DETAIL_LENGTH_MAX = 500
Action = RecordEntry.Action
TYPES = {
    Action.VIEW: "viewed",
    Action.SEARCH: "searched",
    Action.EXPORT: "exported",
    Action.CHANGE: "command_given",
}
ACCESSES = Counter(
    "ledger_office_accesses", "What staff saw and did in the back office.", ["action", "subject"]
)


@atomic(savepoint=False)
def record(
    request: HttpRequest,
    action: Action,
    subject: str,
    subject_id: object = "",
    *,
    owner: UUID | None = None,
    detail: str = "",
    words: str = "",
    reason: str = "",
) -> None:
    """Write an entry of the record: what was done by the person who sent the request.

    `detail` says what exactly, in our own words: the name of a command, the lines of an export. What was
    searched (`words`) and the `reason` are personal text, of `owner` if it is about a user. A command and its
    entry belong in one database transaction. A page whose entry cannot be written is not shown.
    """
    entries.write(
        get_caller(request),
        type=f"{subject}.{TYPES[action]}",
        action=action,
        subject=subject,
        subject_id=str(subject_id)[:SUBJECT_ID_LENGTH_MAX],
        owner=owner,
        detail=detail[:DETAIL_LENGTH_MAX],
        words=words.replace("\x00", "")[:DETAIL_LENGTH_MAX],
        reason=reason[:DETAIL_LENGTH_MAX],
    )
    count(action, subject)


def count(action: Action, subject: str) -> None:
    ACCESSES.labels(action=action, subject=subject).inc()

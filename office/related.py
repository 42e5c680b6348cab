"""What belongs to one transaction: its other leg, and the events that told of it."""

from django.db import connection

from events.models import Event
from transactions.models import Transaction

EVENTS_AT_ONCE_MAX = 100  # of one account at the same microsecond: a capture's, and of holds that ended then

# The first event of the account at that moment or later. An event does not know its transaction's id but in
# `data`, which has no index; but along `account_sequence` time does not go back. So the middle is looked at,
# then the middle of one half, and so on: 20 look-ups among a million events. What was pruned was earlier.
FIND_FIRST = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 1::bigint, (SELECT event_sequence FROM accounts_account WHERE id = %(account)s)
    UNION ALL
    SELECT CASE WHEN earlier THEN (low + high) / 2 + 1 ELSE low END,
        CASE WHEN earlier THEN high ELSE (low + high) / 2 END
    FROM halves, LATERAL (
        SELECT coalesce((
            SELECT recorded_at < %(at)s FROM events_event
            WHERE account_id = %(account)s AND account_sequence = (low + high) / 2
        ), TRUE) AS earlier
    ) AS middle
    WHERE low < high
)
SELECT max(low) FROM halves
"""


def find_events(transaction: Transaction) -> list[Event]:
    """The transaction's own event, and for a capture that of its hold. Empty when they were pruned."""
    with connection.cursor() as cursor:
        cursor.execute(FIND_FIRST, {"account": transaction.account_id, "at": transaction.recorded_at})
        [first] = cursor.fetchone()
    events = Event.objects.filter(
        account_id=transaction.account_id,
        account_sequence__gte=first,
        account_sequence__lt=first + EVENTS_AT_ONCE_MAX,
    ).order_by("account_sequence")
    ids = {str(transaction.id), str(transaction.hold)}
    return [
        event for event in events if event.recorded_at == transaction.recorded_at and event.data["id"] in ids
    ]


def find_other_leg(transaction: Transaction) -> Transaction | None:
    """The other transaction of the same transfer, with its account and user; None without one."""
    if transaction.transfer is None:
        return None
    return (
        Transaction.objects.filter(transfer=transaction.transfer)
        .exclude(id=transaction.id)
        .select_related("account__user")
        .first()
    )

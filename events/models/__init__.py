"""What happened, its position in the feed, who it is sent to, what came of that, and the record of people."""

from events.models.attempts import Attempt
from events.models.feed import (
    CURSOR_LENGTH,
    PART,
    Cursor,
    Event,
    FeedState,
    PendingEvent,
    Placement,
    Resource,
    Sealed,
    parse_cursor,
)
from events.models.record import NIL, SUBJECT_ID_LENGTH_MAX, RecordEntry, RecordHead
from events.models.subscriptions import (
    ERROR_LENGTH_MAX,
    FREE,
    URL_LENGTH_MAX,
    Health,
    Subscription,
    SubscriptionQuerySet,
)
from events.models.texts import Text

__all__ = [
    "CURSOR_LENGTH",
    "ERROR_LENGTH_MAX",
    "FREE",
    "NIL",
    "PART",
    "SUBJECT_ID_LENGTH_MAX",
    "URL_LENGTH_MAX",
    "Attempt",
    "Cursor",
    "Event",
    "FeedState",
    "Health",
    "PendingEvent",
    "Placement",
    "RecordEntry",
    "RecordHead",
    "Resource",
    "Sealed",
    "Subscription",
    "SubscriptionQuerySet",
    "Text",
    "parse_cursor",
]

"""What happened, its position in the feed, who it is sent to, and the record of people."""

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
from events.models.subscriptions import FREE, URL_LENGTH_MAX, Subscription, SubscriptionQuerySet
from events.models.texts import Text

__all__ = [
    "CURSOR_LENGTH",
    "FREE",
    "NIL",
    "PART",
    "SUBJECT_ID_LENGTH_MAX",
    "URL_LENGTH_MAX",
    "Cursor",
    "Event",
    "FeedState",
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

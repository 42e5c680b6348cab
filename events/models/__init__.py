"""What happened, its position in the feed, and who it is sent to."""

from events.models.feed import (
    PART,
    Cursor,
    Event,
    FeedState,
    PendingEvent,
    Placement,
    Resource,
    parse_cursor,
)
from events.models.subscriptions import FREE, URL_LENGTH_MAX, Subscription, SubscriptionQuerySet

__all__ = [
    "FREE",
    "PART",
    "URL_LENGTH_MAX",
    "Cursor",
    "Event",
    "FeedState",
    "PendingEvent",
    "Placement",
    "Resource",
    "Subscription",
    "SubscriptionQuerySet",
    "parse_cursor",
]

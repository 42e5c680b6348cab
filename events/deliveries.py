"""What has become of events at those who are subscribed: sent, waiting, or never meant for them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import F, Subquery, TextChoices
from django.utils.translation import gettext_lazy as _

from events import attempts
from events.models import Event, FeedState, Subscription
from events.subscriptions import SUBSCRIPTIONS_MAX
from ledger.sql import fetch

# Where events are in the feed: the position, whether it waits for one, and the highest it can have had, if
# any. What has no position and does not wait was pruned.
PLACES = """
SELECT position, waits IS NOT NULL, CASE WHEN waits IS NULL THEN coalesce(position, pruned_through) END
FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[])
    WITH ORDINALITY AS asked (stream, sequence, recorded_at, number)
CROSS JOIN events_feed_state
LEFT JOIN LATERAL (
    SELECT position FROM events_placement AS place
    WHERE place.stream = asked.stream AND place.sequence = asked.sequence OFFSET 0
) AS place ON true
LEFT JOIN LATERAL (
    SELECT true AS waits FROM events_pending AS pending
    WHERE pending.recorded_at = asked.recorded_at AND pending.stream = asked.stream
        AND pending.sequence = asked.sequence
    OFFSET 0
) AS pending ON true
ORDER BY number
"""


class DeliveryState(TextChoices):
    SENT = "SENT", _("sent")
    WAITING = "WAITING", _("waiting")
    FAILING = "FAILING", _("failing")
    NOT_ASKED = "NOT_ASKED", _("not asked for")  # by its types, account or user
    EARLIER = "EARLIER", _("earlier than the subscription")


class Delivery(NamedTuple):
    """The state of an event at a subscription, and when it was delivered, if that is still known."""

    state: DeliveryState
    subscription: Subscription
    delivered_at: datetime | None = None


class Traced(NamedTuple):
    """An event, its position in the feed if it has one, whether it waits for it, and its state at each
    subscription."""

    event: Event
    position: int | None
    is_waiting: bool
    deliveries: list[Delivery]

    @property
    def by_state(self) -> list[tuple[DeliveryState, list[Delivery]]]:
        """Whom it was sent to, who waits for it, and so on; states of no subscription are left out."""
        return [
            (state, found)
            for state in DeliveryState
            if (found := [each for each in self.deliveries if each.state == state])
        ]


def trace(events: Sequence[Event]) -> list[Traced]:
    """What has become of each of the events, in their order. Three queries, however many they are, and one
    more if a subscription is of a user."""
    if not events:
        return []
    streams, sequences = zip(*(event.pk for event in events), strict=True)
    places = fetch(PLACES, [list(streams), list(sequences), [event.recorded_at for event in events]])
    subscriptions = list(
        Subscription._base_manager.annotate(
            feed_epoch=Subquery(FeedState.objects.values("epoch")[:1])
        ).order_by(F("url").asc(nulls_first=True))[:SUBSCRIPTIONS_MAX]
    )
    delivered = attempts.find_delivered(position for position, *_ in places)
    users = _find_users(streams) if any(each.user for each in subscriptions) else {}
    return [
        Traced(
            event,
            position,
            is_waiting,
            [
                _find_delivery(
                    event, users.get(event.stream), at_most, each, delivered.get((position, each.id))
                )
                for each in subscriptions
            ],
        )
        for event, (position, is_waiting, at_most) in zip(events, places, strict=True)
    ]


def _find_users(streams: Collection[UUID]) -> dict[UUID, UUID]:
    """Whose the streams are: accounts their users', and users their own."""
    owners = get_user_model()._default_manager.filter(accounts__in=streams)
    return {stream: stream for stream in streams} | dict(owners.values_list("accounts", "pk"))


def _find_delivery(
    event: Event, user: UUID | None, position: int | None, subscription: Any, delivered_at: datetime | None
) -> Delivery:
    """The state of an event at a subscription. If it was pruned, its position was at most this one.

    A subscription begins at the end of the feed: events that were recorded before it are not sent to it,
    unless its cursor was moved back to before them.
    """
    if delivered_at is not None:
        state = DeliveryState.SENT
    elif not subscription.asks_for(event, user):
        state = DeliveryState.NOT_ASKED
    elif (
        position is not None
        and subscription.epoch == subscription.feed_epoch
        and subscription.position >= position
    ):
        is_earlier = subscription.created_at > event.recorded_at
        state = DeliveryState.EARLIER if is_earlier else DeliveryState.SENT
    else:
        state = DeliveryState.FAILING if subscription.failing_since else DeliveryState.WAITING
    return Delivery(state, subscription, delivered_at)

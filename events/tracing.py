"""Where events have got to: their places in the feed, and who was told of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Subquery, TextChoices
from django.utils.translation import gettext_lazy as _

from events.models import Event, FeedState, Placement, Subscription
from events.subscriptions import SUBSCRIPTIONS_MAX


class State(TextChoices):
    SENT = "SENT", _("sent")
    WAITING = "WAITING", _("waiting")
    FAILING = "FAILING", _("failing")
    NOT_ASKED = "NOT_ASKED", _("not asked for")


@dataclass(frozen=True, slots=True)
class Traced:
    """An event, its position in the feed (None: it waits for one), and its state at each subscription."""

    event: Event
    position: int | None
    deliveries: list[tuple[State, Subscription]]

    @property
    def by_state(self) -> list[tuple[State, list[Subscription]]]:
        """Whom it was sent to, who waits for it, and so on; states of no subscription are left out."""
        return [
            (state, subscriptions)
            for state in State
            if (subscriptions := [each for its_state, each in self.deliveries if its_state == state])
        ]


def trace(events: Sequence[Event]) -> list[Traced]:
    """Each of the events, in their order. Two queries, however many they are."""
    if not events:
        return []
    positions = dict(Placement.objects.filter(event__in=events).values_list("event_id", "position"))
    subscriptions = list(
        Subscription._base_manager.annotate(
            feed_epoch=Subquery(FeedState.objects.values("epoch")[:1])
        ).order_by(F("url").asc(nulls_first=True))[:SUBSCRIPTIONS_MAX]
    )
    return [
        Traced(
            event,
            position := positions.get(event.id),
            [(_find_state(event, position, each, each.feed_epoch), each) for each in subscriptions],
        )
        for event in events
    ]


def _find_state(event: Event, position: int | None, subscription: Subscription, epoch: UUID) -> State:
    """A subscription begins at the end of the feed: of what was recorded before it, it was told nothing,
    unless its cursor was moved back to where this event is yet to come.
    """
    if subscription.types and event.type not in subscription.types:
        return State.NOT_ASKED
    if position is not None and subscription.epoch == epoch and subscription.position >= position:
        return State.SENT if subscription.created_at <= event.recorded_at else State.NOT_ASKED
    return State.FAILING if subscription.attempts else State.WAITING

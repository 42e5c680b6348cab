"""Whom events are sent to: the commands of people about it, and what was sent to whom.

What the relay does with subscriptions is in `events.relay`.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F, Subquery, TextChoices
from django.db.models.functions import Now
from django.db.transaction import atomic
from django.utils.translation import gettext_lazy as _

from events import errors, feed, record
from events.delivery import url_guard
from events.models import FREE, NIL, Cursor, Event, FeedState, Subscription
from ledger.callers import Caller
from ledger.sql import fetch
from ledger.values import find_changes

SUBSCRIPTIONS_MAX = 100
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
AFRESH: dict[str, Any] = {"attempts": 0, "next_attempt_at": None, **FREE}


class DeliveryState(TextChoices):
    SENT = "SENT", _("sent")
    WAITING = "WAITING", _("waiting")
    FAILING = "FAILING", _("failing")
    NOT_ASKED = "NOT_ASKED", _("not asked for")


class Traced(NamedTuple):
    """An event, its position in the feed if it has one, whether it waits for it, and its state at each
    subscription."""

    event: Event
    position: int | None
    is_waiting: bool
    deliveries: list[tuple[DeliveryState, Subscription]]

    @property
    def by_state(self) -> list[tuple[DeliveryState, list[Subscription]]]:
        """Whom it was sent to, who waits for it, and so on; states of no subscription are left out."""
        return [
            (state, subscriptions)
            for state in DeliveryState
            if (subscriptions := [each for its_state, each in self.deliveries if its_state == state])
        ]


def create(
    *, kind: str, url: str | None, types: Sequence[str] = (), caller: Caller
) -> tuple[Subscription, bool]:
    """Make a subscription that begins at the end of the feed. Returns it, and whether it was there before.

    It is known again by its url, the broker's by being the broker's. Raises `UrlNotAllowed`,
    `BrokerNotConfigured`, `SubscriptionExists`, `TooManySubscriptions`.
    """
    if kind == Subscription.Kind.WEBHOOK:
        url_guard.require_allowed(url or "")
    elif url is not None:
        raise errors.UrlNotAllowed("The broker is the operator's: BROKER_URL.")
    elif not settings.BROKER_URL:
        raise errors.BrokerNotConfigured("There is no broker: BROKER_URL is not set.")

    feed.place_pending()
    try:
        with atomic():
            state = FeedState.objects.select_for_update().get()  # so that they can be counted
            if found := Subscription.objects.with_lag().filter(kind=kind, url=url).first():
                if sorted(found.types) != sorted(types):
                    raise errors.SubscriptionExists(
                        "There is a subscription for this already, with other types."
                    )
                return found, True
            if Subscription.objects.count() >= SUBSCRIPTIONS_MAX:
                raise errors.TooManySubscriptions(f"There are {SUBSCRIPTIONS_MAX} subscriptions already.")
            made = Subscription.objects.create(
                kind=kind,
                url=url,
                types=list(types),
                epoch=state.epoch,
                position=state.last_position,
                actor=caller.actor or NIL,
            )
            _record(caller, made.id, "created", {}, _describe(made))
    except IntegrityError:
        raise errors.SubscriptionExists("There is a subscription for this already.") from None
    return get(made.id), False


def get(id: UUID) -> Subscription:
    """The subscription with its lag. Raises `SubscriptionNotFound`."""
    if found := Subscription.objects.with_lag().filter(id=id).first():
        return found
    raise errors.SubscriptionNotFound("There is no such subscription.")


def change(
    *, id: UUID, url: str | None = None, types: Collection[str] | None = None, caller: Caller
) -> Subscription:
    """Give it another url or other types. Raises `UrlNotAllowed`, `NotAWebhook`, `SubscriptionExists`."""
    changes: dict[str, Any] = {}
    if url is not None:
        if get(id).kind != Subscription.Kind.WEBHOOK:
            raise errors.NotAWebhook("Only a webhook has a url.")
        url_guard.require_allowed(url)
        changes |= {"url": url, **AFRESH}
    if types is not None:
        changes["types"] = list(types)
    try:
        with atomic():
            return _update(id, caller, "changed", **changes)
    except IntegrityError:
        raise errors.SubscriptionExists("There is a subscription for this url already.") from None


@atomic
def delete(*, id: UUID, caller: Caller, reason: str = "") -> None:
    """Remove the subscription: nothing more is sent to it. An id of none is no error."""
    if found := Subscription.objects.select_for_update(no_key=True).filter(id=id).first():
        found.delete()
        _record(caller, id, "deleted", _describe(found), {}, reason)


@atomic
def pause(*, id: UUID, caller: Caller, reason: str = "") -> Subscription:
    """Send nothing more to it. What is being sent at this moment may still arrive."""
    return _update(id, caller, "paused", reason, status=Subscription.Status.PAUSED, **FREE)


@atomic
def resume(*, id: UUID, caller: Caller, reason: str = "") -> Subscription:
    """Go on from its cursor, at once. Raises `EventsPruned`: some of what a disabled one missed is gone."""
    state = FeedState.objects.select_for_update().get()
    if get(id).position < state.pruned_through:
        raise errors.EventsPruned(
            "Events after its cursor are not kept any more. Replay it from a later one."
        )
    return _update(id, caller, "resumed", reason, status=Subscription.Status.ACTIVE, **AFRESH)


@atomic
def replay(*, id: UUID, after: Cursor | None, caller: Caller, reason: str = "") -> Subscription:
    """Send again from a cursor on (None: all that is kept), or skip up to it.

    Raises `FeedStopped`, `FeedEpochChanged`, `CursorAheadOfFeed`, `EventsPruned`.
    """
    FeedState.objects.select_for_update().get()
    state = feed.read_state()
    after = after or state.start
    state.require(after)
    return _update(id, caller, "replayed", reason, position=after.position, **AFRESH)


@atomic
def rotate_secret(*, id: UUID, caller: Caller) -> Subscription:
    """Give it a new secret; for a day the old one signs too. Raises `NotAWebhook`."""
    if get(id).kind != Subscription.Kind.WEBHOOK:
        raise errors.NotAWebhook("Only a webhook has a secret.")
    generation = F("secret_generation") + 1
    return _update(
        id, caller, "secret_rotated", secret_generation=generation, secret_rotated_at=Now(), **AFRESH
    )


def _update(id: UUID, caller: Caller, change: str, reason: str = "", **changes: Any) -> Subscription:
    """Change it, with its entry in the record. Raises `SubscriptionNotFound`."""
    mine = Subscription.objects.filter(id=id)
    before = mine.select_for_update(no_key=True).first() or get(id)  # which raises
    mine.update(**changes)
    after = get(id)
    _record(caller, id, change, *find_changes(_describe(before), _describe(after)), reason)
    return after


def _describe(subscription: Subscription) -> dict[str, Any]:
    """What people decide of it."""
    return {
        "kind": subscription.kind,
        "url": subscription.url,
        "types": sorted(subscription.types),
        "status": subscription.status,
        "cursor": str(subscription.cursor),
        "secret_generation": subscription.secret_generation,
    }


def _record(
    caller: Caller, id: UUID, change: str, before: dict[str, Any], after: dict[str, Any], reason: str = ""
) -> None:
    record.write(
        caller,
        type=f"subscription.{change}",
        subject="subscription",
        subject_id=id,
        before=before,
        after=after,
        reason=reason,
    )


def trace(events: Sequence[Event]) -> list[Traced]:
    """What has become of each of the events, in their order. Two queries, however many they are."""
    if not events:
        return []
    streams, sequences = zip(*(event.pk for event in events), strict=True)
    places = fetch(PLACES, [list(streams), list(sequences), [event.recorded_at for event in events]])
    subscriptions = list(
        Subscription._base_manager.annotate(
            feed_epoch=Subquery(FeedState.objects.values("epoch")[:1])
        ).order_by(F("url").asc(nulls_first=True))[:SUBSCRIPTIONS_MAX]
    )
    return [
        Traced(
            event,
            position,
            is_waiting,
            [(_find_state(event, at_most, each, each.feed_epoch), each) for each in subscriptions],
        )
        for event, (position, is_waiting, at_most) in zip(events, places, strict=True)
    ]


def _find_state(event: Event, position: int | None, subscription: Subscription, epoch: UUID) -> DeliveryState:
    """The state of an event at a subscription. If it was pruned, its position was at most this one.

    A subscription begins at the end of the feed: events that were recorded before it are not sent to it,
    unless its cursor was moved back to before them.
    """
    if subscription.types and event.type not in subscription.types:
        return DeliveryState.NOT_ASKED
    if position is not None and subscription.epoch == epoch and subscription.position >= position:
        return DeliveryState.SENT if subscription.created_at <= event.recorded_at else DeliveryState.NOT_ASKED
    return DeliveryState.FAILING if subscription.attempts else DeliveryState.WAITING

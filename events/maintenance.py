"""What operators do to the feed: begin another epoch, let old events go."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db.transaction import atomic

from events import errors, feed, subscriptions
from events.models import Event, FeedState, Placement, Subscription
from ledger.sql import fetch

RETENTION_DAYS_MIN = 30  # the triggers say so too
PRUNED_AT_ONCE = 1000

BEGIN_EPOCH = f"""
UPDATE events_feed_state
SET epoch = %s, ({feed.IDENTIFIERS}) = ({feed.IDENTITY})
RETURNING epoch
"""  # noqa: S608, no value is in the text


@atomic
def begin_epoch(*, force: bool = False) -> UUID | None:
    """Begin another history of the feed, if the database is not that of the present one (or `force`).

    Subscriptions go on from where they are, in the new epoch. Returns that epoch, or None if nothing was to
    be done.
    """
    FeedState.objects.select_for_update().get()
    try:
        feed.read_state()
        if not force:
            return None
    except errors.FeedStopped:
        pass
    epoch: UUID = fetch(BEGIN_EPOCH, [uuid4()])[0][0]
    Subscription.objects.update(epoch=epoch, **subscriptions.FREE)
    return epoch


@atomic
def prune(*, days: int) -> int:
    """Remove events that are older than so many days and that no live subscription waits for.

    A thousand at most: it is called again until there are none. Returns how many were removed. Raises
    `ValueError` for less than 30 days.
    """
    if days < RETENTION_DAYS_MIN:
        raise ValueError(f"Events are kept for {RETENTION_DAYS_MIN} days at least.")
    state = FeedState.objects.select_for_update().get()
    kept = Placement.objects.filter(position__gt=state.pruned_through).order_by("position")
    oldest_kept = fetch("SELECT clock_timestamp()")[0][0] - timedelta(days=days)
    live = Subscription.objects.exclude(status=Subscription.Status.DISABLED)
    sent = live.order_by("position").values_list("position", flat=True).first()
    old = 0
    for position, recorded_at in kept.values_list("position", "event__recorded_at")[:PRUNED_AT_ONCE]:
        if recorded_at >= oldest_kept or (sent is not None and position > sent):
            break
        old = position
    if not old:
        return 0
    FeedState.objects.update(pruned_through=old)
    gone = Placement.objects.filter(position__lte=old)
    Event.objects.filter(id__in=list(gone.values_list("event_id", flat=True)))._raw_delete("default")
    return gone._raw_delete("default")

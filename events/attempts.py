"""The newest attempts to send to each subscription: who sends writes them, people look at them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from events.models import PART, Attempt, Event, Placement, Subscription
from ledger.sql import fetch

KEPT = 20  # of those of a subscription that were taken, and as many of those that failed

# Of a subscription that was deleted meanwhile nothing is written; one that is being deleted is waited for.
# What is let go is of before: up to twice as many are there until the next time.
WRITE = f"""
WITH subscription AS MATERIALIZED (SELECT id FROM events_subscription WHERE id = %s FOR KEY SHARE),
old AS (
    DELETE FROM events_attempt WHERE id IN (
        SELECT id FROM (
            SELECT attempt.id,
                row_number() OVER (PARTITION BY error IS NULL ORDER BY attempt.id DESC) AS number
            FROM events_attempt AS attempt JOIN subscription ON subscription_id = subscription.id
        ) AS numbered WHERE number > {KEPT}
    )
)
INSERT INTO events_attempt (subscription_id, position, began_at, milliseconds, status_code, error)
SELECT subscription.id, made.* FROM subscription, unnest(
    %s::bigint[], %s::timestamptz[], %s::bigint[], %s::integer[], %s::text[]
) AS made
RETURNING id
"""  # noqa: S608, a number of our own
DELIVERED = """
SELECT position, subscription_id, min(began_at + milliseconds * interval '1 millisecond')
FROM events_attempt WHERE position = ANY(%s) AND error IS NULL GROUP BY position, subscription_id
"""


def begin(subscription: Subscription, position: int | None) -> Attempt:
    """An attempt that begins at this moment, with the event at that position (None: a test)."""
    return Attempt(subscription_id=subscription.id, position=position, began_at=timezone.now())


def write(subscription: Subscription, made: Collection[Attempt]) -> None:
    """Keep those that were made, and let older ones go."""
    if made:
        rows = [
            (each.position, each.began_at, each.milliseconds, each.status_code, each.error) for each in made
        ]
        fetch(WRITE, [subscription.id, *map(list, zip(*rows, strict=True))])


def read(subscription: Subscription) -> Sequence[Attempt]:
    """The newest, the last one first: those that failed stay longer than those that were taken."""
    newest = Attempt.objects.filter(subscription=subscription).order_by("-id")
    failed = newest.filter(error__isnull=False)[:KEPT]
    taken = newest.filter(error=None)[:KEPT]
    return sorted([*taken, *failed], key=lambda each: -each.id)


def describe(made: Sequence[Attempt]) -> list[dict[str, Any]]:
    """The attempts as the API shows them; an event that was pruned meanwhile has no name any more."""
    positions = [attempt.position for attempt in made if attempt.position is not None]
    places = Placement.objects.filter(part=PART, position__in=positions)
    names: dict[int | None, str] = {
        position: Event.name_of(stream, sequence)
        for position, stream, sequence in places.values_list("position", "stream", "sequence")
    }
    return [attempt.to_dict(event=names.get(attempt.position)) for attempt in made]


def find_delivered(positions: Iterable[int | None]) -> dict[tuple[int, UUID], datetime]:
    """By position and subscription, when the event was first taken, of what is kept."""
    asked = [position for position in positions if position is not None]
    return {(position, id): at for position, id, at in fetch(DELIVERED, [asked])} if asked else {}

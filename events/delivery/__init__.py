"""Sending to subscribers: a webhook or the operator's broker, behind one kind of channel."""

from contextlib import AbstractContextManager
from threading import BoundedSemaphore

from events import attempts, errors
from events.delivery import webhooks
from events.delivery.channels import Channel, DeliveryFailed
from events.delivery.url_guard import can_be_opened
from events.models import Event, Resource, Subscription
from ledger.callers import Caller

__all__ = ["Channel", "DeliveryFailed", "can_be_opened", "open_channel", "send_test"]

waiting = BoundedSemaphore(2)  # of a process's threads that wait for receivers of tests; others are for work


def open_channel(subscription: Subscription) -> AbstractContextManager[Channel]:
    """The way to a subscriber. Raises `DeliveryFailed` on entering, if nobody is there."""
    if subscription.kind == Subscription.Kind.BROKER:
        from events.delivery import brokers  # kombu takes 3 MiB, and most have no broker

        return brokers.open_channel()
    return webhooks.open_channel(subscription)


def send_test(subscription: Subscription, *, caller: Caller) -> str | None:
    """Send a `subscription.test` now. Returns why it was not taken, or None if it was. Raises `Busy`.

    It looks like an event, but is of no account and at no position; the attempt is noted like any other. The
    subscription is one `with_lag`.
    """
    data = {"subscription": str(subscription.id)}
    event = Event(
        stream=subscription.id,
        sequence=0,
        type="subscription.test",
        recorded_at=subscription.clock,
    )
    resource = Resource(data, caller.actor, caller.actor_kind, caller.request_id)
    envelope = event.to_dict(resource, epoch=subscription.epoch, position=None) | {
        "id": f"test-{caller.request_id}",
        "account": None,
        "account_sequence": None,
    }
    if not waiting.acquire(blocking=False):
        raise errors.Busy("Others are waiting already. Send the same again.")
    attempt = attempts.begin(subscription, None)
    try:
        with open_channel(subscription) as channel:
            taken = channel(envelope)
        attempt.end(taken.status_code, None if taken.is_wanted else "No queue is bound for this type.")
    except DeliveryFailed as failure:
        attempt.end(failure.status_code, str(failure))
    finally:
        waiting.release()
    attempts.write(subscription, [attempt])
    return attempt.error

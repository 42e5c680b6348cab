"""Sending to subscribers: a webhook or the operator's broker, behind one kind of channel."""

from contextlib import AbstractContextManager
from threading import BoundedSemaphore

from events import errors
from events.delivery import webhooks
from events.delivery.channels import Channel, DeliveryFailed
from events.models import Event, Subscription

__all__ = ["Channel", "DeliveryFailed", "open_channel", "send_test"]

waiting = BoundedSemaphore(2)  # of a process's threads that wait for receivers of tests; others are for work


def open_channel(subscription: Subscription) -> AbstractContextManager[Channel]:
    """The way to a subscriber. Raises `DeliveryFailed` on entering, if nobody is there."""
    if subscription.kind == Subscription.Kind.BROKER:
        from events.delivery import brokers  # kombu takes 3 MiB, and most have no broker

        return brokers.open_channel()
    return webhooks.open_channel(subscription)


def send_test(subscription: Subscription, *, request_id: str) -> str | None:
    """Send a `subscription.test` now. Returns why it was not taken, or None if it was. Raises `Busy`.

    It looks like an event, but is of no account and at no position. The subscription is one `with_lag`.
    """
    envelope = Event(
        id=f"test-{request_id}",
        type="subscription.test",
        recorded_at=subscription.clock,
        request_id=request_id,
        data={"subscription": str(subscription.id)},
    ).to_dict(epoch=subscription.epoch, position=None)
    if not waiting.acquire(blocking=False):
        raise errors.Busy("Others are waiting already. Send the same again.")
    try:
        with open_channel(subscription) as channel:
            return None if channel(envelope) else "No queue is bound for this type."
    except DeliveryFailed as failure:
        return str(failure)
    finally:
        waiting.release()

"""Sending to subscribers: a webhook or the operator's broker, behind one kind of channel."""

from contextlib import AbstractContextManager

from events.delivery import webhooks
from events.delivery.channels import Channel, DeliveryFailed
from events.models import Subscription

__all__ = ["Channel", "DeliveryFailed", "open_channel"]


def open_channel(subscription: Subscription) -> AbstractContextManager[Channel]:
    """The way to a subscriber. Raises `DeliveryFailed` on entering, if nobody is there."""
    if subscription.kind == Subscription.Kind.BROKER:
        from events.delivery import brokers  # kombu takes 3 MiB, and most have no broker

        return brokers.open_channel()
    return webhooks.open_channel(subscription)

"""Trying a subscription out, beside the feed."""

from threading import BoundedSemaphore
from typing import Any

from events.delivery import DeliveryFailed, open_channel
from events.errors import Busy
from events.models import Subscription
from ledger.times import format_time

# So many of a process's threads wait for receivers; the others are for work.
WAITING_MAX = 2
waiting = BoundedSemaphore(WAITING_MAX)


def send_test(subscription: Subscription, *, request_id: str) -> str | None:
    """Send a `subscription.test` now; why it was not taken, or None if it was. Raises `Busy`."""
    if not waiting.acquire(blocking=False):
        raise Busy("Others are waiting already. Send the same again.")
    try:
        with open_channel(subscription) as channel:
            is_routed = channel.send(_make_test(subscription, request_id))
    except DeliveryFailed as failure:
        return str(failure)
    finally:
        waiting.release()
    return None if is_routed else "No queue is bound for this type."


def _make_test(subscription: Subscription, request_id: str) -> dict[str, Any]:
    """An envelope like an event's, but of no account and at no position."""
    return {
        "id": f"test-{request_id}",
        "epoch": str(subscription.epoch),
        "position": None,
        "type": "subscription.test",
        "account": None,
        "account_sequence": None,
        "recorded_at": format_time(subscription.clock or subscription.created_at),
        "request_id": request_id,
        "data": {"subscription": str(subscription.id)},
    }

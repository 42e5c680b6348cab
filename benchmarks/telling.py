"""What telling others costs the postings, and how fast the feed is read and sent."""

import time
from collections.abc import Callable
from uuid import UUID

from benchmarks.figures import Figures
from events import feed, subscriptions
from events.models import Cursor, Subscription
from ledger.callers import Caller
from tests.receivers import receiver, silent

EVENTS = 3000
NOBODY = UUID(int=1)


def with_dead_subscribers(run: Callable[[], Figures]) -> Figures:
    """The run while ten webhooks never answer and the broker is away (nobody listens at `BROKER_URL`)."""
    with receiver(silent) as dead:
        made = [subscribe(f"{dead.url}/{number}") for number in range(10)]
        made.append(subscribe(None))
        try:
            return run()
        finally:
            Subscription.objects.filter(id__in=made).delete()


def read_feed(*, seconds: int) -> Figures:
    """One reader, from the start of the feed on, pages of 500."""
    times: list[float] = []
    cursor, events = None, 0
    while sum(times) < seconds:
        began = time.perf_counter()
        page = feed.read(cursor)
        times.append(time.perf_counter() - began)
        events += len(page.events)
        cursor = page.cursor if page.has_more else None
    times.sort()
    p50, p99 = (1000 * times[len(times) * part // 100] for part in (50, 99))
    return Figures(events / sum(times), p50, p99)


def send_to_a_webhook() -> Figures:
    """The service's relay sends the last events of the feed to one receiver that takes them at once."""
    with receiver() as hook:
        id = subscribe(hook.url)
        state = feed.read_state()
        began = time.perf_counter()
        after = Cursor(state.epoch, max(state.pruned_through, state.last_position - EVENTS))
        subscriptions.replay(id=id, after=after, caller=Caller(NOBODY))
        while subscriptions.get(id).position < state.last_position:
            time.sleep(0.02)
        took = time.perf_counter() - began
        subscriptions.delete(id=id, caller=Caller(NOBODY))
        return Figures(len(hook.requests) / took)


def subscribe(url: str | None) -> UUID:
    kind = Subscription.Kind.WEBHOOK if url else Subscription.Kind.BROKER
    subscription, _ = subscriptions.create(kind=kind, url=url, caller=Caller(NOBODY))
    return subscription.id

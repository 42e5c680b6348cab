"""The relay: gives events their positions, and sends them to every subscription in order, at least once.

One thread talks to the database: it claims subscriptions by a lease, reads a batch for each, and moves the
cursor when the batch is sent. The sending is done by a thread per subscription, so that one that does not
answer holds up nobody else. Killed at any moment, a relay has sent at most one batch per subscription beyond
the cursor; when its lease is over, another relay goes on from there.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event as Flag
from typing import Any, NamedTuple
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.models import Expression, F, Q
from django.db.models.functions import Coalesce, Now
from django.db.transaction import atomic

from events import attempts, errors, feed, feed_sql, record
from events.delivery import DeliveryFailed, open_channel
from events.models import FREE, PART, Attempt, Subscription
from events.subscriptions import AFRESH, SUBSCRIPTIONS_MAX
from ledger.callers import ActorKind, Caller
from ledger.logs import describe_error
from ledger.sql import fetch

BATCH = 100
DISABLED = Subscription.Status.DISABLED
BATCH_SECONDS_MAX = 5  # a slow receiver's batch ends early, so that its cursor moves
PAUSE_SECONDS = 0.1  # before more is placed, unless as many as possible were: many at once are cheap
PAUSE_SECONDS_IDLE = 0.2  # between two looks when there is nothing to do
PAUSE_SECONDS_AFTER_ERROR = 1.0
CHORES_SECONDS = 0.7  # between two rounds of chores: holds end within a second of their time
SHOW_SECONDS = 10.0  # between two times that a relay says in the database that it works
# Seconds after the first, second … failed attempt of a webhook. After the tenth it is disabled.
WEBHOOK_DELAYS = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
BROKER_DELAYS = (1, 2, 5, 10, 30)  # the operator's own: tried for ever
# All that an idle relay asks for: whether a subscription is due, and the state of the feed.
LOOK = f"""
SELECT EXISTS (
    SELECT FROM events_subscription
    WHERE status = 'ACTIVE' AND epoch = state.epoch AND position < last_position
        AND coalesce(greatest(next_attempt_at, leased_until), '-infinity') < statement_timestamp()
), {feed_sql.STATE} FROM events_feed_state AS state WHERE part = {PART}
"""  # noqa: S608, no value is in the text

logger = structlog.get_logger(__name__)


class Outcome(NamedTuple):
    """What became of a batch: all up to `position` was sent, and what ended it; `attempts` are its last."""

    position: int
    sent: int
    unroutable: int
    failure: DeliveryFailed | None
    attempts: Collection[Attempt]


class Relay:
    """`chores` are done between batches: small things of other packages that must happen now and then.

    One that answers with something has done something, and there may be more: it is asked again at once.
    """

    def __init__(self, *, chores: tuple[Callable[[], object], ...] = ()) -> None:
        self.lease = uuid4()
        self.stopping = Flag()
        self.chores = chores
        self.sending: dict[Future[Outcome], Subscription] = {}
        self.renewed_at = self.chores_at = self.place_at = self.show_at = time.monotonic()
        self.beat_at = time.monotonic()  # when the last round began, whatever became of it
        self.pool = ThreadPoolExecutor(SUBSCRIPTIONS_MAX, thread_name_prefix="send")

    def stop(self) -> None:
        """End after the events that are being sent at this moment."""
        self.stopping.set()

    def run(self, *, once: bool = False) -> None:
        """Work until `stop` is called, or with `once` until nothing is due any more."""
        while not self.stopping.is_set():
            self.beat_at = time.monotonic()
            try:
                is_idle = not self.step()
            except (errors.FeedStopped, Error) as error:
                if once:
                    raise
                if isinstance(error, errors.FeedStopped):
                    logger.error("feed_stopped", reason=error.detail)
                else:
                    logger.warning("relay_waits_for_the_database", error=describe_error(error))
                    connection.close()
                self.stopping.wait(PAUSE_SECONDS_AFTER_ERROR)
            else:
                if once and is_idle:
                    break
                self.pause(is_idle)
        self.finish()

    def step(self) -> bool:
        """Work one round. Returns whether there is anything to do."""
        if time.monotonic() >= self.chores_at:
            done = [chore() for chore in self.chores]
            self.chores_at = time.monotonic() + (0 if any(done) else CHORES_SECONDS)
        self.renew()
        moved = self.collect()
        has_due, has_pending = look()
        if has_pending and time.monotonic() >= self.place_at:
            placed = feed.place_pending()
            self.place_at = time.monotonic() + (PAUSE_SECONDS if placed < feed.PLACED_AT_ONCE else 0)
            if placed:
                has_due = look()[0]
        claimed = self.claim() if has_due else 0
        if time.monotonic() >= self.show_at and fetch(feed_sql.SHOW):
            self.show_at = time.monotonic() + SHOW_SECONDS
        return bool(has_pending or moved or claimed or self.sending)

    def pause(self, is_idle: bool) -> None:
        """Wait until a batch is done, or until the next look is due."""
        if self.sending:
            wait(self.sending, timeout=PAUSE_SECONDS, return_when=FIRST_COMPLETED)
        else:
            self.stopping.wait(PAUSE_SECONDS_IDLE if is_idle else max(0.0, self.place_at - time.monotonic()))

    def finish(self) -> None:
        """Wait for what is being sent, note it, and give the leases back."""
        self.stopping.set()
        try:
            while self.sending:
                wait(self.sending, timeout=PAUSE_SECONDS, return_when=FIRST_COMPLETED)
                self.renew()
                self.collect()
            self._mine().update(**FREE)
        except Error as error:  # the leases end by themselves, and what was sent is sent once more
            logger.warning("relay_ends_without_the_database", error=describe_error(error))

    def renew(self) -> None:
        """Renew the leases, long before their end: they last for as long as this thread is well."""
        if self.sending and time.monotonic() - self.renewed_at > settings.RELAY_LEASE_SECONDS / 4:
            self.renewed_at = time.monotonic()
            # No others: one that was claimed and, for an error, not begun must become free.
            self._mine(*self.sending.values()).update(leased_until=_from_now(settings.RELAY_LEASE_SECONDS))

    def claim(self) -> int:
        """Begin to send to all subscriptions that are due. Returns to how many."""
        state = feed.read_state()
        due = Subscription.objects.filter(
            Q(next_attempt_at=None) | Q(next_attempt_at__lte=Now()),
            Q(leased_until=None) | Q(leased_until__lt=Now()),
            status=Subscription.Status.ACTIVE,
            epoch=state.epoch,
            position__lt=state.last_position,
        ).exclude(id__in=[subscription.id for subscription in self.sending.values()])
        with atomic():
            claimed = list(due.select_for_update(skip_locked=True))
            Subscription.objects.filter(id__in=[each.id for each in claimed]).update(
                lease=self.lease, leased_until=_from_now(settings.RELAY_LEASE_SECONDS)
            )
        for subscription in claimed:
            try:
                asked: Any = {"types": subscription.types, "streams": subscription.streams}
                page = feed.read(subscription.cursor, **asked, limit=BATCH, placed_only=True)
            except errors.EventsPruned as error:
                self._update(
                    subscription, status=DISABLED, last_error=error.detail, last_error_at=Now(), **FREE
                )
                continue
            except (errors.FeedEpochChanged, errors.CursorAheadOfFeed):  # a new epoch began this moment
                continue
            if page.events:
                self.sending[self.pool.submit(send, subscription, page, self.stopping)] = subscription
            else:
                self._mine(subscription).update(position=page.cursor.position, **FREE)
        return len(claimed)

    def collect(self) -> int:
        """Note what became of the batches that are done. Returns how many there were."""
        done = [future for future in self.sending if future.done()]
        for future in done:
            self.record(self.sending[future], future.result())
            del self.sending[future]
        return len(done)

    def record(self, subscription: Subscription, outcome: Outcome) -> None:
        """Move the cursor, unless the lease was lost meanwhile, to a replay or to another relay."""
        changes: dict[str, Any] = {
            "position": outcome.position,
            "sent": F("sent") + outcome.sent,
            "unroutable": F("unroutable") + outcome.unroutable,
            "last_sent_at": Now() if outcome.sent else F("last_sent_at"),
            "failing_since": None if outcome.sent else F("failing_since"),
            **AFRESH,
        }
        failures = 1 if outcome.sent else subscription.attempts + 1  # if this was one that failed
        if outcome.failure is not None:
            changes["failing_since"] = Now() if outcome.sent else Coalesce("failing_since", Now())
            changes |= self._plan_next_attempt(subscription, failures, outcome.failure)
        moved = self._update(subscription, **changes)
        attempts.write(subscription, outcome.attempts)
        if outcome.failure is not None:
            logger.warning(
                "delivery_failed",
                subscription=str(subscription.id),
                attempts=failures,
                status=changes.get("status", subscription.status),
                error=str(outcome.failure),
                lease_kept=bool(moved),
            )

    def _plan_next_attempt(
        self, subscription: Subscription, attempts: int, failure: DeliveryFailed
    ) -> dict[str, Any]:
        """What changes in the subscription after a failure: when it is tried again, or that it is not."""
        changes: dict[str, Any] = {
            "attempts": attempts,
            "failed": F("failed") + 1,
            "last_error": str(failure),
            "last_error_at": Now(),
        }
        is_webhook = subscription.kind == Subscription.Kind.WEBHOOK
        if is_webhook and (failure.is_gone or attempts > len(WEBHOOK_DELAYS)):
            return {**changes, "status": DISABLED}
        delays = WEBHOOK_DELAYS if is_webhook else BROKER_DELAYS
        # Up to a tenth later: those who failed together are not tried together again.
        delay = delays[min(attempts, len(delays)) - 1] * random.uniform(1, 1.1)  # noqa: S311
        return {**changes, "next_attempt_at": _from_now(max(delay, failure.retry_after))}

    def _update(self, subscription: Subscription, **changes: Any) -> int:
        """Change it, unless the lease was lost; the record says that it was disabled. Returns whether."""
        mine = self._mine(subscription)
        if changes.get("status") != DISABLED:
            return int(mine.update(**changes))
        with atomic():
            disabled = int(mine.update(**changes))
            if disabled:
                record.write(
                    Caller(None, ActorKind.LEDGER),
                    type="subscription.disabled",
                    subject="subscription",
                    subject_id=subscription.id,
                    before={"status": subscription.status},
                    after={"status": DISABLED.value},
                    detail=changes["last_error"],
                )
        return disabled

    def _mine(self, *subscriptions: Subscription) -> Any:
        """Those of the subscriptions that this relay still has the lease of; without any: all of its own."""
        mine = Subscription.objects.filter(lease=self.lease)
        return mine.filter(id__in=[each.id for each in subscriptions]) if subscriptions else mine


def look() -> tuple[bool, bool]:
    """Whether a subscription is due, and whether events wait for their positions. Raises `FeedStopped`."""
    [[has_due, *state]] = fetch(LOOK)
    return has_due, feed.make_state(*state).has_pending


def send(subscription: Subscription, page: feed.Page, stopping: Flag) -> Outcome:
    """Send the events of the page in their order, until one fails or the batch takes too long."""
    position, sent, unroutable, failure = subscription.position, 0, 0, None
    made: deque[Attempt] = deque(maxlen=attempts.KEPT)
    attempt = attempts.begin(subscription, page.events[0]["position"])
    ends_at = time.monotonic() + BATCH_SECONDS_MAX
    try:
        with open_channel(subscription) as channel:
            for envelope in page.events:
                if stopping.is_set() or time.monotonic() > ends_at:
                    break
                attempt = attempts.begin(subscription, envelope["position"])
                taken = channel(envelope)
                attempt.end(taken.status_code)
                made.append(attempt)
                unroutable += not taken.is_wanted
                position, sent = envelope["position"], sent + 1
    except DeliveryFailed as error:
        failure = error
    except Exception as error:  # a fault of ours; the others must go on, and this one be seen
        logger.exception("delivery_broke", subscription=str(subscription.id))
        failure = DeliveryFailed.because_of(error)
    if failure is not None:
        attempt.end(failure.status_code, str(failure))
        made.append(attempt)
    if sent == len(page.events):
        position = page.cursor.position
    return Outcome(position, sent, unroutable, failure, made)


def _from_now(seconds: float) -> Expression:
    """The moment in so many seconds by the database's clock, which all relays share."""
    return Now() + timedelta(seconds=seconds)

"""Whom events are sent to: the commands of people about it.

What the relay does with subscriptions is in `events.relay`, what was sent to whom in `events.deliveries`.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.db.models import Case, F, When
from django.db.models.functions import Now
from django.db.transaction import atomic

from events import errors, feed, record
from events.delivery import url_guard
from events.models import FREE, NIL, Cursor, FeedState, Subscription
from ledger.callers import Caller
from ledger.values import find_changes

SUBSCRIPTIONS_MAX = 100
AFRESH: dict[str, Any] = {"attempts": 0, "next_attempt_at": None, **FREE}


def create(
    *,
    kind: str,
    url: str | None,
    types: Sequence[str] = (),
    account: UUID | None = None,
    user: UUID | None = None,
    caller: Caller,
) -> tuple[Subscription, bool]:
    """Make a subscription that begins at the end of the feed. Returns it, and whether it was there before.

    It is of everything, or of one account, or of one user. It is known again by its url, the broker's by
    being the broker's. Raises `UrlNotAllowed`, `BrokerNotConfigured`, `AccountNotFound`, `UserNotFound`,
    `SubscriptionExists`, `TooManySubscriptions`.
    """
    if kind == Subscription.Kind.WEBHOOK:
        url_guard.require_allowed(url or "")
    elif url is not None:
        raise errors.UrlNotAllowed("The broker is the operator's: BROKER_URL.")
    elif not settings.BROKER_URL:
        raise errors.BrokerNotConfigured("There is no broker: BROKER_URL is not set.")

    users = get_user_model()._default_manager
    if account and not users.filter(accounts=account).exists():
        raise errors.AccountNotFound("There is no such account.")
    if user and not users.filter(pk=user).exists():
        raise errors.UserNotFound("There is no such user.")
    feed.place_pending()
    try:
        with atomic():
            state = FeedState.objects.select_for_update().get()  # so that they can be counted
            if found := Subscription.objects.with_lag().filter(kind=kind, url=url).first():
                if (sorted(found.types), found.account, found.user) != (sorted(types), account, user):
                    raise errors.SubscriptionExists(
                        "There is a subscription for this already, of other types, account or user."
                    )
                return found, True
            if Subscription.objects.count() >= SUBSCRIPTIONS_MAX:
                raise errors.TooManySubscriptions(f"There are {SUBSCRIPTIONS_MAX} subscriptions already.")
            made = Subscription.objects.create(
                kind=kind,
                url=url,
                types=list(types),
                account=account,
                user=user,
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
            # The record shows no secret of a url: that it was another one is said by its name.
            return _update(id, caller, "changed", detail="url" if url is not None else "", **changes)
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
def try_now(*, id: UUID, caller: Caller, reason: str = "") -> Subscription:
    """Do not wait until the next attempt is due: what failed is tried again at once, and counts as ever.

    Where nothing has failed nothing waits. Raises `SubscriptionNotActive`.
    """
    if not get(id).is_active:
        raise errors.SubscriptionNotActive("Nothing is sent to it at the moment: resume it.")
    at_once = Case(When(next_attempt_at__isnull=False, then=Now()))
    return _update(id, caller, "tried_now", reason, next_attempt_at=at_once)


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


def _update(
    id: UUID, caller: Caller, change: str, reason: str = "", detail: str = "", **changes: Any
) -> Subscription:
    """Change it, with its entry in the record. Raises `SubscriptionNotFound`."""
    mine = Subscription.objects.filter(id=id)
    before = mine.select_for_update(no_key=True).first() or get(id)  # which raises
    mine.update(**changes)
    after = get(id)
    _record(caller, id, change, *find_changes(_describe(before), _describe(after)), reason, detail)
    return after


def _describe(subscription: Subscription) -> dict[str, Any]:
    """What people decide of it."""
    return {
        "kind": subscription.kind,
        "url": subscription.masked_url,
        "types": sorted(subscription.types),
        "account": subscription.account and str(subscription.account),
        "user": subscription.user and str(subscription.user),
        "status": subscription.status,
        "cursor": str(subscription.cursor),
        "secret_generation": subscription.secret_generation,
    }


def _record(
    caller: Caller,
    id: UUID,
    change: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str = "",
    detail: str = "",
) -> None:
    record.write(
        caller,
        type=f"subscription.{change}",
        subject="subscription",
        subject_id=id,
        before=before,
        after=after,
        reason=reason,
        detail=detail,
    )

"""The feed and its subscriptions over HTTP."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.response import Response

from events import attempts, feed, subscriptions
from events.delivery import send_test, webhooks
from events.errors import SubscriptionExists
from events.models import Event, Subscription
from events.rest import schema, serializers
from rest.answers import lend_connections, mark
from rest.errors import FieldError, InvalidRequest
from rest.serializers import NoFields
from rest.viewsets import ApiViewSet, Request, ResourceViewSet

POLL_SECONDS = 0.2


@schema.describe_events
class EventViewSet(ApiViewSet[Event]):
    """What happened, in one order without gaps."""

    request_serializers = {"list": serializers.EventsQuery}
    serializer_class = serializers.EventsSerializer
    queryset = Event.objects.none()

    def list(self, request: Request) -> Response:
        """Events after a cursor, oldest first. With `wait` the answer may wait for the first one.

        Without the right to see everything: those of the caller's own accounts, and without their positions.
        """
        asked = request.asked
        if "after_sequence" in asked and "account" not in asked:
            raise InvalidRequest(FieldError("?account", "required", "Whose sequence is it?"))
        if "after_sequence" in asked and "after" in asked:
            raise InvalidRequest(FieldError("?after", "conflicting_fields", "Either this or after_sequence."))
        page = self._read(request, asked)
        # Looked for again and again: a connection that listens would be lost for everything else.
        deadline = time.monotonic() + asked.get("wait", 0)
        while not page.events and time.monotonic() < deadline:
            if not page.has_more:
                lend_connections()
                time.sleep(POLL_SECONDS)
            after = {} if "after_sequence" in asked else {"after": page.cursor}
            page = self._read(request, {**asked, **after})
        return Response({"events": page.events, "cursor": page.cursor.text, "has_more": page.has_more})

    def _read(self, request: Request, asked: dict[str, Any]) -> feed.Page:
        account, limit = asked.get("account"), asked.get("limit", 100)
        accounts: Any = None if account is None else [account]
        sees_all = request.may("events.view_event")
        if not sees_all:
            own: Any = request.user.accounts.values_list("id", flat=True)
            accounts = own if account is None else own.filter(id=account)  # looked up as the feed is read
        if "after_sequence" in asked and accounts:
            page = feed.read_account(asked["account"], asked["after_sequence"], limit=limit)
        else:
            page = feed.read(
                asked.get("after"),
                types=asked.get("types", ()),
                streams=accounts,
                limit=limit,
                of_all=sees_all,
            )
        if not sees_all:
            for event in page.events:
                event["position"] = None
        return page


@schema.describe_subscriptions
class SubscriptionViewSet(ResourceViewSet[Subscription]):
    """Who is told: webhooks, and the broker."""

    permissions = {
        "create": "events.add_subscription",
        "partial_update": "events.change_subscription",
        "destroy": "events.delete_subscription",
        "pause": "events.change_subscription",
        "resume": "events.change_subscription",
        "replay": "events.change_subscription",
        "rotate_secret": "events.change_subscription",
        "test": "events.change_subscription",
        "try_now": "events.change_subscription",
    }
    request_serializers = {
        "create": serializers.SubscriptionRequest,
        "partial_update": serializers.SubscriptionChanges,
        "pause": NoFields,
        "resume": NoFields,
        "replay": serializers.ReplayRequest,
        "rotate_secret": NoFields,
        "test": NoFields,
        "try_now": NoFields,
    }
    serializer_class = serializers.SubscriptionSerializer

    def get_queryset(self) -> QuerySet[Subscription]:
        return self.narrow_to_own(
            Subscription.objects.with_lag(), permission="events.view_subscription", owner="actor"
        )

    def list(self, request: Request) -> Any:
        """As of any resource; who may not change them sees no secret of a url."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([self._show(row) for row in rows])

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self._show(self.get_object()))

    def _show(self, subscription: Subscription) -> dict[str, object]:
        return subscription.to_dict(shows_url=self.request.may("events.change_subscription"))

    def create(self, request: Request) -> Response:
        """Subscribe, from now on. Repeated, with the same url, it is the same one, without its secret."""
        asked = request.asked
        if asked["kind"] == Subscription.Kind.WEBHOOK and "url" not in asked:
            raise InvalidRequest(FieldError("/url", "required", "A webhook has a url."))
        if "account" in asked and "user" in asked:
            raise InvalidRequest(FieldError("/user", "conflicting_fields", "Either an account or a user."))
        subscription, replayed = subscriptions.create(
            **{"url": None, **asked},
            caller=request.caller,
        )
        if not self.get_queryset().filter(id=subscription.id).exists():
            raise SubscriptionExists("There is a subscription for this already.")  # somebody else's
        body = _show_with_secret(subscription, hidden=replayed)  # the url as it was sent
        return mark(Response(body, status=201), replayed=replayed)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change the url or the types."""
        changed = subscriptions.change(id=self.get_object().pk, **request.asked, caller=request.caller)
        return Response(changed.to_dict())

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Nobody is told any more."""
        subscriptions.delete(id=self.get_object().pk, caller=request.caller)
        return Response(status=204)

    def pause(self, request: Request, pk: UUID) -> Response:
        """Send nothing until it is resumed. There is no body."""
        return self._change(request, subscriptions.pause)

    def resume(self, request: Request, pk: UUID) -> Response:
        """Go on from its cursor at once, paused or disabled. There is no body."""
        return self._change(request, subscriptions.resume)

    def replay(self, request: Request, pk: UUID) -> Response:
        """Send again from a cursor on, or skip up to it."""
        after = request.asked.get("after")
        replayed = subscriptions.replay(id=self.get_object().pk, after=after, caller=request.caller)
        return Response(replayed.to_dict())

    def rotate_secret(self, request: Request, pk: UUID) -> Response:
        """A new secret. For 24 hours every message is signed with the old one too. There is no body."""
        rotated = subscriptions.rotate_secret(id=self.get_object().pk, caller=request.caller)
        return Response(_show_with_secret(rotated))

    def test(self, request: Request, pk: UUID) -> Response:
        """Send a `subscription.test` now, beside the feed, and say what came of it. There is no body."""
        subscription = self.get_object()
        lend_connections()
        error = send_test(subscription, caller=request.caller)
        return Response({"delivered": error is None, "error": error})

    def try_now(self, request: Request, pk: UUID) -> Response:
        """Try what has failed again at once, and do not wait until it is due. There is no body."""
        return self._change(request, subscriptions.try_now)

    def attempts(self, request: Request, pk: UUID) -> Response:
        """The newest attempts to send to it, the last one first: 20 that were taken and 20 that failed."""
        made = attempts.read(self.get_object())
        return Response({"attempts": attempts.describe(made)})

    def _change(self, request: Request, change: Callable[..., Subscription]) -> Response:
        return Response(change(id=self.get_object().pk, caller=request.caller).to_dict())


def _show_with_secret(subscription: Subscription, *, hidden: bool = False) -> dict[str, object]:
    has_secret = subscription.kind == Subscription.Kind.WEBHOOK and not hidden
    secret = webhooks.make_secret(subscription.id, subscription.secret_generation) if has_secret else None
    return {**subscription.to_dict(), "secret": secret}

"""Who events are sent to."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import uuid_utils.compat
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from events.models.feed import PART, Cursor, Event, FeedState, Placement
from ledger.values import format_optional_time

URL_LENGTH_MAX = 2048
ERROR_LENGTH_MAX = 500
LAG_MAX = timedelta(minutes=1)  # all is sent within seconds when all is well
HIDDEN = "…"
# Of a subscription, without its lease: a relay that is sending cannot note any more what came of that.
FREE: dict[str, Any] = {"lease": None, "leased_until": None}


class Health(models.TextChoices):
    """How a subscription is getting on: its status, and whether it gets what it should."""

    ACTIVE = "ACTIVE", _("active")
    BEHIND = "BEHIND", _("behind")  # nothing fails, and yet it waits
    FAILING = "FAILING", _("failing")  # the last attempt failed, and nothing was taken since
    PAUSED = "PAUSED", _("paused")
    DISABLED = "DISABLED", _("disabled")


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def with_lag(self) -> "SubscriptionQuerySet":
        """With what their lag is made of: the end of the feed, since when they wait for it, the clock."""
        waiting = Placement.objects.filter(part=PART, position__gt=OuterRef("position")).order_by("position")
        return self.annotate(
            feed_end=Subquery(FeedState.objects.values("last_position")[:1]),
            waits_since=Subquery(waiting.values("event__recorded_at")[:1]),
            clock=Now(),
        )


class Subscription(models.Model):
    """Whom events are sent to: a webhook, or the broker; those up to its cursor (`epoch`, `position`) were.

    It is of everything, or of one account, or of one user: of them and of all their accounts.

    The secret of a webhook is not kept anywhere: it is computed from the subscription, the generation and a
    key outside the database (`events.delivery.webhooks`).
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook"
        BROKER = "broker"

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("active")
        PAUSED = "PAUSED", _("paused")  # by people
        DISABLED = "DISABLED", _("disabled")  # by the receiver: it answered 410, or every attempt has failed

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    url = models.CharField(_("url"), max_length=URL_LENGTH_MAX, null=True)
    types = models.JSONField(_("types"), default=list, help_text="Of events; empty: all")
    account = models.UUIDField(
        _("account"), null=True, db_column="account_id", help_text="Whose events alone are sent"
    )
    user = models.UUIDField(
        _("user"), null=True, db_column="user_id", help_text="Whose events, and their accounts', are sent"
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    epoch = models.UUIDField(_("epoch"))
    position = models.BigIntegerField(_("position"))
    attempts = models.IntegerField(
        _("attempts"), default=0, help_text="That failed, of the event after the cursor"
    )
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True)
    lease = models.UUIDField(_("lease"), null=True, help_text="The relay that sends at this moment")
    leased_until = models.DateTimeField(_("leased until"), null=True)
    sent = models.BigIntegerField(_("sent"), default=0)
    failed = models.BigIntegerField(_("failed"), default=0)
    unroutable = models.BigIntegerField(
        _("unroutable"), default=0, help_text="That the broker had no queue for"
    )
    last_sent_at = models.DateTimeField(_("last sent at"), null=True)
    last_error = models.CharField(_("last error"), max_length=ERROR_LENGTH_MAX, null=True)
    last_error_at = models.DateTimeField(_("last error at"), null=True)
    failing_since = models.DateTimeField(
        _("failing since"), null=True, help_text="The first failure of those that no success came after"
    )
    secret_generation = models.IntegerField(_("secret generation"), default=1)
    secret_rotated_at = models.DateTimeField(_("secret rotated at"), null=True)
    actor = models.UUIDField(_("actor"), help_text="Who made it")
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    objects = SubscriptionQuerySet.as_manager()
    feed_end: int  # these three: of `with_lag`
    waits_since: datetime | None
    clock: datetime

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="webhook", url__isnull=False) | Q(kind="broker", url__isnull=True),
                name="subscription_of_a_webhook_has_its_url",
            ),
            models.CheckConstraint(
                condition=Q(account=None) | Q(user=None), name="subscription_is_of_an_account_or_of_a_user"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["ACTIVE", "PAUSED", "DISABLED"]), name="subscription_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(position__gte=0), name="subscription_position_is_not_negative"
            ),
            models.UniqueConstraint(fields=["url"], name="subscription_url_is_used_once"),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(kind="broker"), name="subscription_of_the_broker_is_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.masked_url or ''}".strip()

    @property
    def masked_url(self) -> str | None:
        """The url without what may be a secret in it: who may not change it sees this."""
        return mask_url(self.url) if self.url else None

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self.position)

    @property
    def streams(self) -> Iterable[UUID] | None:
        """Whose events it is of; None: everybody's. A user's accounts are found when this is gone through."""
        if self.user is not None:
            return chain([self.user], get_user_model()(pk=self.user).accounts.values_list("id", flat=True))
        return None if self.account is None else [self.account]

    def asks_for(self, event: Event, user: UUID | None) -> bool:
        """Whether it is of such an event, which is this user's."""
        is_of_type = not self.types or event.type in self.types
        return is_of_type and self.account in (None, event.stream) and self.user in (None, user)

    @property
    def lag_events(self) -> int:
        """How many events were not sent yet. It needs `with_lag`, as all that follows does."""
        return max(0, self.feed_end - self.position)

    @property
    def lag_seconds(self) -> float:
        """The age of the oldest event that was not sent yet."""
        return max(0.0, (self.clock - (self.waits_since or self.clock)).total_seconds())

    @property
    def health(self) -> Health:
        """How it is getting on: the same everywhere that people look."""
        if not self.is_active:
            return Health(self.status)
        if self.failing_since is not None:
            return Health.FAILING
        return Health.BEHIND if self.lag_seconds > LAG_MAX.total_seconds() else Health.ACTIVE

    def to_dict(self, *, shows_url: bool = True) -> dict[str, object]:
        """The subscription as the API shows it; its url is masked, unless `shows_url`."""
        return {
            "id": str(self.id),
            "kind": self.kind,
            "url": self.url if shows_url else self.masked_url,
            "types": self.types,
            "account": self.account and str(self.account),
            "user": self.user and str(self.user),
            "status": self.status,
            "cursor": self.cursor.text,
            "lag": {"events": self.lag_events, "seconds": round(self.lag_seconds, 3)},
            "attempts": self.attempts,
            "next_attempt_at": format_optional_time(self.next_attempt_at),
            "sent": self.sent,
            "failed": self.failed,
            "unroutable": self.unroutable,
            "last_sent_at": format_optional_time(self.last_sent_at),
            "last_error": self.last_error,
            "last_error_at": format_optional_time(self.last_error_at),
            "created_at": format_optional_time(self.created_at),
        }


def mask_url(url: str) -> str:
    """The url's scheme, host and port: its user, its path and its query may be secrets, or have one."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    hidden = HIDDEN if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{HIDDEN if user else ''}{at}{host}/{hidden}"

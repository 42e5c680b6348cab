"""What happened, and its position in the feed."""

import struct
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger import ciphers, macs
from ledger.callers import ActorKind
from ledger.values import format_time

PART = 0  # of the feed: there is one


CURSOR = struct.Struct(">16sQ")
CURSOR_LENGTH = 76  # of its text, whatever the position is


class Cursor(NamedTuple):
    """Everything in this epoch of the feed up to `position` was read."""

    epoch: UUID
    position: int

    def __str__(self) -> str:
        """As the record tells it; what leaves the ledger is its `text`."""
        return f"{self.epoch.hex}-{self.position}"

    @property
    def text(self) -> str:
        """As callers keep it. It is encrypted and always another, since how much the whole ledger does is not
        the business of a holder, who sees their own events only."""
        return ciphers.encrypt("cursor", CURSOR.pack(self.epoch.bytes, self.position), _list_keys())


def parse_cursor(text: str) -> Cursor | None:
    """The cursor of that text; None if the ledger never gave it."""
    with suppress(ciphers.Undecipherable):
        epoch, position = CURSOR.unpack(ciphers.decrypt("cursor", text, _list_keys()))
        return Cursor(UUID(bytes=epoch), position)
    return None


def _list_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


class Resource(NamedTuple):
    """What an event tells of, who did it, as what, and in which request; how it was before, and why."""

    data: dict[str, Any]
    actor: UUID | None
    actor_kind: str
    request_id: str
    before: dict[str, Any] | None = None
    reason: str | None = None


class Sealed(NamedTuple):
    """What the MAC is computed of, in this order, of an event that tells more than that there is a row."""

    stream: UUID
    sequence: int
    type: str
    recorded_at: datetime
    actor: UUID | None
    actor_kind: str
    request_id: str
    data: dict[str, Any]
    before: dict[str, Any] | None
    text: UUID | None
    text_mac: bytes | None

    def compute_mac(self) -> bytes:
        return macs.compute("event", *self)

    def has_mac(self, mac: bytes | None) -> bool:
        return macs.is_right(mac, "event", *self)


class Event(models.Model):
    """A fact, written in the same database transaction as the change it tells of. Immutable.

    `stream` is the account that it is of, or the user where it is of no account; the events of a stream have
    gapless sequence numbers, whatever their type. `data` is the resource as the API shows it then, `before`
    those parts of it that were otherwise, both without their personal parts: these, and the reason, stand in
    `text`. `mac` covers all of it. They are null where a row tells it for ever: `about` is that row's number
    (`events.resources`).
    """

    class Type(models.TextChoices):
        USER_CREATED = "user.created"
        USER_CHANGED = "user.changed"
        USER_ERASED = "user.erased"
        ACCOUNT_OPENED = "account.opened"
        ACCOUNT_CHANGED = "account.changed"
        ACCOUNT_FROZEN = "account.frozen"
        ACCOUNT_UNFROZEN = "account.unfrozen"
        ACCOUNT_CLOSED = "account.closed"
        ACCOUNT_LIMITS_CHANGED = "account.limits_changed"
        TRANSACTION_POSTED = "transaction.posted"
        TRANSACTION_DECLINED = "transaction.declined"
        HOLD_PLACED = "hold.placed"
        HOLD_DECLINED = "hold.declined"
        HOLD_CHANGED = "hold.changed"
        HOLD_CHANGE_DECLINED = "hold.change_declined"
        HOLD_CAPTURED = "hold.captured"
        HOLD_RELEASED = "hold.released"
        HOLD_EXPIRED = "hold.expired"
        CLAIM_OPENED = "claim.opened"
        CLAIM_DECLINED = "claim.declined"
        CLAIM_COLLECTED = "claim.collected"
        CLAIM_WAIVED = "claim.waived"
        THRESHOLD_SET = "threshold.set"
        THRESHOLD_REMOVED = "threshold.removed"
        BALANCE_FELL_BELOW = "balance.fell_below"
        BALANCE_ROSE_ABOVE = "balance.rose_above"

    pk = models.CompositePrimaryKey("stream", "sequence")
    stream = models.UUIDField(_("stream"))
    sequence = models.BigIntegerField(_("sequence"))
    type = models.CharField(_("type"), max_length=40)
    recorded_at = models.DateTimeField(_("recorded at"))
    about = models.BigIntegerField(_("about"), null=True, help_text="The number of the account's transaction")
    actor = models.UUIDField(_("actor"), null=True, help_text="Of the ledger: the command that caused it")
    actor_kind = models.CharField(_("kind of actor"), max_length=10, choices=ActorKind, null=True)
    request_id = models.CharField(_("request id"), max_length=64, null=True)
    data = models.JSONField(_("data"), null=True)
    before = models.JSONField(_("before"), null=True)
    text = models.UUIDField(_("personal text"), null=True)
    text_mac = models.BinaryField(null=True)
    mac = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["stream", "sequence"], condition=Q(about=None), name="event_that_tells")
        ]
        constraints = [
            models.CheckConstraint(condition=Q(sequence__gte=1), name="event_sequence_is_positive"),
            models.CheckConstraint(
                condition=Q(
                    about__isnull=True,
                    data__isnull=False,
                    request_id__isnull=False,
                    actor_kind__isnull=False,
                    mac__isnull=False,
                )
                | Q(
                    type__startswith="transaction.",
                    about__isnull=False,
                    data__isnull=True,
                    request_id__isnull=True,
                    actor__isnull=True,
                    actor_kind__isnull=True,
                    before__isnull=True,
                    text__isnull=True,
                    mac__isnull=True,
                ),
                name="event_has_data_or_is_about_a_transaction",
            ),
            models.CheckConstraint(
                condition=Q(text__isnull=True, text_mac__isnull=True)
                | Q(text__isnull=False, text_mac__isnull=False),
                name="event_seals_its_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def id(self) -> str:
        """Its name outside, which nobody takes apart."""
        return self.name_of(self.stream, self.sequence)

    @staticmethod
    def name_of(stream: UUID, sequence: int) -> str:
        return f"{stream}.{sequence}"

    @property
    def sealed(self) -> Sealed:
        return Sealed._make(getattr(self, name) for name in Sealed._fields)

    @property
    def account_id(self) -> UUID | None:
        return None if self.type.startswith("user.") else self.stream

    def to_dict(self, resource: Resource, *, epoch: UUID, position: int | None) -> dict[str, Any]:
        """Its envelope, as JSON holds it: the same in the feed, in webhooks and on the broker."""
        account_id = self.account_id
        return {
            "id": self.id,
            "stream": str(self.stream),
            "sequence": self.sequence,
            "epoch": str(epoch),
            "position": position,
            "type": self.type,
            "account": account_id and str(account_id),
            "account_sequence": self.sequence if account_id else None,
            "recorded_at": format_time(self.recorded_at),
            "request_id": resource.request_id,
            "actor": {"id": resource.actor and str(resource.actor), "kind": resource.actor_kind},
            "data": resource.data,
            "before": resource.before,
            "reason": resource.reason,
        }


class PendingEvent(models.Model):
    """An event that has no position in the feed yet; the feed's sequencer gives it one after the commit."""

    pk = models.CompositePrimaryKey("recorded_at", "stream", "sequence")
    recorded_at = models.DateTimeField()
    stream = models.UUIDField()
    sequence = models.BigIntegerField()

    class Meta:
        db_table = "events_pending"

    def __str__(self) -> str:
        return f"pending {self.stream}.{self.sequence}"


class Placement(models.Model):
    """An event's position in the feed. Positions have no gaps and are given in the order of their commits.

    The table's primary key is (part, position). There is one part, `PART`.
    """

    position = models.BigIntegerField(_("position"), primary_key=True)
    part = models.SmallIntegerField(default=PART)
    stream = models.UUIDField(_("stream"))
    sequence = models.BigIntegerField(_("sequence"))
    event = models.ForeignObject(
        Event,
        on_delete=models.DO_NOTHING,
        from_fields=["stream", "sequence"],
        to_fields=["stream", "sequence"],
        related_name="placements",
    )

    class Meta:
        verbose_name = _("event")  # staff know it as that
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["stream", "sequence"], name="event_has_one_position"),
            models.CheckConstraint(
                condition=Q(part=PART, position__gte=1), name="placement_position_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: event {self.stream}.{self.sequence}"


class FeedState(models.Model):
    """The row that says how far a part of the feed has come; whoever gives positions holds its lock.

    `epoch` is the name of this history. Four columns say of which database it is the history: in another one
    (a restored backup, a promoted standby) events that were sent may be missing. `relay_seen_at` is when a
    relay last said that it works: readers place events too, so that a feed that moves does not show it.
    """

    part = models.SmallIntegerField(primary_key=True, default=PART)
    epoch = models.UUIDField()
    last_position = models.BigIntegerField(default=0)
    pruned_through = models.BigIntegerField(default=0)
    system_identifier = models.BigIntegerField()
    timeline_id = models.BigIntegerField()
    database_id = models.BigIntegerField()
    table_id = models.BigIntegerField()
    relay_seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "events_feed_state"
        constraints = [
            models.CheckConstraint(condition=Q(part=PART), name="feed_has_one_part"),
            models.CheckConstraint(
                condition=Q(pruned_through__gte=0, pruned_through__lte=F("last_position")),
                name="feed_state_is_pruned_up_to_its_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.epoch} at {self.last_position}"

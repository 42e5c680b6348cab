"""Money that is set aside."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.currencies import AMOUNT_MAX
from accounts.models.accounts import Account
from accounts.models.columns import (
    REFERENCE_LENGTH_MAX,
    ClockTimestamp,
    IsFinite,
    MoneyField,
    make_etag,
    metadata_has_texts,
)
from accounts.models.tables import Column, Kind, Table, replace_row


class HoldQuerySet(models.QuerySet["Hold"]):
    def with_clock(self) -> "HoldQuerySet":
        """The holds with their accounts, and with the `clock` that says which of them are due."""
        return self.select_related("account").annotate(clock=ClockTimestamp())


class Hold(models.Model):
    """Funds of an account that are set aside, until withdrawals capture them, or they are released or expire.

    An account's `held` is what its open holds have left; both change in one statement, and triggers refuse
    anything else. A closed hold never changes. A declined one was refused for the state of its account.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN", _("open")
        CAPTURED = "CAPTURED", _("captured")
        RELEASED = "RELEASED", _("released")
        EXPIRED = "EXPIRED", _("expired")
        DECLINED = "DECLINED", _("declined")

    id = models.UUIDField(primary_key=True, help_text="Chosen by the client: the identity of the command")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("account")
    )
    amount = MoneyField(_("amount"))
    amount_asked = MoneyField(_("amount asked"), help_text="As it was placed; the amount may be changed")
    captured = MoneyField(_("captured"), default=0)
    status = models.CharField(_("status"), max_length=8, choices=Status)
    decline_reason = models.CharField(_("decline reason"), max_length=40, null=True)
    decline_details = models.JSONField(_("decline details"), null=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, help_text="Null: never")
    expires_at_asked = models.DateTimeField(_("expires at asked"), null=True)
    reference = models.CharField(_("reference"), max_length=REFERENCE_LENGTH_MAX)
    metadata = models.JSONField(_("metadata"))
    created_at = models.DateTimeField(_("created at"))
    closed_at = models.DateTimeField(_("closed at"), null=True)
    actor = models.UUIDField(_("actor"))
    request_id = models.CharField(_("request id"), max_length=64)
    batch = models.UUIDField(_("batch"), null=True)
    event_sequence = models.BigIntegerField(
        _("event sequence"), help_text="The number of the account's event that told of it last"
    )

    objects = HoldQuerySet.as_manager()
    clock: datetime  # when it was read: of `with_clock`
    etag = make_etag("amount", "expires_at")

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=AMOUNT_MAX), name="hold_amount_is_positive_and_bounded"
            ),
            models.CheckConstraint(
                condition=Q(amount_asked__gt=0, amount_asked__lte=AMOUNT_MAX),
                name="hold_amount_asked_is_positive_and_bounded",
            ),
            models.CheckConstraint(
                condition=Q(captured__gte=0, captured__lte=F("amount")),
                name="hold_captures_at_most_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="OPEN", closed_at__isnull=True, captured__lt=F("amount"))
                | Q(status="CAPTURED", closed_at__isnull=False, captured__gt=0)
                | Q(status="RELEASED", closed_at__isnull=False, captured__lt=F("amount"))
                | Q(
                    status="EXPIRED",
                    closed_at__isnull=False,
                    captured__lt=F("amount"),
                    expires_at__isnull=False,
                )
                | Q(status="DECLINED", closed_at__isnull=False, captured=0),
                name="hold_status_fits_what_was_captured",
            ),
            models.CheckConstraint(
                condition=Q(status="DECLINED", decline_reason__isnull=False, decline_details__isnull=False)
                | (~Q(status="DECLINED") & Q(decline_reason__isnull=True, decline_details__isnull=True)),
                name="hold_is_declined_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(IsFinite(F("created_at")))
                & (Q(expires_at__isnull=True) | Q(IsFinite(F("expires_at"))))
                & (Q(expires_at_asked__isnull=True) | Q(IsFinite(F("expires_at_asked"))))
                & (Q(closed_at__isnull=True) | Q(IsFinite(F("closed_at")))),
                name="hold_times_are_finite",
            ),
            models.CheckConstraint(condition=metadata_has_texts(), name="hold_metadata_has_texts"),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="hold_by_creation"),
            models.Index(fields=["account", "created_at"], name="hold_by_account"),
            models.Index(fields=["account"], condition=Q(status="OPEN"), name="hold_open"),
            models.Index(
                fields=["created_at", "id"], condition=Q(status="OPEN"), name="hold_open_by_creation"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(status="OPEN", expires_at__isnull=False),
                name="hold_to_expire",
            ),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="hold_by_batch"),
        ]
        permissions = [("release_hold", "Can release holds in the back office")]

    def __str__(self) -> str:
        return f"hold {self.amount.normalize():f} {self.id}"

    @property
    def remaining(self) -> Decimal:
        """What can still be captured."""
        return self.amount - self.captured if self.status == self.Status.OPEN else Decimal(0)

    @property
    def is_expired(self) -> bool:
        """Open by its row, but its time was over when it was read: nobody may have written its end yet."""
        clock = self.clock  # of any hold: that it was read without one is an error
        return self.status == self.Status.OPEN and self.expires_at is not None and self.expires_at <= clock

    @property
    def status_now(self) -> Status:
        return self.Status.EXPIRED if self.is_expired else self.Status(self.status)

    @property
    def remaining_now(self) -> Decimal:
        return Decimal(0) if self.is_expired else self.remaining

    @cached_property
    def currency(self) -> str:
        return self.account.currency

    @property
    def user_id(self) -> UUID:
        return self.account.user_id

    def to_dict(self) -> dict[str, Any]:
        """The hold as the API shows it: expired when it was due as it was read, whether or not its end is
        written yet.
        """
        hold = (
            replace_row(self, status=self.Status.EXPIRED, closed_at=self.expires_at)
            if self.is_expired
            else self
        )
        return HOLD_TABLE.to_dict(hold, self.currency)


HOLD_TABLE = Table(
    "accounts_hold",
    Column(name="id", kind=Kind.ID),
    Column(name="account", kind=Kind.ID, attribute="account_id", asked="account_id", sent="required"),
    Column(name="amount", kind=Kind.AMOUNT),
    Column(name="captured", kind=Kind.AMOUNT),
    Column(name="remaining", kind=Kind.AMOUNT, stored=False, help="What can still be captured"),
    Column(name="status", kind=Kind.CHOICE, choices=Hold.Status),
    Column(name="decline_reason", kind=Kind.TEXT, null=True),
    Column(name="decline_details", kind=Kind.OBJECT, null=True),
    Column(name="expires_at", kind=Kind.TIME, null=True, help="Null: never"),
    Column(
        name="reference",
        kind=Kind.TEXT,
        length_max=REFERENCE_LENGTH_MAX,
        asked="reference",
        sent="optional",
        help="Your own word for it; the same may stand on as many as you like",
    ),
    Column(name="metadata", kind=Kind.OBJECT, asked="metadata", sent="optional"),
    Column(name="batch", kind=Kind.ID, null=True),
    Column(name="created_at", kind=Kind.TIME),
    Column(name="closed_at", kind=Kind.TIME, null=True),
    Column(name="amount_asked", kind=Kind.AMOUNT, shown=False, asked="amount", sent="required"),
    Column(
        name="expires_at_asked",
        kind=Kind.TIME,
        null=True,
        shown=False,
        asked="expires_at",
        sent="optional",
        help="Default: never",
    ),
    Column(name="actor", kind=Kind.ID, shown=False),
    Column(name="request_id", kind=Kind.TEXT, shown=False),
    Column(name="event_sequence", kind=Kind.COUNT, shown=False),
)

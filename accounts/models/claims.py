"""What accounts owe."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.currencies import AMOUNT_MAX
from accounts.models.accounts import Account
from accounts.models.columns import REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, IsFinite, MoneyField
from accounts.models.tables import Column, Kind, Table

CLAIMS_MAX = 50  # open ones of an account: all of them may be collected by one deposit


class Claim(models.Model):
    """What an account owes, because it could not be taken at once: collected of what comes to be free.

    An account's `owed` is what its open claims have left; both change in one statement, and triggers refuse
    anything else. A closed claim never changes. A declined one was refused for the state of its account.
    Reasons of claims are bookkeeping, as references are.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN", _("open")
        COLLECTED = "COLLECTED", _("collected")
        WAIVED = "WAIVED", _("waived")
        DECLINED = "DECLINED", _("declined")

    id = models.UUIDField(primary_key=True, help_text="Chosen by the client: the identity of the command")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("account")
    )
    amount = MoneyField(_("amount"))
    amount_asked = MoneyField(
        _("amount asked"), null=True, help_text="Null: all that was left of what it takes back"
    )
    collected = MoneyField(_("collected"), default=0)
    collections = models.IntegerField(_("collections"), default=0, help_text="How many there were")
    status = models.CharField(_("status"), max_length=9, choices=Status)
    decline_reason = models.CharField(_("decline reason"), max_length=40, null=True)
    decline_details = models.JSONField(_("decline details"), null=True)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH_MAX)
    reference = models.CharField(_("reference"), max_length=REFERENCE_LENGTH_MAX)
    destination = models.UUIDField(
        _("destination"), null=True, help_text="The account that is paid; null: the world outside"
    )
    reverses = models.UUIDField(
        _("reverses"),
        null=True,
        help_text="The transaction or transfer that it takes back, as far as it goes",
    )
    waived_reason = models.CharField(_("reason of the waiver"), max_length=REASON_LENGTH_MAX, null=True)
    created_at = models.DateTimeField(_("created at"))
    closed_at = models.DateTimeField(_("closed at"), null=True)
    actor = models.UUIDField(_("actor"))
    request_id = models.CharField(_("request id"), max_length=64)
    batch = models.UUIDField(_("batch"), null=True)
    event_sequence = models.BigIntegerField(
        _("event sequence"), help_text="The number of the account's event that told of it last"
    )

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        default_permissions = ("view",)
        permissions = [
            ("claim_account", "Can open claims on accounts"),
            ("waive_claim", "Can waive what is left of claims"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=AMOUNT_MAX)
                & (Q(amount_asked=F("amount")) | Q(amount_asked__isnull=True, reverses__isnull=False)),
                name="claim_amount_is_positive_and_bounded",
            ),
            models.CheckConstraint(
                condition=Q(collected=0, collections=0)
                | Q(collected__gt=0, collected__lte=F("amount"), collections__gt=0),
                name="claim_collects_at_most_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="OPEN", closed_at__isnull=True, collected__lt=F("amount"))
                | Q(status="COLLECTED", closed_at__isnull=False, collected=F("amount"))
                | Q(status="WAIVED", closed_at__isnull=False, collected__lt=F("amount"))
                | Q(status="DECLINED", closed_at__isnull=False, collected=0),
                name="claim_status_fits_what_was_collected",
            ),
            models.CheckConstraint(
                condition=Q(status="DECLINED", decline_reason__isnull=False, decline_details__isnull=False)
                | (~Q(status="DECLINED") & Q(decline_reason__isnull=True, decline_details__isnull=True)),
                name="claim_is_declined_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(status="WAIVED", waived_reason__isnull=False)
                | (~Q(status="WAIVED") & Q(waived_reason__isnull=True)),
                name="claim_is_waived_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(destination__isnull=True) | ~Q(destination=F("account")),
                name="claim_is_not_paid_to_its_own_account",
            ),
            models.CheckConstraint(
                condition=Q(IsFinite(F("created_at")))
                & (Q(closed_at__isnull=True) | Q(IsFinite(F("closed_at")))),
                name="claim_times_are_finite",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="claim_by_creation"),
            models.Index(fields=["account", "created_at"], name="claim_by_account"),
            models.Index(
                fields=["account", "created_at", "id"], condition=Q(status="OPEN"), name="claim_open"
            ),
            models.Index(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="claim_by_what_it_reverses"
            ),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="claim_by_batch"),
        ]

    def __str__(self) -> str:
        return f"claim {self.amount.normalize():f} {self.id}"

    @property
    def remaining(self) -> Decimal:
        """What the account still owes of it."""
        return self.amount - self.collected if self.status == self.Status.OPEN else Decimal(0)

    @cached_property
    def currency(self) -> str:
        return self.account.currency

    @property
    def user_id(self) -> UUID:
        return self.account.user_id

    def to_dict(self) -> dict[str, Any]:
        """The claim as the API shows it."""
        return CLAIM_TABLE.to_dict(self, self.currency)


CLAIM_TABLE = Table(
    "accounts_claim",
    Column(name="id", kind=Kind.ID),
    Column(name="account", kind=Kind.ID, attribute="account_id", asked="account_id"),
    Column(name="amount", kind=Kind.AMOUNT, asked="amount", sent="required"),
    Column(name="amount_asked", kind=Kind.AMOUNT, null=True, asked="amount", shown=False),
    Column(name="collected", kind=Kind.AMOUNT),
    Column(name="remaining", kind=Kind.AMOUNT, stored=False, help="What the account still owes of it"),
    Column(name="status", kind=Kind.CHOICE, choices=Claim.Status),
    Column(name="decline_reason", kind=Kind.TEXT, null=True),
    Column(name="decline_details", kind=Kind.OBJECT, null=True),
    Column(name="reason", kind=Kind.TEXT, asked="reason"),
    Column(
        name="reference",
        kind=Kind.TEXT,
        length_max=REFERENCE_LENGTH_MAX,
        asked="reference",
        sent="optional",
        help="Your own word for it; the same may stand on as many as you like",
    ),
    Column(
        name="destination",
        kind=Kind.ID,
        null=True,
        asked="destination",
        sent="optional",
        help="The account that gets what is collected; null: it leaves the ledger",
    ),
    Column(name="reverses", kind=Kind.ID, null=True, asked="reverses"),
    Column(name="waived_reason", kind=Kind.TEXT, null=True),
    Column(name="batch", kind=Kind.ID, null=True),
    Column(name="created_at", kind=Kind.TIME),
    Column(name="closed_at", kind=Kind.TIME, null=True),
    Column(name="collections", kind=Kind.COUNT, shown=False),
    Column(name="actor", kind=Kind.ID, shown=False),
    Column(name="request_id", kind=Kind.TEXT, shown=False),
    Column(name="event_sequence", kind=Kind.COUNT, shown=False),
)

"""What staff put right, alone or with a second person's approval."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.currencies import AMOUNT_MAX
from accounts.models import REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, Account, MoneyField, User
from transactions.models.transactions import Transaction


class Correction(models.Model):
    """A deposit or withdrawal by staff, a reversal, a claim, or a waiver of a claim. Its id is that of the
    transaction or claim that it becomes.

    What was asked never changes, and it is decided once. Above a limit, its checker is not its maker.
    Reversals that were asked for together are of one `batch` of `batch_size`, each at its `place` from 0 on:
    they are decided together, and posted as the list of that id.
    """

    ASKED = (
        "kind", "account_id", "type", "amount", "reference", "reason", "reverses", "claim", "destination",
        "batch", "maker_id",
    )  # fmt: skip

    class Kind(models.TextChoices):
        ADJUSTMENT = "ADJUSTMENT", _("adjustment")
        REVERSAL = "REVERSAL", _("reversal")
        CLAIM = "CLAIM", _("claim")
        WAIVER = "WAIVER", _("waiver of a claim")

    class Status(models.TextChoices):
        WAITING = "WAITING", _("waiting for approval")
        POSTED = "POSTED", _("posted")
        DECLINED = "DECLINED", _("declined by the ledger")
        REJECTED = "REJECTED", _("rejected")

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="+", db_index=False, verbose_name=_("account")
    )
    type = models.CharField(_("type"), max_length=8, choices=Transaction.Type, blank=True)
    amount = MoneyField(_("amount"))
    reference = models.CharField(_("reference"), max_length=REFERENCE_LENGTH_MAX, blank=True)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH_MAX)
    reverses = models.UUIDField(_("reverses"), null=True)
    claim = models.UUIDField(_("claim"), null=True, help_text="The one that is waived")
    destination = models.UUIDField(
        _("destination"), null=True, help_text="Of a claim that takes nothing back: the account that is paid"
    )
    batch = models.UUIDField(_("batch"), null=True)
    place = models.SmallIntegerField(_("place in the batch"), default=0, db_default=0)
    batch_size = models.SmallIntegerField(_("size of the batch"), default=1, db_default=1)
    maker = models.ForeignKey(
        User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("requested by")
    )
    made_at = models.DateTimeField(_("requested at"), db_default=Now())
    request_id = models.CharField(_("request id"), max_length=64)
    needs_approval = models.BooleanField(_("needs approval"))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    checker = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_reason = models.CharField(_("reason of the decision"), max_length=REASON_LENGTH_MAX, blank=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        default_permissions = ("view",)
        permissions = [
            ("adjust_account", "Can post deposits and withdrawals of staff"),
            ("reverse_transaction", "Can reverse transactions"),
            ("approve_correction", "Can approve and reject what others have asked for"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="ADJUSTMENT", reverses=None, claim=None, destination=None) & ~Q(reference="")
                | Q(kind="REVERSAL", reverses__isnull=False, claim=None, destination=None)
                | Q(kind="CLAIM", reverses=None, claim=None)
                | Q(kind="CLAIM", reverses__isnull=False, claim=None, destination=None)
                | Q(kind="WAIVER", claim__isnull=False, reverses=None, destination=None),
                name="correction_names_what_its_kind_is_about",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["ADJUSTMENT", "REVERSAL"], type__in=["DEPOSIT", "WITHDRAW"])
                | Q(kind="CLAIM", type="WITHDRAW")
                | Q(kind="WAIVER", type=""),
                name="correction_type_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=AMOUNT_MAX),
                name="correction_amount_is_positive_and_bounded",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="correction_has_a_reason"),
            models.CheckConstraint(
                condition=Q(batch=None, place=0, batch_size=1)
                | Q(
                    batch__isnull=False,
                    kind="REVERSAL",
                    place__gte=0,
                    place__lt=F("batch_size"),
                    batch_size__lte=1000,
                ),
                name="correction_is_alone_or_a_reversal_of_a_batch",
            ),
            models.UniqueConstraint(
                fields=["batch", "place"],
                condition=Q(batch__isnull=False),
                name="correction_has_its_place_in_a_batch",
            ),
            models.CheckConstraint(
                condition=Q(status="WAITING", checker__isnull=True, decided_at__isnull=True)
                | Q(status__in=["POSTED", "DECLINED", "REJECTED"], decided_at__isnull=False),
                name="correction_is_waiting_or_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["POSTED", "DECLINED"], needs_approval=True)
                | (Q(checker__isnull=False) & ~Q(checker=F("maker"))),
                name="correction_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(status="REJECTED") | Q(checker__isnull=False),
                name="correction_is_rejected_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["made_at", "id"], name="correction_by_making"),
            models.Index(fields=["made_at", "id"], condition=Q(status="WAITING"), name="correction_waiting"),
            models.Index(fields=["maker", "made_at"], name="correction_of_a_maker"),
            models.Index(fields=["account", "made_at"], name="correction_of_an_account"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.id}"

    @property
    def change(self) -> Decimal:
        """What it adds to the balance, of a claim sooner or later; of a waiver what is not taken from it."""
        return -self.amount if self.type == Transaction.Type.WITHDRAW else self.amount

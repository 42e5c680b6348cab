"""That a person is forgotten: who asked for it, and who approved it."""

import uuid_utils.compat
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.columns import REASON_LENGTH_MAX
from accounts.models.users import User


class Erasure(models.Model):
    """A request to forget an account holder, and a second person's answer.

    Carried out by `accounts.erasing`. Afterwards the row says who has decided it, and the record more; of the
    person there is only a keyed hash of their external id, for a time, so that it is not used again.
    """

    class Status(models.TextChoices):
        WAITING = "WAITING", _("waiting for approval")
        DONE = "DONE", _("carried out")
        REJECTED = "REJECTED", _("rejected")

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    user = models.ForeignKey(
        User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("account holder")
    )
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH_MAX)
    maker = models.ForeignKey(
        User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("requested by")
    )
    checker = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("decided by")
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    asked_at = models.DateTimeField(_("requested at"), db_default=Now())
    decided_at = models.DateTimeField(_("decided at"), null=True)
    external_id_hash = models.BinaryField(_("hash of the external id"), null=True)
    hash_until = models.DateTimeField(_("hash is kept until"), null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        default_permissions = ("view",)
        permissions = [("erase_user", "Can ask to forget people, and approve what others have asked for")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="erasure_has_a_reason"),
            models.CheckConstraint(
                condition=Q(status="WAITING", checker__isnull=True, decided_at__isnull=True)
                | Q(status__in=["DONE", "REJECTED"], checker__isnull=False, decided_at__isnull=False),
                name="erasure_is_waiting_or_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status="DONE") | ~Q(checker=F("maker")),
                name="erasure_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(external_id_hash__isnull=True, hash_until__isnull=True)
                | Q(status="DONE", external_id_hash__isnull=False, hash_until__isnull=False),
                name="erasure_keeps_a_hash_for_a_time",
            ),
            models.UniqueConstraint(
                fields=["user"], condition=~Q(status="REJECTED"), name="erasure_of_a_user_is_one"
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at", "id"], name="erasure_by_asking"),
            models.Index(fields=["asked_at", "id"], condition=Q(status="WAITING"), name="erasure_waiting"),
            models.Index(
                fields=["external_id_hash"],
                condition=Q(external_id_hash__isnull=False),
                name="erasure_of_an_external_id",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.id}"

"""What is known of the whole ledger: what audits have found, and what the dashboard shows.

It is kept beside the ledger, and is never part of its proof.
"""

import uuid_utils.compat
from django.db import models
from django.db.models import Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from ledger.values import format_time


class AuditRun(models.Model):
    """An audit that was made, and what it found.

    `found` are the first of its findings, with the check, the account, the table and the key of the row, and
    without what stood there, which may be personal.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), db_default=Now())
    seen_through = models.DateTimeField(
        _("seen through"), help_text="All that was recorded up to here was seen: for `--since`"
    )
    is_whole = models.BooleanField(
        _("is whole"),
        db_default=False,
        help_text="All accounts and all checks, if perhaps since an earlier one",
    )
    since = models.DateTimeField(_("since"), null=True, help_text="Only what was recorded after; null: all")
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=_("account"),
        null=True,
        db_index=False,
        related_name="+",
        help_text="If it was of one alone",
    )
    accounts = models.BigIntegerField(_("accounts"))
    rows = models.BigIntegerField(_("rows"))
    findings = models.BigIntegerField(_("findings"))
    found = models.JSONField(_("found"), db_default=Value([], models.JSONField()))

    class Meta:
        verbose_name = _("audit")
        verbose_name_plural = _("audits")
        indexes = [models.Index(fields=["finished_at"], name="audit_run_by_end")]

    def __str__(self) -> str:
        return f"{self.findings} findings at {format_time(self.finished_at)}"


class HourlyTotal(models.Model):
    """The transactions of an hour (UTC, by `recorded_at`) with the same currency, type and outcome."""

    hour = models.DateTimeField()
    currency = models.CharField(max_length=12)
    type = models.CharField(max_length=8)
    outcome = models.CharField(max_length=40, help_text="`posted`, or the reason of the decline")
    count = models.BigIntegerField()
    amount = models.DecimalField(max_digits=40, decimal_places=8)
    late = models.BigIntegerField(default=0, help_text="Of `count`: posted into the past")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "currency", "type", "outcome"], name="hourly_total_stands_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.currency} {self.type} {self.outcome}: {self.count}"

    @property
    def is_posted(self) -> bool:
        return self.outcome == "posted"


class Figures(models.Model):
    """One row: how far `HourlyTotal` has come, and what was found when all accounts were last looked at.

    `biggest` is `{currency: [account id, …]}`, the highest balance first; `held` is `{currency: amount}`, as
    text, where anything is set aside. No row: never counted.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    counted_through = models.DateTimeField(null=True)
    biggest = models.JSONField(default=dict)
    held = models.JSONField(default=dict)
    biggest_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="figures_are_one_row")]

    def __str__(self) -> str:
        return f"counted through {self.counted_through}"

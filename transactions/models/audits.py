"""The audits that were made."""

import uuid_utils.compat
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from ledger.values import format_time


class AuditRun(models.Model):
    """An audit that was made, and what it found."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), db_default=Now())
    seen_through = models.DateTimeField(
        _("seen through"), help_text="All that was recorded up to here was seen: for `--since`"
    )
    is_whole = models.BooleanField(
        _("is whole"), help_text="All accounts and all checks, if perhaps since an earlier one"
    )
    accounts = models.BigIntegerField(_("accounts"))
    rows = models.BigIntegerField(_("rows"))
    findings = models.BigIntegerField(_("findings"))

    class Meta:
        verbose_name = _("audit")
        verbose_name_plural = _("audits")
        indexes = [models.Index(fields=["finished_at"], name="audit_run_by_end")]

    def __str__(self) -> str:
        return f"{self.findings} findings at {format_time(self.finished_at)}"

"""Who of the staff saw or did what: the back office's own record, append-only."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from prometheus_client import Counter

from rest.middleware import get_request_id

DETAIL_LENGTH_MAX = 500
ACCESSES = Counter(
    "ledger_office_accesses", "What staff saw and did in the back office.", ["action", "subject"]
)


class Access(models.Model):
    """A member of staff looked at something, searched, exported or changed it.

    `subject` is the kind of thing (`account`), `subject_id` which one; a search or a list is of none.
    `detail` says what exactly: the words of a search, the name of a command, the lines of an export.
    """

    class Action(models.TextChoices):
        VIEW = "VIEW", _("looked at")
        SEARCH = "SEARCH", _("searched")
        EXPORT = "EXPORT", _("exported")
        CHANGE = "CHANGE", _("changed")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("when"), db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("who")
    )
    action = models.CharField(_("action"), max_length=8, choices=Action)
    subject = models.CharField(_("of what"), max_length=40)
    subject_id = models.CharField(_("which"), max_length=64, blank=True)
    detail = models.CharField(_("detail"), max_length=DETAIL_LENGTH_MAX, blank=True)
    reason = models.CharField(_("reason"), max_length=DETAIL_LENGTH_MAX, blank=True)
    request_id = models.CharField(_("request id"), max_length=64)

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("access log")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["actor", "id"], name="access_of_an_actor"),
            models.Index(fields=["subject_id", "id"], name="access_to_a_subject"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__in=["VIEW", "SEARCH", "EXPORT", "CHANGE"]),
                name="access_action_is_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}".strip()

    @staticmethod
    def record(
        request: HttpRequest,
        action: Action,
        subject: str,
        subject_id: object = "",
        *,
        detail: str = "",
        reason: str = "",
    ) -> None:
        """Write one line of the log: what was done by the person who sent the request.

        A change and its line belong in one database transaction. A page whose access cannot be recorded
        is not shown.
        """
        Access.objects.create(
            action=action,
            subject=subject,
            subject_id=str(subject_id),
            actor_id=request.user.pk,  # type: ignore[misc]
            detail=detail.replace("\x00", "")[:DETAIL_LENGTH_MAX],
            reason=reason[:DETAIL_LENGTH_MAX],
            request_id=get_request_id(request),
        )
        ACCESSES.labels(action=action, subject=subject).inc()

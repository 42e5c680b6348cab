"""What became of each try to send an event."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events.models.subscriptions import ERROR_LENGTH_MAX, Subscription
from ledger.values import format_time


class Attempt(models.Model):
    """One request to a webhook, or one message to the broker, with one event or with a test.

    Of each subscription the newest are kept (`events.attempts`). The times are of the sender's clock.
    """

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+", db_index=False)
    position = models.BigIntegerField(
        _("position"), null=True, help_text="Of the event, in the feed; null: a test, which is none"
    )
    began_at = models.DateTimeField(_("when"))
    milliseconds = models.BigIntegerField(_("milliseconds"))
    status_code = models.IntegerField(
        _("answer"), null=True, help_text="Of HTTP; null of the broker, and where none came"
    )
    error = models.CharField(_("error"), max_length=ERROR_LENGTH_MAX, null=True, help_text="Null: taken")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["subscription", "-id"], name="attempt_of_a_subscription"),
            models.Index(fields=["position", "subscription"], name="attempt_with_an_event"),
        ]

    def __str__(self) -> str:
        sent, result = self.position or "a test", self.error or self.status_code or "taken"
        return f"{sent} to {self.subscription_id}: {result}"

    def end(self, status_code: int | None, error: str | None = None) -> None:
        """It has ended at this moment, with an error or without one."""
        self.milliseconds = max(0, (timezone.now() - self.began_at) // timedelta(milliseconds=1))
        self.status_code, self.error = status_code, error

    def to_dict(self, *, event: str | None) -> dict[str, Any]:
        """The attempt as the API shows it, with the name of the event if it has one."""
        return {
            "event": event,
            "position": self.position,
            "began_at": format_time(self.began_at),
            "milliseconds": self.milliseconds,
            "delivered": self.error is None,
            "status_code": self.status_code,
            "error": self.error,
        }

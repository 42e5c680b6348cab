"""What happened. Events are immutable; the database refuses to change or remove them."""

from django.db import models
from django.db.models import Q


class Event(models.Model):
    """A fact, written in the same database transaction as the change it tells of.

    Of one account the events carry a gapless `account_sequence`, whatever their type.
    `data` is the resource as the API shows it.
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40)
    account_id = models.UUIDField(null=True)
    account_sequence = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()
    request_id = models.CharField(max_length=64)
    data = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "account_sequence"], name="event_account_sequence_is_used_once"
            ),
            models.CheckConstraint(
                condition=Q(account_id__isnull=True, account_sequence__isnull=True)
                | Q(account_id__isnull=False, account_sequence__isnull=False, account_sequence__gte=1),
                name="event_of_an_account_has_its_sequence",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class PendingEvent(models.Model):
    """An event that has no place in the feed yet; the feed's sequencer gives it one after the commit."""

    event = models.OneToOneField(
        Event, on_delete=models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )

    class Meta:
        db_table = "events_pending"

    def __str__(self) -> str:
        return f"pending {self.event_id}"

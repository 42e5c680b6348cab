"""Intents: commands of the ledger's that are to be sent, or were answered."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class MoneyIntent(models.Model):
    """WAITING until the ledger has answered; then DONE with its answer, or PARKED with its problem."""

    class Status(models.TextChoices):
        WAITING = "WAITING"
        DONE = "DONE"
        PARKED = "PARKED"

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, editable=False)  # the command's own, if it has one
    path = models.CharField(max_length=200)
    body = models.JSONField()
    line = models.CharField(max_length=100, blank=True)  # those of a line are sent one after the other
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)  # without an answer
    last_error = models.TextField(blank=True)
    answer = models.JSONField(null=True)
    problem = models.JSONField(null=True)
    answered_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["MoneyIntent"]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="money_intent_is_answered_or_waiting",
                condition=Q(status="WAITING", answered_at=None, answer__isnull=True, problem__isnull=True)
                | Q(status="DONE", answered_at__isnull=False, answer__isnull=False, problem__isnull=True)
                | Q(status="PARKED", answered_at__isnull=False, answer__isnull=True, problem__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["number"], condition=Q(status="WAITING"), name="money_intent_waiting"),
            models.Index(
                fields=["line", "number"],
                condition=Q(status="WAITING") & ~Q(line=""),
                name="money_intent_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.id}"

    def send_again(self) -> None:
        """A parked intent, once what stood in its way is gone: the very same command, under its id. What was
        declined and recorded stays so for ever: that needs a new intent."""
        parked = MoneyIntent.objects.using(self._state.db).filter(pk=self.pk, status=self.Status.PARKED)
        now = timezone.now()
        if not parked.update(status=self.Status.WAITING, problem=None, answered_at=None, next_attempt_at=now):
            raise ValueError(f"{self} is not parked.")
        self.refresh_from_db()

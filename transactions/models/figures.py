"""What the dashboard shows of the whole ledger. Counted beside the ledger, and never part of its proof."""

from django.db import models


class HourlyTotal(models.Model):
    """The transactions of an hour (UTC, by `recorded_at`) with the same currency, type and outcome."""

    POSTED = "posted"

    hour = models.DateTimeField()
    currency = models.CharField(max_length=12)
    type = models.CharField(max_length=8)
    outcome = models.CharField(max_length=40, help_text="`posted`, or the reason of the decline")
    count = models.BigIntegerField()
    amount = models.DecimalField(max_digits=40, decimal_places=8)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "currency", "type", "outcome"], name="hourly_total_stands_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.currency} {self.type} {self.outcome}: {self.count}"


class Figures(models.Model):
    """One row: how far `HourlyTotal` has come, and the biggest accounts when they were last looked for.

    `biggest` is `{currency: [account id, …]}`, the highest balance first. No row: never counted.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    counted_through = models.DateTimeField(null=True)
    biggest = models.JSONField(default=dict)
    biggest_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="figures_are_one_row")]

    def __str__(self) -> str:
        return f"counted through {self.counted_through}"

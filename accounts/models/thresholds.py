"""Amounts at which somebody wants to be told: when what an account has falls below one, or rises above it."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account
from accounts.models.columns import BALANCE_MAX, IsFinite, MoneyField
from accounts.models.tables import Column, Kind, Table

THRESHOLDS_MAX = 20  # of an account


class Threshold(models.Model):
    """An amount, and on which side of it the account was when it was told last: below it, or not.

    `of` says what is compared: the balance, or what is available, which is less by what is held and more by
    the credit limit. An account's `nearest` are its thresholds around both; its figures stay between them in
    every statement that does not tell of a crossing, and a constraint and triggers refuse anything else.
    """

    class Of(models.TextChoices):
        AVAILABLE = "available", _("available")
        BALANCE = "balance", _("balance")

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="thresholds",
        db_index=False,
        verbose_name=_("account"),
    )
    of = models.CharField(_("of"), max_length=9, choices=Of)
    amount = MoneyField(_("amount"))
    below = models.BooleanField(_("below"), help_text="Whether it is less than the amount")
    since = models.DateTimeField(_("since"), help_text="When it came to this side, or the threshold was set")
    created_at = models.DateTimeField(_("created at"))
    actor = models.UUIDField(_("actor"))
    request_id = models.CharField(_("request id"), max_length=64)
    event_sequence = models.BigIntegerField(
        _("event sequence"), help_text="The number of the account's event that told of it last"
    )

    class Meta:
        verbose_name = _("threshold")
        verbose_name_plural = _("thresholds")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "of", "amount"], name="threshold_stands_once"),
            models.CheckConstraint(
                condition=Q(of__in=["available", "balance"]), name="threshold_of_is_known"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=-BALANCE_MAX, amount__lte=BALANCE_MAX),
                name="threshold_amount_is_bounded",
            ),
            models.CheckConstraint(
                condition=Q(IsFinite(F("since")), IsFinite(F("created_at")), since__gte=F("created_at")),
                name="threshold_times_are_finite_and_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.of} {self.amount.normalize():f} {self.id}"

    @cached_property
    def currency(self) -> str:
        return self.account.currency

    def is_missed(self, *, balance: Decimal, available: Decimal) -> bool:
        """Whether an account that has this is below it; at the amount itself it is not."""
        return (balance if self.of == self.Of.BALANCE else available) < self.amount

    def to_dict(self) -> dict[str, Any]:
        """The threshold as the API shows it."""
        return THRESHOLD_TABLE.to_dict(self, self.currency)


THRESHOLD_TABLE = Table(
    "accounts_threshold",
    Column(name="id", kind=Kind.ID),
    Column(name="account", kind=Kind.ID, attribute="account_id"),
    Column(name="of", kind=Kind.CHOICE, choices=Threshold.Of, help="What is compared with the amount"),
    Column(name="amount", kind=Kind.AMOUNT),
    Column(name="below", kind=Kind.FLAG, help="Whether it is less than the amount now"),
    Column(name="since", kind=Kind.TIME, help="When it came to this side, or the threshold was set"),
    Column(name="created_at", kind=Kind.TIME),
    Column(name="actor", kind=Kind.ID, shown=False),
    Column(name="request_id", kind=Kind.TEXT, shown=False),
    Column(name="event_sequence", kind=Kind.COUNT, shown=False),
)


def find_nearest(thresholds: Collection[Threshold]) -> list[Decimal | None] | None:
    """The amounts around the balance, the largest that it is not below and the smallest that it is below, and
    those around what is available. None instead of all four if there are no thresholds."""
    if not thresholds:
        return None
    nearest: list[Decimal | None] = []
    for of in (Threshold.Of.BALANCE, Threshold.Of.AVAILABLE):
        reached = [each.amount for each in thresholds if each.of == of and not each.below]
        missed = [each.amount for each in thresholds if each.of == of and each.below]
        nearest += [max(reached, default=None), min(missed, default=None)]
    return nearest

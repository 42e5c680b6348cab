"""Accounts, which hold the money of users."""

from decimal import Decimal
from typing import Any

import uuid_utils.compat
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.currencies import format_amount
from accounts.models.columns import (
    BALANCE_MAX,
    NAME_LENGTH_MAX,
    REASON_LENGTH_MAX,
    HeldDue,
    HoldsDue,
    IsFinite,
    MoneyField,
    make_etag,
    metadata_has_texts,
)
from accounts.models.users import User
from ledger.values import format_time

MAIN = "main"


class AccountQuerySet(models.QuerySet["Account"]):
    def with_held_due(self) -> "AccountQuerySet":
        """The accounts with how many holds are due whose end nobody wrote, and what those still have."""
        return self.annotate(held_due=HeldDue(F("id")), holds_due=HoldsDue(F("id")))


class Account(models.Model):
    """One balance in one currency for one user.

    A balance changes only together with the transactions that explain it, in one statement; triggers in
    `transactions.migrations` refuse anything else.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("active")
        FROZEN = "FROZEN", _("frozen")  # refuses money out and new holds, accepts money in
        CLOSED = "CLOSED", _("closed")  # empty, final, refuses everything

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="accounts", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=NAME_LENGTH_MAX, default=MAIN)
    currency = models.CharField(_("currency"), max_length=12)
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.ACTIVE)
    balance = MoneyField(_("balance"), default=0)
    held = MoneyField(_("held"), default=0)
    credit_limit = MoneyField(_("credit limit"), default=0)
    credit_limit_max = MoneyField(
        _("credit limit max"), default=0, help_text="The highest the credit limit ever was"
    )
    status_reason = models.CharField(
        _("status reason"), max_length=REASON_LENGTH_MAX, default="", db_default="", blank=True
    )
    owed = MoneyField(_("owed"), default=0, db_default=0, help_text="What its open claims have left")
    nearest = ArrayField(
        MoneyField(null=True),
        null=True,
        help_text="The thresholds next to the balance, below and above, and next to what is available",
    )
    withdraw_max = MoneyField(_("withdraw max"), null=True, help_text="The most that one withdrawal may take")
    withdraw_day_max = MoneyField(
        _("withdraw day max"), null=True, help_text="The most that a UTC day's withdrawals may take"
    )
    withdrawn_on = models.DateField(
        _("withdrawn on"), null=True, help_text="The UTC day of the last withdrawal"
    )
    withdrawn = MoneyField(
        _("withdrawn"), default=0, db_default=0, help_text="What that day's withdrawals took"
    )
    seq = models.BigIntegerField(_("number"), default=0, help_text="Transactions so far, declined ones too")
    version = models.BigIntegerField(_("version"), default=0, help_text="Posted transactions so far")
    event_sequence = models.BigIntegerField(_("event sequence"), default=0, help_text="Events so far")
    last_recorded_at = models.DateTimeField(
        _("last recorded at"), db_default=Now(), help_text="When its last event was; it never falls"
    )
    last_effective_at = models.DateTimeField(_("last effective at"), null=True)
    chain_head = models.BinaryField(
        _("chain head"), default=b"", help_text="The hash of the account's last transaction"
    )
    metadata = models.JSONField(_("metadata"), default=dict)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    objects = AccountQuerySet.as_manager()
    held_due: Decimal  # of `with_held_due`
    holds_due: int
    etag = make_etag("metadata")

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(fields=["user", "currency", "name"], name="account_is_unique_by_name"),
            models.CheckConstraint(
                condition=Q(status__in=["ACTIVE", "FROZEN", "CLOSED"]), name="account_status_is_known"
            ),
            # PostgreSQL holds NaN to be larger than every number, so an upper bound refuses it.
            models.CheckConstraint(
                condition=Q(balance__gte=-BALANCE_MAX, balance__lte=BALANCE_MAX),
                name="account_balance_is_bounded",
            ),
            models.CheckConstraint(
                condition=Q(held__gte=0, held__lte=BALANCE_MAX), name="account_held_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(owed__gte=0, owed__lte=BALANCE_MAX), name="account_owed_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(credit_limit__gte=0, credit_limit__lte=F("credit_limit_max")),
                name="account_credit_limit_is_within_its_highest",
            ),
            models.CheckConstraint(
                condition=Q(credit_limit_max__lte=BALANCE_MAX), name="account_credit_limit_max_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(withdraw_max__isnull=True)
                | Q(withdraw_max__gte=0, withdraw_max__lte=BALANCE_MAX),
                name="account_withdraw_max_is_bounded",
            ),
            models.CheckConstraint(
                condition=Q(withdraw_day_max__isnull=True)
                | Q(withdraw_day_max__gte=0, withdraw_day_max__lte=BALANCE_MAX),
                name="account_withdraw_day_max_is_bounded",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True, withdrawn=0)
                | Q(withdrawn_on__isnull=False, withdrawn__gte=0, withdrawn__lt=Decimal(10) ** 20),
                name="account_withdrawn_is_of_a_day",
            ),
            models.CheckConstraint(
                condition=Q(balance__gte=F("held") - F("credit_limit")),
                name="account_balance_covers_holds",
            ),
            models.CheckConstraint(
                condition=~Q(status="CLOSED") | Q(balance=0, held=0, owed=0), name="closed_account_is_empty"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=0, seq__gte=F("version"), event_sequence__gte=F("seq")),
                name="account_has_an_event_for_every_transaction",
            ),
            models.CheckConstraint(
                condition=Q(IsFinite(F("last_recorded_at"))), name="account_last_recorded_at_is_finite"
            ),
            models.CheckConstraint(
                condition=Q(last_effective_at__isnull=True)
                | Q(
                    IsFinite(F("last_effective_at")),
                    last_effective_at__lte=F("last_recorded_at"),
                ),
                name="account_last_effective_at_is_not_in_the_future",
            ),
            models.CheckConstraint(condition=IsFinite(F("created_at")), name="account_created_at_is_finite"),
            models.CheckConstraint(condition=metadata_has_texts(), name="account_metadata_has_texts"),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="account_by_creation"),
            models.Index(fields=["currency", "created_at", "id"], name="account_by_currency"),
            models.Index(fields=["status", "id"], condition=~Q(status="ACTIVE"), name="account_not_active"),
        ]
        permissions = [
            ("freeze_account", "Can freeze and unfreeze accounts"),
            ("close_account", "Can close accounts"),
            ("limit_account", "Can set the limits of accounts"),
            ("manage_thresholds", "Can set and remove thresholds of accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.currency} {self.id}"

    @property
    def held_now(self) -> Decimal:
        """What is set aside by holds that are not due, whether or not the ends of the others are written."""
        return self.held - self.held_due

    @property
    def available(self) -> Decimal:
        """What a withdrawal may take now."""
        return self.balance - self.held_now + self.credit_limit

    @property
    def crossings_due(self) -> int:
        """How many of its thresholds it passes when the ends of due holds are written: each is an event.

        Of an account that owes, what is collected then is not counted: that may lead through other accounts.
        """
        reached = None if self.nearest is None or not self.holds_due else self.nearest[3]
        if reached is None or self.available < reached:
            return 0
        return self.thresholds.filter(of="available", below=True, amount__lte=self.available).count()

    def to_dict(self) -> dict[str, Any]:
        """The account as the API shows it."""
        amounts = {
            "balance": self.balance,
            "held": self.held_now,
            "available": self.available,
            "owed": self.owed,
            "credit_limit": self.credit_limit,
            "withdraw_max": self.withdraw_max,
            "withdraw_day_max": self.withdraw_day_max,
        }
        return {
            "id": str(self.id),
            "user": str(self.user_id),
            "name": self.name,
            "currency": self.currency,
            "status": self.status,
            "status_reason": self.status_reason,
            **{
                name: None if amount is None else format_amount(amount, self.currency)
                for name, amount in amounts.items()
            },
            "version": self.version,
            "event_sequence": self.event_sequence + self.holds_due + self.crossings_due,
            "metadata": self.metadata,
            "created_at": format_time(self.created_at),
        }

"""Users, and the accounts that hold their money."""

from decimal import Decimal
from typing import Any

import uuid_utils.compat
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import Exact

from accounts.currencies import format_amount
from events.wire import format_time

BALANCE_MAX = Decimal(10) ** 15
NAME_LENGTH_MAX = 150
MAIN = "main"


class ClockTimestamp(Func):
    """The database's clock at this very moment, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = models.DateTimeField()


class IsFinite(Func):
    """False for PostgreSQL's `infinity`, which no datetime can hold."""

    function = "isfinite"
    output_field = models.BooleanField()


class JSONType(Func):
    function = "jsonb_typeof"
    output_field = models.TextField()


def metadata_is_an_object() -> Exact:
    return Exact(JSONType(F("metadata")), Value("object"))


class MoneyField(models.DecimalField):
    """`numeric(28,8)`: wide enough for every currency; its currency says how many decimals count."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "max_digits": 28, "decimal_places": 8})


class User(AbstractUser):
    """Somebody the ledger knows: an account holder, a client service or a member of staff.

    Users made over the API have no usable password, no permissions, and their id as their user name.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    name = models.CharField(max_length=NAME_LENGTH_MAX, blank=True)
    external_id = models.CharField(
        max_length=NAME_LENGTH_MAX, null=True, blank=True, unique=True, help_text="The client's own handle"
    )
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_as = models.JSONField(
        null=True,
        editable=False,
        help_text="What the API was asked for; a repeated request is compared with it",
    )
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    date_joined = None  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=metadata_is_an_object(), name="user_metadata_is_an_object")
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="user_by_creation"),
            models.Index(fields=["name"], name="user_by_name"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def as_resource(self) -> dict[str, Any]:
        """The user as the API shows it, with its accounts (prefetch `accounts` for lists)."""
        accounts = sorted(self.accounts.all(), key=lambda account: account.id)
        return {
            "id": str(self.id),
            "external_id": self.external_id,
            "name": self.name,
            "metadata": self.metadata,
            "created_at": format_time(self.created_at),
            "accounts": [account.as_resource() for account in accounts],
        }


class Account(models.Model):
    """One balance in one currency for one user.

    A balance changes only together with the transactions that explain it, in one statement; triggers in
    `transactions.migrations` refuse anything else.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE"
        FROZEN = "FROZEN"  # refuses money out and new holds, accepts money in
        CLOSED = "CLOSED"  # empty, final, refuses everything

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=NAME_LENGTH_MAX, default=MAIN)
    currency = models.CharField(max_length=12)
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    balance = MoneyField(default=0)
    held = MoneyField(default=0)
    credit_limit = MoneyField(default=0)
    credit_limit_max = MoneyField(default=0, help_text="The highest the credit limit ever was")
    version = models.BigIntegerField(default=0, help_text="Posted transactions so far")
    event_sequence = models.BigIntegerField(default=0, help_text="Events so far")
    last_recorded_at = models.DateTimeField(null=True)
    last_effective_at = models.DateTimeField(null=True)
    chain_head = models.BinaryField(default=b"", help_text="The hash of the account's last transaction")
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
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
                condition=Q(credit_limit__gte=0, credit_limit__lte=F("credit_limit_max")),
                name="account_credit_limit_is_within_its_highest",
            ),
            models.CheckConstraint(
                condition=Q(credit_limit_max__lte=BALANCE_MAX), name="account_credit_limit_max_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(balance__gte=F("held") - F("credit_limit")),
                name="account_balance_covers_holds",
            ),
            models.CheckConstraint(
                condition=~Q(status="CLOSED") | Q(balance=0, held=0), name="closed_account_is_empty"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=0, event_sequence__gte=F("version")),
                name="account_has_an_event_for_every_version",
            ),
            models.CheckConstraint(
                condition=Q(last_recorded_at__isnull=True) | Q(IsFinite(F("last_recorded_at"))),
                name="account_last_recorded_at_is_finite",
            ),
            models.CheckConstraint(
                condition=Q(last_effective_at__isnull=True)
                | Q(
                    IsFinite(F("last_effective_at")),
                    last_recorded_at__isnull=False,
                    last_effective_at__lte=F("last_recorded_at"),
                ),
                name="account_last_effective_at_is_not_in_the_future",
            ),
            models.CheckConstraint(condition=IsFinite(F("created_at")), name="account_created_at_is_finite"),
            models.CheckConstraint(condition=metadata_is_an_object(), name="account_metadata_is_an_object"),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="account_by_creation")]

    def __str__(self) -> str:
        return f"{self.name} {self.currency} {self.id}"

    @property
    def available(self) -> Decimal:
        """What a withdrawal may take now."""
        return self.balance - self.held + self.credit_limit

    def as_resource(self) -> dict[str, Any]:
        """The account as the API shows it."""
        return {
            "id": str(self.id),
            "user": str(self.user_id),
            "name": self.name,
            "currency": self.currency,
            "status": self.status,
            "balance": format_amount(self.balance, self.currency),
            "held": format_amount(self.held, self.currency),
            "available": format_amount(self.available, self.currency),
            "credit_limit": format_amount(self.credit_limit, self.currency),
            "version": self.version,
            "metadata": self.metadata,
            "created_at": format_time(self.created_at),
        }

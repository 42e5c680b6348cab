"""Tokens: what the API is called with, and what each of them may."""

from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from accounts.currencies import AMOUNT_MAX, write_exactly
from accounts.models.columns import JSONType, MoneyField
from ledger.callers import Bounds
from ledger.values import format_optional_time, format_time

# Of a transaction: what a token may be bound to. As JSON has them, in the order of the alphabet.
TYPES = (["DEPOSIT"], ["WITHDRAW"], ["DEPOSIT", "WITHDRAW"])


class IsList(models.Func):
    """Whether a column is a JSON list with something in it."""

    template = "(jsonb_typeof(%(expressions)s) = 'array' AND %(expressions)s <> '[]')"
    output_field = models.BooleanField()


class Token(AbstractAuthToken):  # type: ignore[misc]
    """What a service or an account holder calls the API with. Only its digest is kept.

    What it may, it has from the beginning, and a guard keeps it: `permissions` are names as Django has them,
    of which those count that its user has, too; a bound is null where there is none. `last_used_at` is at
    most two minutes old, or what it was when it was used last.
    """

    permissions = models.JSONField(_("permissions"), default=list)
    account_names = models.JSONField(
        _("account names"), null=True, help_text="Of the accounts that it may do something to; null: all"
    )
    types = models.JSONField(
        _("types"), null=True, help_text="Of the transactions that it may post; null: all"
    )
    amount_max = MoneyField(
        _("largest amount"), null=True, help_text="Of a transaction or a hold, in any currency"
    )
    last_used_at = models.DateTimeField(_("last used at"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        default_permissions = ("view", "add", "delete")
        permissions = [("view_metrics", "Can read the metrics")]
        constraints = [
            models.CheckConstraint(
                condition=Exact(JSONType(F("permissions")), Value("array")),
                name="token_permissions_are_a_list",
            ),
            models.CheckConstraint(
                condition=Q(account_names__isnull=True) | Q(IsList(F("account_names"))),
                name="token_account_names_are_a_list",
            ),
            models.CheckConstraint(
                condition=Q(types__isnull=True) | Q(types__in=TYPES), name="token_types_are_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_max__isnull=True) | Q(amount_max__gt=0, amount_max__lte=AMOUNT_MAX),
                name="token_amount_max_is_bounded",
            ),
        ]
        indexes = [
            models.Index(fields=["expiry"], condition=Q(revoked_at__isnull=True), name="token_by_its_end")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.token_key}…"

    @property
    def bounds(self) -> Bounds | None:
        """None: it has none, and nothing is to be compared with them."""
        bounds = Bounds(
            None if self.account_names is None else frozenset(self.account_names),
            None if self.types is None else frozenset(self.types),
            self.amount_max,
        )
        return bounds if any(bound is not None for bound in bounds) else None

    def describe_bounds(self) -> dict[str, Any]:
        """As the API and the record have them."""
        amount = self.amount_max
        return {
            "account_names": self.account_names,
            "types": self.types,
            "amount_max": None if amount is None else write_exactly(amount),
        }

    def describe(self) -> dict[str, Any]:
        """What the record tells of it: all that never changes, but for its digest."""
        return {
            "user": str(self.user_id),
            "username": self.user.username,
            "created_at": format_time(self.created),
            "expires_at": format_optional_time(self.expiry),
            "permissions": self.permissions,
            **self.describe_bounds(),
        }

    def to_dict(self) -> dict[str, Any]:
        """The token as the API shows it to who has it."""
        return {
            "prefix": self.token_key,
            "created_at": format_time(self.created),
            "last_used_at": format_optional_time(self.last_used_at),
            "expires_at": format_optional_time(self.expiry),
            **self.describe_bounds(),
        }

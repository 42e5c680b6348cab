"""The filters of users, of their accounts, and of those who work with the ledger."""

from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.db.models.lookups import LessThan
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Account
from accounts.staff import GROUPS
from ledger.callers import ActorKind
from office.lists.fields import Caller, Choice, Id, Moment, Number, Text, YesOrNo
from office.lists.forms import ListForm, OptionalPeriodForm, within

KINDS = {
    ActorKind.HOLDER: Q(is_holder=True),
    ActorKind.SERVICE: Q(is_holder=False, is_staff=False),
    ActorKind.STAFF: Q(is_staff=True),
}
VALIDITIES = {
    "valid": Q(revoked_at=None, user__is_active=True) & (Q(expiry=None) | Q(expiry__gt=Now())),
    "expired": Q(revoked_at=None, expiry__lte=Now()),
    "revoked": Q(revoked_at__isnull=False),
}


# Accounts, as they are changed, and users by their names lie here and there: a row is a page or two.
LOOKED_AT_MAX_SCATTERED = 500
EVERYBODY = "everybody"


class UserForm(OptionalPeriodForm):
    """Of customers, unless somebody looks for another kind or by words."""

    kind = forms.ChoiceField(
        choices=[*((kind.value, kind.label) for kind in KINDS), (EVERYBODY, _("everybody"))],
        label=_("Kind"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    name = Text(label=_("Part of the name"))
    external_id = Text(label=_("Part of the external id"))

    tried = {
        "kind": lambda kind: KINDS[kind],
        "name": "name__icontains",
        "external_id": "external_id__icontains",
    }
    orders = {"oldest": (_("oldest first"), ("created_at", "id")), "name": (_("by name"), ("name", "id"))}

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        if self.get("order") == "name":
            self.looked_at_max = LOOKED_AT_MAX_SCATTERED
        return super().find_order(order)

    @property
    def is_of_holders(self) -> bool:
        return not self.is_search and not self.data.get("kind")

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        if self.is_of_holders:
            asked["kind"] = ActorKind.HOLDER
        elif asked.get("kind") == EVERYBODY:
            asked["kind"] = None
        return asked


def have_less(amount: Any) -> Q:
    """What is available is at least the balance without all holds. So of few rows due holds are asked for."""
    least = F("balance") - F("held") + F("credit_limit")
    return Q(LessThan(least, amount)) & (Q(held=0) | Q(LessThan(least + F("held_due"), amount)))


class AccountForm(OptionalPeriodForm):
    """Along the opening of all of them, of those of a currency or of a user; those not active by their id."""

    status = Choice(Account.Status.choices, label=_("Status"))
    currency = Text(label=_("Currency"))
    available_below = Number(label=_("Available below"))
    owed = YesOrNo(label=_("Owes something"))
    credit = YesOrNo(label=_("Has a credit limit"))
    name = Text(label=_("Part of the account's name"))
    user = Id(label=_("Id of the user"))

    carried = {
        "currency": lambda currency: within("currency", currency),
        "user": "user_id",
    }
    tried = {
        "status": "status",
        "available_below": have_less,
        "owed": lambda yes: Q(owed__gt=0) if yes else Q(owed=0),
        "credit": lambda yes: Q(credit_limit__gt=0) if yes else Q(credit_limit=0),
        "name": "name__icontains",
    }
    orders = {"oldest": (_("oldest first"), ("created_at", "id"))}
    looked_at_max = LOOKED_AT_MAX_SCATTERED

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        asked["currency"] = (asked.get("currency") or "").upper()
        return asked

    def carry(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().carry(rows)
        status = self.get("status")
        if status in (None, Account.Status.ACTIVE):
            return rows
        return rows.exclude(status=Account.Status.ACTIVE).filter(status=status)

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        chosen = super().find_order(order)
        if self.get("user"):
            return ("currency", "name")
        if self.get("currency"):
            return tuple(f"{chosen[0][: -len('created_at')]}{name}" for name in ("currency", *KEY))
        if self.get("status") in (Account.Status.FROZEN, Account.Status.CLOSED) and not self.get("order"):
            return ("-id",)
        return chosen


KEY = ("created_at", "id")


class StaffForm(ListForm):
    active = YesOrNo(label=_("Active"))
    superuser = YesOrNo(label=_("Administrator of everything"))
    group = Choice([(name, name) for name in GROUPS], label=_("Group"))

    carried = {"active": "is_active", "superuser": "is_superuser", "group": "groups__name"}


class TokenForm(ListForm):
    state = Choice(
        [("valid", _("valid")), ("expired", _("expired")), ("revoked", _("revoked"))], label=_("State")
    )
    user = Caller(label=_("User name or id"))
    unused_since = Moment(label=_("Not used since"))

    carried = {"user": "user"}
    tried = {
        "state": lambda state: VALIDITIES[state],
        "unused_since": lambda moment: Q(last_used_at=None) | Q(last_used_at__lt=moment),
    }

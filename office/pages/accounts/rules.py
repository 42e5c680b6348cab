"""The rules of an account: frozen, active or closed, and its limits; each changed for a reason."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.currencies import format_amount
from accounts.models import Account
from office.actions import Command, ReasonForm
from office.confirming import facts
from office.confirming.foreseeing import Foreseen, foresee
from office.forms import AmountField, fit
from rest.middleware import get_caller
from transactions import posting
from transactions.posting import PostingRequest
from transactions.posting.commands import SetLimits, SetStatus

LIMITS = ("credit_limit", "withdraw_max", "withdraw_day_max")


class LimitsForm(ReasonForm):
    """All three, as they are to be. An empty one is no limit; without a credit limit there is no credit."""

    field_order = (*LIMITS, "reason")
    credit_limit = AmountField(label=_("Credit limit"), required=False)
    withdraw_max = AmountField(label=_("Limit of one withdrawal"), required=False)
    withdraw_day_max = AmountField(label=_("Daily withdrawal limit (UTC)"), required=False)

    def fill(self, obj: Account) -> None:
        for name in LIMITS:
            field, limit = self.fields[name], getattr(obj, name)
            label = field.label
            fit(field, obj.currency)
            field.label = _("%(label)s, in %(currency)s") % {"label": label, "currency": obj.currency}
            if limit is not None:
                field.initial = format_amount(limit, obj.currency)
        self.fields["credit_limit"].help_text = _(
            "What is available goes so far below zero. Empty: not at all."
        )
        for name in LIMITS[1:]:
            self.fields[name].help_text = _("Empty: no limit.")


def make_status(status: Account.Status, account: Account, asked: dict[str, Any]) -> SetStatus:
    return SetStatus(account_id=account.id, status=status, reason=asked["reason"])


def make_limits(account: Account, asked: dict[str, Any]) -> SetLimits:
    limits = {name: asked[name] for name in LIMITS}
    limits["credit_limit"] = limits["credit_limit"] or Decimal(0)
    return SetLimits(account_id=account.id, limits=limits, reason=asked["reason"])


Make = Callable[[Account, dict[str, Any]], SetStatus | SetLimits]


def set_rule(make: Make, request: HttpRequest, account: Account, asked: dict[str, Any]) -> None:
    posting.post(make(account, asked), caller=get_caller(request))


def foresee_rule(make: Make, request: HttpRequest, account: Account, asked: dict[str, Any]) -> Foreseen:
    would_be = PostingRequest(commands=[make(account, asked)], caller=get_caller(request))
    return foresee(would_be, account.id)


def _command(make: Make, **how: Any) -> Command:
    return Command(
        run=partial(set_rule, make), facts=facts.tell_account, foresee=partial(foresee_rule, make), **how
    )


COMMANDS = (
    _command(
        partial(make_status, Account.Status.FROZEN),
        name="freeze",
        label=_("Freeze"),
        permission="accounts.freeze_account",
        done=_("The account is frozen: it accepts money in, not out."),
        applies=lambda account: account.status == Account.Status.ACTIVE,
        note=_("A frozen account accepts money in, but no money out and no new holds."),
        is_dangerous=True,
    ),
    _command(
        partial(make_status, Account.Status.ACTIVE),
        name="unfreeze",
        label=_("Unfreeze"),
        permission="accounts.freeze_account",
        done=_("The account is active again."),
        applies=lambda account: account.status == Account.Status.FROZEN,
        note=_("Money can leave the account again, and holds can be placed."),
    ),
)
RARE = (
    _command(
        make_limits,
        name="limits",
        label=_("Set limits"),
        permission="accounts.limit_account",
        done=_("The limits are set."),
        form=LimitsForm,
        applies=lambda account: account.status != Account.Status.CLOSED,
        note=_("They hold from now on. What has left the account stays as it is."),
        log_message=lambda asked: " ".join(f"{name}={asked[name]}" for name in LIMITS),
    ),
    _command(
        partial(make_status, Account.Status.CLOSED),
        name="close",
        label=_("Close"),
        permission="accounts.close_account",
        done=_("The account is closed."),
        applies=lambda account: account.status != Account.Status.CLOSED,
        note=_(
            "Nothing moves on a closed account any more, and it cannot be opened again. It must be empty."
        ),
        is_dangerous=True,
    ),
)

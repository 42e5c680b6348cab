"""The thresholds of an account: shown, set and removed by staff."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.currencies import format_amount
from accounts.models import Account, Threshold
from accounts.queries import find_thresholds
from office.actions import Command, ReasonForm
from office.confirming import facts
from office.confirming.foreseeing import foresee
from office.forms import AmountField, fit
from rest.middleware import get_caller
from transactions import posting
from transactions.posting.commands import RemoveThreshold, SetThreshold

PERMISSION = "accounts.manage_thresholds"


class SetForm(ReasonForm):
    field_order = ("of", "amount", "reason")
    of = forms.ChoiceField(
        label=_("What is compared"), choices=Threshold.Of.choices, widget=UnfoldAdminSelectWidget
    )
    amount = AmountField(label=_("Amount"))

    def fill(self, obj: Account) -> None:
        fit(self.fields["amount"], obj.currency)


class RemoveForm(ReasonForm):
    field_order = ("threshold", "reason")
    threshold = forms.TypedChoiceField(
        label=_("Threshold"), coerce=UUID, widget=UnfoldAdminSelectWidget, choices=()
    )

    def fill(self, obj: Account) -> None:
        self.fields["threshold"].choices = [  # type: ignore[attr-defined]
            (each.id, f"{each.get_of_display()}: {format_amount(each.amount, obj.currency)}")
            for each in find_thresholds(obj.id)
        ]


def set_one(request: HttpRequest, account: Account, asked: dict[str, Any]) -> None:
    command = SetThreshold(account_id=account.id, amount=asked["amount"], of=Threshold.Of(asked["of"]))
    posting.post(command, caller=get_caller(request))


def remove(request: HttpRequest, account: Account, asked: dict[str, Any]) -> None:
    command = RemoveThreshold(account_id=account.id, threshold_id=asked["threshold"])
    posting.post(command, caller=get_caller(request))


COMMANDS = (
    Command(
        name="set-threshold",
        label=_("Set a threshold"),
        permission=PERMISSION,
        run=set_one,
        facts=facts.tell_account,
        foresee=lambda request, account, asked: foresee(None, account.id),
        done=_("The threshold is set."),
        form=SetForm,
        applies=lambda account: account.status != Account.Status.CLOSED,
        note=_(
            "Programs that listen are told when the account falls below the amount, and when it reaches it"
            " again."
        ),
        log_message=lambda asked: f"{asked['of']} {asked['amount']}",
    ),
    Command(
        name="remove-threshold",
        label=_("Remove a threshold"),
        permission=PERMISSION,
        run=remove,
        facts=facts.tell_account,
        done=_("The threshold was removed."),
        form=RemoveForm,
        applies=lambda account: account.nearest is not None,
        note=_("Nobody is told of it any more. A campaign that waits for it would not notice."),
        log_message=lambda asked: str(asked["threshold"]),
    ),
)


def describe(request: HttpRequest, account: Account) -> dict[str, Any]:
    return {"thresholds": find_thresholds(account.id)}

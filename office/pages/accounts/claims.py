"""What an account owes: its claims, and opening one by staff."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import CLAIMS_MAX, REFERENCE_LENGTH_MAX, Account, Claim
from ledger.text import Rule
from office.actions import Command, IdentityForm
from office.confirming import facts
from office.confirming.foreseeing import Foreseen
from office.forms import AmountField, TextField, fit
from office.pages.corrections import foresee_asking, propose
from office.templatetags.ledger import NOTHING
from transactions import corrections

CLOSED_MAX = 20


class ClaimForm(IdentityForm):
    field_order = ("amount", "destination", "reference", "reason", "identity")
    amount = AmountField(label=_("Amount"))
    destination = forms.UUIDField(
        label=_("Account that is paid"),
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Its id. Empty: what is collected leaves the ledger."),
    )
    reference = TextField(
        rule=Rule.IDENTIFIER,
        label=_("Reference"),
        max_length=REFERENCE_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("What this can be found by: a ticket, an invoice. It shows in statements."),
    )

    def fill(self, obj: Account) -> None:
        fit(self.fields["amount"], obj.currency)


def claim(request: HttpRequest, account: Account, asked: dict[str, Any]) -> HttpResponse:
    destination: UUID | None = asked["destination"]
    return propose(
        request,
        corrections.claim,
        asked,
        posted=_("The claim is opened: what is there was collected."),
        success_url=reverse("admin:accounts_account_change", args=[account.pk]) + "?show=claims",
        account_id=account.id,
        amount=asked["amount"],
        reference=asked["reference"],
        destination=destination,
    )


def foresee_claim(request: HttpRequest, account: Account, asked: dict[str, Any]) -> Foreseen:
    return foresee_asking(
        request,
        corrections.claim,
        asked,
        on=account.id,
        is_told=asked["amount"] is not None,
        account_id=account.id,
        amount=asked["amount"],
        reference=asked["reference"] or NOTHING,
        destination=asked["destination"],
    )


COMMAND = Command(
    name="claim",
    label=_("Claim an amount"),
    permission="accounts.claim_account",
    run=claim,
    form=ClaimForm,
    facts=facts.tell_account,
    foresee=foresee_claim,
    applies=lambda account: account.status != Account.Status.CLOSED,
    note=_(
        "What is there beyond what is held is taken at once, the rest as soon as it comes in: the balance is"
        " never below zero. Above a limit, a second person must approve it first."
    ),
    is_dangerous=True,
)


def describe(request: HttpRequest, account: Account) -> dict[str, Any]:
    """The open claims in the order in which they are collected, and the newest closed ones."""
    claims = Claim.objects.filter(account_id=account.id)
    is_open = {"status": Claim.Status.OPEN}
    return {
        "open_claims": claims.filter(**is_open).order_by("created_at", "id")[:CLAIMS_MAX],
        "closed_claims": claims.exclude(**is_open).order_by("-created_at")[:CLOSED_MAX],
    }

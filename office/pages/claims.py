"""The pages of claims: what accounts owe, what was collected of it and who is paid; and waiving the rest."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Claim, User
from office import explanations
from office.actions import Command, IdentityForm
from office.admin import SearchedAdmin, parse_id
from office.confirming import facts
from office.confirming.foreseeing import Foreseen
from office.lists import columns as exports
from office.lists.money import ClaimForm
from office.pages.corrections import foresee_asking, propose
from office.templatetags.ledger import (
    ACCOUNT,
    ACCOUNT_USER,
    STATUS,
    column,
    moment,
    money,
    name_movement,
    number_column,
    text_column,
)
from transactions import corrections
from transactions.models import Correction, Transaction

SHOWN_MAX = 100  # collections on the page of a claim


def waive(request: HttpRequest, claim: Claim, asked: dict[str, Any]) -> HttpResponse:
    return propose(
        request,
        corrections.waive,
        asked,
        posted=_("What was left of the claim is waived."),
        success_url=reverse("admin:accounts_claim_change", args=[claim.pk]),
        claim_id=claim.id,
    )


def foresee_waiving(request: HttpRequest, claim: Claim, asked: dict[str, Any]) -> Foreseen:
    return foresee_asking(
        request, corrections.waive, asked, on=claim.account_id, is_told=True, claim_id=claim.id
    )


@admin.register(Claim)
class ClaimAdmin(SearchedAdmin):
    """Debts: collected of whatever comes to be free on the account, the oldest first."""

    change_form_template = "admin/claim.html"
    owner = "account.user_id"
    commands = (
        Command(
            name="waive",
            label=_("Waive the rest"),
            permission="accounts.waive_claim",
            run=waive,
            facts=facts.tell_claim,
            foresee=foresee_waiving,
            form=IdentityForm,
            applies=lambda claim: claim.status == Claim.Status.OPEN,
            note=_(
                "Nobody asks any more for what is left; what was collected is not given back. Above a limit a"
                " second person must approve it first."
            ),
            is_dangerous=True,
        ),
    )
    list_display = (
        column(_("opened at"), lambda claim: moment(claim.created_at)),
        ACCOUNT_USER,
        ACCOUNT,
        number_column(_("amount"), lambda claim: claim.amount),
        number_column(_("collected"), lambda claim: claim.collected),
        number_column(_("left of it"), lambda claim: claim.remaining),
        STATUS,
        text_column(_("reason"), "reason"),
        text_column(_("reference"), "reference"),
    )
    list_form = ClaimForm
    exported = exports.OF_CLAIMS
    nothing = _("No claims.")
    ordering = ("-created_at", "-id")
    search_help_text = _("The id of a claim, of an account, or of what is taken back")

    def name(self, obj: Claim) -> str:
        amount = money(obj.amount, obj.account.currency)
        return name_movement(self.opts.verbose_name, amount, obj.account, obj.created_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        return Claim.objects.select_related("account__user")

    def search(self, rows: QuerySet[Claim], text: str) -> QuerySet[Claim]:
        id = parse_id(text)
        return rows.filter(Q(id=id) | Q(account=id) | Q(reverses=id)) if id else rows.none()

    def describe(self, request: HttpRequest, obj: Claim) -> dict[str, Any]:
        taken = Transaction.objects.filter(claim=obj.id).select_related("account__user")
        return {
            "claim": obj,
            "actor": User.objects.filter(id=obj.actor).first(),
            "payee": Account.objects.filter(id=obj.destination).select_related("user").first()
            if obj.destination
            else None,
            "taken_back": Transaction.objects.filter(id=obj.reverses).first() if obj.reverses else None,
            "collections": taken.filter(type=Transaction.Type.WITHDRAW).order_by("recorded_at")[:SHOWN_MAX],
            "corrections": Correction.objects.filter(Q(id=obj.id) | Q(claim=obj.id))
            .select_related("maker", "checker")
            .order_by("made_at", "id"),
            "why": explanations.describe_decline(obj, obj.account.currency),
        }

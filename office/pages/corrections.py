"""Corrections: what staff ask to put right, and a second person's answer."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import require_identity
from accounts.models import Account, Claim
from office import explanations
from office.actions import Command, CommandForm
from office.admin import parse_id
from office.lists import columns as exports
from office.lists.money import CorrectionForm
from office.queues import QueueAdmin, show_waiting
from office.templatetags.ledger import (
    ACCOUNT,
    ACCOUNT_USER,
    STATUS,
    column,
    moment,
    number_column,
    text_column,
)
from rest.middleware import get_caller, get_caller_id
from transactions import corrections
from transactions.models import Correction, Transaction

APPROVE_PERMISSION = "transactions.approve_correction"
ASKED = (  # columns
    column(_("asked for at"), lambda row: moment(row.made_at)),
    "kind",
    ACCOUNT_USER,
    ACCOUNT,
    number_column(_("amount"), lambda row: row.change),
    text_column(_("reason"), "reason"),
    text_column(_("asked for by"), "maker"),
)


def propose(
    request: HttpRequest,
    domain: Callable[..., Correction],
    asked: dict[str, Any],
    *,
    posted: Any,
    success_url: str | None = None,
    **of: Any,
) -> HttpResponse:
    """Asks for a correction, as its maker, and answers with what became of it as `answer_outcome` does.

    `domain` is the function of `transactions.corrections` that makes it, `asked` is what an `IdentityForm`
    asked for, and `of` is what else the function is given.
    """
    correction = domain(
        id=require_identity(caller_id=get_caller_id(request), id=asked["identity"], key=None),
        reason=asked["reason"],
        caller=get_caller(request),
        **of,
    )
    return answer_outcome(request, correction, posted=posted, success_url=success_url)


def answer_outcome(
    request: HttpRequest, correction: Correction, *, posted: Any, success_url: str | None = None
) -> HttpResponse:
    """Says what became of a correction just asked for or approved, and leads to `success_url` or its page.

    `posted` is what is said if it was posted.

    A decline is recorded like a success, so it is said in a message and not as a refusal of the form.
    """
    if correction.status == Correction.Status.POSTED:
        messages.success(request, posted)
    elif correction.status == Correction.Status.WAITING:
        messages.warning(request, _("This waits for a second person to approve it. Nothing was posted yet."))
    elif declined := corrections.find_decline(correction):
        messages.error(
            request,
            _("The ledger has declined this: %(reason)s") % {"reason": explanations.explain(declined)},
        )
    else:
        messages.warning(request, _("This was rejected before."))
    return HttpResponseRedirect(
        success_url or reverse("admin:transactions_correction_change", args=[correction.id])
    )


def approve_correction(request: HttpRequest, correction: Correction, asked: dict[str, Any]) -> HttpResponse:
    approved = corrections.approve(id=correction.id, caller=get_caller(request))
    return answer_outcome(request, approved, posted=_("The correction was approved and posted."))


def reject_correction(request: HttpRequest, correction: Correction, asked: dict[str, Any]) -> None:
    corrections.reject(id=correction.id, caller=get_caller(request), reason=asked["reason"])


def foresee(correction: Correction, account: Account, claim: Claim | None) -> dict[str, Decimal]:
    """What the account would have if it were posted now. `claim` is the one that is waived."""
    balance, owed = account.balance, account.owed
    match correction.kind:
        case Correction.Kind.CLAIM:
            owed += correction.amount
        case Correction.Kind.WAIVER:
            owed -= claim.remaining if claim else 0
        case _:
            balance += correction.change
    collected = min(owed, max(balance - account.held_now, Decimal(0)))
    return {
        "balance": balance - collected,
        "available": account.available + balance - collected - account.balance,
        "owed": owed - collected,
    }


def is_waiting(correction: Correction) -> bool:
    return correction.status == Correction.Status.WAITING


@admin.register(Correction)
class CorrectionAdmin(QueueAdmin):
    """The queue: what waits, or with `?state=all` everything that was ever asked for."""

    change_form_template = "admin/correction.html"
    owner = "account.user_id"
    asked = ASKED
    tabs_label = _("Which corrections")
    commands = (
        Command(
            name="approve",
            label=_("Approve"),
            permission=APPROVE_PERMISSION,
            is_recorded=True,
            run=approve_correction,
            form=CommandForm,
            may_give=lambda request, correction: request.user.pk != correction.maker_id,
            applies=is_waiting,
            note=_("It is posted at once, as it was asked for."),
        ),
        Command(
            name="reject",
            label=_("Reject"),
            is_recorded=True,
            permission="transactions.view_correction",
            run=reject_correction,
            done=_("The correction was rejected. Nothing was posted."),
            # Its maker may take it back.
            may_give=lambda request, correction: (
                request.user.has_perm(APPROVE_PERMISSION) or request.user.pk == correction.maker_id
            ),
            applies=is_waiting,
            is_dangerous=True,
        ),
    )
    list_display = (
        *ASKED,
        STATUS,
        text_column(_("decided by"), "checker"),
        column(_("decided at"), lambda row: moment(row.decided_at)),
    )
    list_form = CorrectionForm
    exported = exports.OF_CORRECTIONS
    nothing = _("No corrections.")
    ordering = ("-made_at", "-id")
    search_help_text = _("The id of a correction, an account or a transaction")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        return Correction.objects.select_related("account__user", "maker", "checker")

    def search(self, rows: QuerySet[Correction], text: str) -> QuerySet[Correction]:
        id = parse_id(text)
        return rows.filter(Q(id=id) | Q(account=id)) if id else rows.none()

    def describe(self, request: HttpRequest, obj: Correction) -> dict[str, Any]:
        rows = corrections.find_transactions(obj)
        taken_back = corrections.find_taken_back(obj)
        claim = corrections.find_claim(obj)
        account = Account.objects.with_held_due().get(id=obj.account_id)
        moves = obj.kind in (Correction.Kind.ADJUSTMENT, Correction.Kind.REVERSAL)
        return {
            "correction": obj,
            "account": account,
            "then": foresee(obj, account, claim),
            "is_uncovered": is_waiting(obj)
            and moves
            and obj.type == Transaction.Type.WITHDRAW
            and obj.amount > account.available,
            "rows": rows,
            "claims": [claim] if claim else [],
            "payee": Account.objects.filter(id=obj.destination).select_related("user").first()
            if obj.destination
            else None,
            "is_over": is_waiting(obj) and obj.claim and (claim is None or not claim.remaining),
            "why": explanations.describe_decline(corrections.find_decline(obj), account.currency),
            "reversed": taken_back,
            "is_beyond": is_waiting(obj) and any(obj.amount > row.left for row in taken_back),
            "is_hers": obj.maker_id == request.user.pk,
        }


def count_waiting(request: HttpRequest) -> str:
    """How many corrections wait for approval, for the sidebar."""
    return show_waiting(request, "transactions.view_correction", corrections.count_waiting)

"""Corrections: what staff ask to put right, and a second person's answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import require_identity
from accounts.models import Account
from office import explanations
from office.actions import Command
from office.admin import parse_id
from office.forms import CommandForm, IdentityForm
from office.pages.lists import MovementAdmin, column
from office.templatetags.ledger import moment, show_number
from rest.middleware import get_caller_id, get_request_id
from transactions import corrections
from transactions.models import Correction, Transaction
from transactions.reading import queries

APPROVE_PERMISSION = "transactions.approve_correction"
WAITING_SHOWN_MAX = 100
ASKED = ("asked", "kind", "user", "number", "reason", "maker")  # columns


class StateFilter(admin.SimpleListFilter):
    """Takes the parameter of the tabs, which are shown in its place; `get_search_results` applies it."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Correction]) -> QuerySet[Correction]:
        return queryset


def propose(
    request: HttpRequest,
    domain: Callable[..., Correction],
    asked: dict[str, Any],
    *,
    posted: Any,
    goal: str | None = None,
    **of: Any,
) -> HttpResponse:
    """Asks for a correction, as its maker, and tells what became of it as `tell_outcome` does.

    `domain` is the function of `transactions.corrections` that makes it, `asked` is what an `IdentityForm`
    asked for, and `of` is what else the function is given.
    """
    maker_id = get_caller_id(request)
    with explanations.refusals():
        correction = domain(
            id=require_identity(caller_id=maker_id, id=asked["identity"], key=None),
            reason=asked["reason"],
            maker_id=maker_id,
            request_id=get_request_id(request),
            **of,
        )
    return tell_outcome(request, correction, posted=posted, goal=goal)


def tell_outcome(
    request: HttpRequest, correction: Correction, *, posted: Any, goal: str | None = None
) -> HttpResponse:
    """Leads to `goal` or the page of a correction just asked for or approved, and says what became of it.

    `posted` is what is said if it was posted.

    A decline is recorded like a success, so it is told with a message and not as a refusal of the form.
    """
    if correction.status == Correction.Status.POSTED:
        messages.success(request, posted)
    elif correction.status == Correction.Status.WAITING:
        messages.warning(request, _("This waits for a second person to approve it. Nothing was posted yet."))
    elif declined := corrections.find_decline(corrections.find_transactions(correction)):
        messages.error(
            request,
            _("The ledger has declined this: %(reason)s") % {"reason": explanations.explain(declined)},
        )
    else:
        messages.warning(request, _("This was rejected before."))
    return HttpResponseRedirect(goal or reverse("admin:transactions_correction_change", args=[correction.id]))


def _reverse(request: HttpRequest, subject: Transaction, asked: dict[str, Any]) -> HttpResponse:
    return propose(
        request,
        corrections.reverse,
        asked,
        posted=_("The transaction was reversed."),
        transaction_id=subject.id,
    )


REVERSE = Command(
    name="reverse",
    label=_("Reverse"),
    permission="transactions.reverse_transaction",
    run=_reverse,
    form=IdentityForm,
    applies=lambda row: row.status == Transaction.Status.POSTED and not (row.reverses or row.reversed_by),
    note=_(
        "The opposite transaction is posted, of a transfer on both accounts. Above a limit a second person"
        " must approve it first."
    ),
    is_dangerous=True,
)


def _approve(request: HttpRequest, subject: Correction, asked: dict[str, Any]) -> HttpResponse:
    with explanations.refusals():
        correction = corrections.approve(
            id=subject.id, checker_id=get_caller_id(request), request_id=get_request_id(request)
        )
    return tell_outcome(request, correction, posted=_("The correction was approved and posted."))


def _reject(request: HttpRequest, subject: Correction, asked: dict[str, Any]) -> str:
    with explanations.refusals():
        corrections.reject(id=subject.id, checker_id=get_caller_id(request), reason=asked["reason"])
    return str(_("The correction was rejected. Nothing was posted."))


@dataclass(frozen=True, kw_only=True)
class Decision(Command):
    """An answer to a waiting correction; `is_hers` says who may give it, whatever has become of it since."""

    is_hers: Callable[[HttpRequest, Correction], bool]
    applies: Callable[[Correction], bool] = lambda subject: subject.status == Correction.Status.WAITING

    def is_for(self, request: HttpRequest, subject: Correction) -> bool:
        return super().is_for(request, subject) and self.is_hers(request, subject)


APPROVE = Decision(
    name="approve",
    label=_("Approve"),
    permission=APPROVE_PERMISSION,
    run=_approve,
    form=CommandForm,
    is_hers=lambda request, subject: (
        request.user.has_perm(APPROVE_PERMISSION) and request.user.pk != subject.maker_id
    ),
    note=_("It is posted at once, as it was asked for."),
)
REJECT = Decision(
    name="reject",
    label=_("Reject"),
    permission="transactions.view_correction",
    run=_reject,
    # Its maker may take it back.
    is_hers=lambda request, subject: (
        request.user.has_perm(APPROVE_PERMISSION) or request.user.pk == subject.maker_id
    ),
    is_dangerous=True,
)


def _is_queue(request: HttpRequest) -> bool:
    return not request.GET.get("q") and request.GET.get("state") != "all"


@admin.register(Correction)
class CorrectionAdmin(MovementAdmin):
    """The queue: what waits, or with `?state=all` everything that was ever asked for."""

    subject_template = "admin/correction.html"
    list_before_template = "office/correction_tabs.html"
    commands = (APPROVE, REJECT)
    list_display = (*ASKED, "state", "checker", "decided")
    list_filter = (StateFilter,)
    ordering = ("-made_at", "-id")
    search_help_text = _("The id of a correction, an account or a transaction")
    asked = column(_("asked for at"), lambda row: moment(row.made_at))
    number = column(_("amount"), lambda row: show_number(row.change, row.account.currency))
    decided = column(_("decided at"), lambda row: moment(row.decided_at))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """What waits has no decision yet."""
        return ASKED if _is_queue(request) else self.list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        return Correction.objects.select_related("account__user", "maker", "checker")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correction], search_term: str
    ) -> tuple[QuerySet[Correction], bool]:
        if _is_queue(request):
            queryset = queryset.filter(status=Correction.Status.WAITING)
        return super().get_search_results(request, queryset, search_term)

    def search(self, rows: QuerySet[Correction], words: str) -> QuerySet[Correction]:
        id = parse_id(words)
        return rows.filter(Q(id=id) | Q(account=id)) if id else rows.none()

    def command_view(self, request: HttpRequest, object_id: str, command: Command) -> HttpResponse:
        subject = self.get_object(request, unquote(object_id))
        if subject and isinstance(command, Decision) and not command.is_hers(request, subject):
            raise PermissionDenied
        return super().command_view(request, object_id, command)

    def describe(self, request: HttpRequest, subject: Correction) -> dict[str, Any]:
        rows = corrections.find_transactions(subject)
        account = Account.objects.with_held_due().get(id=subject.account_id)
        return {
            "correction": subject,
            "account": account,
            "balance_then": account.balance + subject.change,
            "available_then": account.available + subject.change,
            "is_uncovered": subject.status == Correction.Status.WAITING
            and subject.type == Transaction.Type.WITHDRAW
            and subject.amount > account.available,
            "rows": rows,
            "why": explanations.describe_decline(corrections.find_decline(rows), account.currency),
            "reversed": list(
                queries.find_transactions([subject.reverses] if subject.reverses else []).values()
            ),
            "is_hers": subject.maker_id == request.user.pk,
        }


def count_waiting(request: HttpRequest) -> str:
    """How many corrections wait for approval, for the sidebar; empty if none does or they may not be seen."""
    if not request.user.has_perm("transactions.view_correction"):
        return ""
    count = corrections.count_waiting(limit=WAITING_SHOWN_MAX)
    return f"{WAITING_SHOWN_MAX - 1}+" if count == WAITING_SHOWN_MAX else str(count or "")

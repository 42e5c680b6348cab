"""Corrections: what staff ask to put right, and a second person's answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.idempotency import require_identity
from accounts.models import Account
from office import explanations
from office.actions import Command
from office.admin import OfficeAdmin, parse_id
from office.forms import CommandForm, IdentityForm
from office.templatetags.ledger import label, link, moment, show_number
from rest.middleware import get_request_id
from transactions import corrections
from transactions.models import Correction, Transaction
from transactions.reading import queries

APPROVE_PERMISSION = "transactions.approve_correction"
WAITING_SHOWN_MAX = 100
DECISION = ("state", "checker", "decided")  # columns


class StateFilter(admin.SimpleListFilter):
    """Takes the parameter of the tabs, which are shown in its place; `get_search_results` applies it."""

    title = gettext_lazy("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Correction]) -> QuerySet[Correction]:
        return queryset


def tell_outcome(
    request: HttpRequest, correction: Correction, *, posted: str, goal: str | None = None
) -> HttpResponse:
    """Leads to `goal` or the page of a correction just asked for or approved, and says what became of it.

    A decline is recorded like a success, so it is told with a message and not as a refusal of the form.
    """
    if correction.status == Correction.Status.POSTED:
        messages.success(request, posted)
    elif correction.status == Correction.Status.WAITING:
        messages.warning(request, _("This waits for a second person to approve it. Nothing was posted yet."))
    elif declined := corrections.find_decline(corrections.find_transactions(correction)):
        reason = explanations.explain(declined)
        messages.error(request, _("The ledger has declined this: %(reason)s") % {"reason": reason})
    else:
        messages.warning(request, _("This was rejected before."))
    return HttpResponseRedirect(goal or reverse("admin:transactions_correction_change", args=[correction.id]))


def _reverse(request: HttpRequest, subject: Transaction, asked: dict[str, Any]) -> HttpResponse:
    maker_id: UUID = request.user.pk  # type: ignore[assignment]
    with explanations.refusals():
        correction = corrections.reverse(
            id=require_identity(caller_id=maker_id, id=asked["identity"], key=None),
            transaction_id=subject.id,
            reason=asked["reason"],
            maker_id=maker_id,
            request_id=get_request_id(request),
        )
    return tell_outcome(request, correction, posted=_("The transaction was reversed."))


def _is_reversible(subject: Transaction) -> bool:
    return subject.status == Transaction.Status.POSTED and not subject.reverses and not subject.reversed_by


REVERSE = Command(
    name="reverse",
    label=gettext_lazy("Reverse"),
    permission="transactions.reverse_transaction",
    run=_reverse,
    form=IdentityForm,
    applies=_is_reversible,
    note=gettext_lazy(
        "The opposite transaction is posted, of a transfer on both accounts. Above a limit a second person"
        " must approve it first."
    ),
    is_dangerous=True,
)


def _approve(request: HttpRequest, subject: Correction, asked: dict[str, Any]) -> HttpResponse:
    with explanations.refusals():
        correction = corrections.approve(
            id=subject.id,
            checker_id=request.user.pk,  # type: ignore[arg-type]
            request_id=get_request_id(request),
        )
    return tell_outcome(request, correction, posted=_("The correction was approved and posted."))


def _reject(request: HttpRequest, subject: Correction, asked: dict[str, Any]) -> str:
    with explanations.refusals():
        corrections.reject(
            id=subject.id,
            checker_id=request.user.pk,  # type: ignore[arg-type]
            reason=asked["reason"],
        )
    return _("The correction was rejected. Nothing was posted.")


def _may_approve(request: HttpRequest, subject: Correction) -> bool:
    return request.user.has_perm(APPROVE_PERMISSION) and request.user.pk != subject.maker_id


def _may_reject(request: HttpRequest, subject: Correction) -> bool:
    """Its maker may take it back."""
    return request.user.has_perm(APPROVE_PERMISSION) or request.user.pk == subject.maker_id


@dataclass(frozen=True, kw_only=True)
class Decision(Command):
    """Of a waiting correction; `is_hers` says who may give it, whatever has become of the correction."""

    is_hers: Callable[[HttpRequest, Correction], bool]
    applies: Callable[[Correction], bool] = lambda subject: subject.status == Correction.Status.WAITING

    def is_for(self, request: HttpRequest, subject: Correction) -> bool:
        return super().is_for(request, subject) and self.is_hers(request, subject)


APPROVE = Decision(
    name="approve",
    label=gettext_lazy("Approve"),
    permission=APPROVE_PERMISSION,
    run=_approve,
    form=CommandForm,
    is_hers=_may_approve,
    note=gettext_lazy("It is posted at once, as it was asked for."),
)
REJECT = Decision(
    name="reject",
    label=gettext_lazy("Reject"),
    permission="transactions.view_correction",
    run=_reject,
    is_hers=_may_reject,
    is_dangerous=True,
)


def _is_queue(request: HttpRequest) -> bool:
    return not request.GET.get("q") and request.GET.get("state") != "all"


@admin.register(Correction)
class CorrectionAdmin(OfficeAdmin):
    """The queue: what waits, or with `?state=all` everything that was ever asked for."""

    subject_template = "admin/correction.html"
    list_before_template = "office/correction_tabs.html"
    commands = (APPROVE, REJECT)
    list_display = ("asked", "kind", "user", "number", "reason", "maker", *DECISION)
    list_filter = (StateFilter,)
    ordering = ("-made_at", "-id")
    search_fields = ("id",)
    search_help_text = gettext_lazy("The id of a correction, an account or a transaction")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """What waits has no decision yet."""
        asked = [name for name in self.list_display if name not in DECISION]
        return asked if _is_queue(request) else [*asked, *DECISION]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        rows: QuerySet[Correction] = super().get_queryset(request)
        return rows.select_related("account__user", "maker", "checker")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correction], search_term: str
    ) -> tuple[QuerySet[Correction], bool]:
        if search_term:
            id = parse_id(search_term)
            found = queryset.filter(Q(id=id) | Q(account=id)) if id else queryset.none()
            return found, False
        if _is_queue(request):
            return queryset.filter(status=Correction.Status.WAITING), False
        return queryset, False

    def command_view(self, request: HttpRequest, object_id: str, command: Command) -> HttpResponse:
        subject = self.get_object(request, unquote(object_id))
        if subject and isinstance(command, Decision) and not command.is_hers(request, subject):
            raise PermissionDenied
        return super().command_view(request, object_id, command)

    @admin.display(description=gettext_lazy("asked for at"))
    def asked(self, row: Correction) -> str:
        return moment(row.made_at)

    @admin.display(description=gettext_lazy("user"))
    def user(self, row: Correction) -> SafeString:
        return link("accounts_account", row.account_id, row.account.user)

    @admin.display(description=gettext_lazy("amount"))
    def number(self, row: Correction) -> SafeString:
        return show_number(row.change, row.account.currency)

    @admin.display(description=gettext_lazy("status"))
    def state(self, row: Correction) -> SafeString:
        return label(row.status, row.get_status_display())

    @admin.display(description=gettext_lazy("decided at"))
    def decided(self, row: Correction) -> str:
        return moment(row.decided_at)

    def describe(self, request: HttpRequest, subject: Correction) -> dict[str, Any]:
        rows = corrections.find_transactions(subject)
        account = Account.objects.with_held_due().get(id=subject.account_id)
        declined = corrections.find_decline(rows)
        return {
            "correction": subject,
            "account": account,
            "balance_then": account.balance + subject.change,
            "available_then": account.available + subject.change,
            "is_uncovered": subject.status == Correction.Status.WAITING
            and subject.type == Transaction.Type.WITHDRAW
            and subject.amount > account.available,
            "rows": rows,
            "why": explanations.describe_decline(declined, account.currency),
            "reversed": list(
                queries.find_transactions([subject.reverses] if subject.reverses else []).values()
            ),
            "is_hers": subject.maker_id == request.user.pk,
        }


def count_waiting(request: HttpRequest) -> str:
    """For the sidebar: how many wait for approval. Nothing when none does."""
    if not request.user.has_perm("transactions.view_correction"):
        return ""
    count = corrections.count_waiting(limit=WAITING_SHOWN_MAX)
    return f"{WAITING_SHOWN_MAX - 1}+" if count == WAITING_SHOWN_MAX else str(count or "")

"""The list of accounts, and what is done with one."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import require_identity
from accounts.models import Account, ClockTimestamp
from office import explanations
from office.actions import Command
from office.admin import OfficeAdmin
from office.models import Access
from office.pages.accounts import page, search
from office.pages.accounts.forms import AdjustForm
from office.pages.corrections import tell_outcome
from office.templatetags.ledger import label, show_number
from rest.middleware import get_request_id
from rest.permissions import get_caller_id
from transactions import corrections, posting
from transactions.models import Transaction
from transactions.posting.commands import SetStatus


def freeze(request: HttpRequest, account: Account, asked: dict[str, Any]) -> str:
    _set_status(request, account, Account.Status.FROZEN, asked["reason"])
    return gettext("The account is frozen: it accepts money in, not out.")


def unfreeze(request: HttpRequest, account: Account, asked: dict[str, Any]) -> str:
    _set_status(request, account, Account.Status.ACTIVE, asked["reason"])
    return gettext("The account is active again.")


def _set_status(request: HttpRequest, account: Account, status: Account.Status, reason: str) -> None:
    command = SetStatus(account_id=account.id, status=status, reason=reason)
    with explanations.refusals():
        posting.post([command], actor=get_caller_id(request), request_id=get_request_id(request))


def adjust(request: HttpRequest, account: Account, asked: dict[str, Any]) -> HttpResponse:
    maker_id: UUID = request.user.pk  # type: ignore[assignment]
    with explanations.refusals():
        correction = corrections.adjust(
            id=require_identity(caller_id=maker_id, id=asked["identity"], key=None),
            account_id=account.id,
            type=Transaction.Type(asked["type"]),
            amount=asked["amount"],
            reference=asked["reference"],
            reason=asked["reason"],
            maker_id=maker_id,
            request_id=get_request_id(request),
        )
    goal = reverse("admin:accounts_account_change", args=[account.pk])
    return tell_outcome(request, correction, posted=gettext("The correction is posted."), goal=goal)


class StatusFilter(admin.SimpleListFilter):
    """Accounts that are not active: they have an index of their own."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(status), status.label) for status in (Account.Status.FROZEN, Account.Status.CLOSED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in NOT_ACTIVE:
            return queryset
        return queryset.exclude(status=Account.Status.ACTIVE).filter(status=self.value())


NOT_ACTIVE = (Account.Status.FROZEN.value, Account.Status.CLOSED.value)


@admin.register(Account)
class AccountAdmin(OfficeAdmin):
    commands = (
        Command(
            name="freeze",
            label=_("Freeze"),
            permission="accounts.freeze_account",
            run=freeze,
            applies=lambda account: account.status == Account.Status.ACTIVE,
            note=_("A frozen account accepts money in, but no money out and no new holds."),
            is_dangerous=True,
        ),
        Command(
            name="unfreeze",
            label=_("Unfreeze"),
            permission="accounts.freeze_account",
            run=unfreeze,
            applies=lambda account: account.status == Account.Status.FROZEN,
            note=_("Money can leave the account again, and holds can be placed."),
        ),
        Command(
            name="adjust",
            label=_("Correct the balance"),
            permission="transactions.adjust_account",
            run=adjust,
            form=AdjustForm,
            applies=lambda account: account.status != Account.Status.CLOSED,
            note=_("Posts a deposit or a withdrawal. Above a limit, a second person must approve it first."),
        ),
    )
    subject_template = "admin/account.html"
    list_display = (
        "shown_user",
        "name",
        "currency",
        "shown_status",
        "shown_balance",
        "shown_available",
        "version",
    )
    list_select_related = ("user",)
    list_filter = (StatusFilter,)
    search_fields = ("id",)  # see get_search_results
    search_help_text = _("The start of the user's name, their external id, or the id of a user or an account")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        accounts: Any = super().get_queryset(request)
        found: QuerySet[Account] = accounts.with_held_due().select_related("user")
        return found.annotate(clock=ClockTimestamp())

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first; of those that are not active by id, which is the order of their index and of time."""
        if request.GET.get(StatusFilter.parameter_name) in NOT_ACTIVE:
            return ("-id",)
        return ("-created_at", "-id")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """No conditions of somebody's own: most would read the whole table."""
        if lookup != StatusFilter.parameter_name:
            raise IncorrectLookupParameters
        return True

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        text = search_term.replace("\x00", "").strip()
        if not text:
            return queryset, False
        return queryset.filter(id__in=search.find_account_ids(text)), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.GET.get("format") == "csv" and request.method == "GET":
            account = self.get_object(request, object_id)
            if account is not None:
                return self._export(request, account)
        return super().change_view(request, object_id, form_url, extra_context)

    def _export(self, request: HttpRequest, account: Account) -> HttpResponse:
        may_see = request.user.has_perm("transactions.view_transaction")
        if not may_see or not self.has_view_permission(request, account):
            raise PermissionDenied
        shown = page.read_page(request, account)
        if shown is None:
            asked = request.GET.copy()
            del asked["format"]
            return HttpResponseRedirect(f"{self.find_url(account)}?{asked.urlencode()}")
        self.record(request, Access.Action.EXPORT, account, detail=f"statement, {len(shown.lines)} lines")
        return page.write_csv(account, shown)

    def describe(self, request: HttpRequest, subject: Model) -> dict[str, Any]:
        return page.describe(request, subject)  # type: ignore[arg-type]

    @admin.display(description=_("user"))
    def shown_user(self, account: Account) -> str:
        return str(account.user)

    @admin.display(description=_("status"))
    def shown_status(self, account: Account) -> SafeString:
        return label(account.status, account.get_status_display())

    @admin.display(description=_("balance"))
    def shown_balance(self, account: Account) -> SafeString:
        return show_number(account.balance, account.currency)

    @admin.display(description=_("available"))
    def shown_available(self, account: Account) -> SafeString:
        return show_number(account.available, account.currency)

"""Users and accounts: their lists, the page of a user, and what is done with an account."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import REFERENCE_LENGTH_MAX, Account, ClockTimestamp, User
from accounts.queries import find_users_by_words
from ledger.text import Rule
from ledger.values import UUID_TEXT
from office.access import Action
from office.actions import Command, IdentityForm
from office.admin import SearchedAdmin, parse_id
from office.confirming import facts
from office.confirming.foreseeing import Foreseen
from office.forms import AmountField, TextField, fit
from office.lists import columns as exports
from office.lists.people import AccountForm, UserForm
from office.pages import audits, erasures
from office.pages.accounts import claims, page, rules, statement, thresholds
from office.pages.corrections import foresee_asking, propose
from office.pages.people import done, history, notes
from office.sections import WithHistory
from office.templatetags.ledger import (
    NOTHING,
    STATUS,
    available_now,
    bdi,
    column,
    isolate,
    moment,
    number_column,
    text_column,
)
from office.visits.recent import remember
from transactions import corrections
from transactions.models import Transaction

USERS_MAX = 50  # that are found by the start of their name
ACCOUNTS_MAX = 1000  # that are found by their users
ACCOUNTS_SHOWN_MAX = 100  # on the page of a user


@admin.register(User)
class UserAdmin(WithHistory, SearchedAdmin):
    """Whom the ledger knows, with all their accounts. Neither a password nor what one may do is shown."""

    change_form_template = "admin/user.html"
    owner = "pk"
    commands = (notes.WRITE, erasures.FORGET)
    sections = (history.make(history.describe_user), notes.SECTION, done.SECTION)
    list_display = (
        column(_("name"), bdi, kind="text"),
        text_column(_("external id"), "external_id"),
        "kind",
        column(_("created at"), lambda user: moment(user.created_at)),
    )
    list_form = UserForm
    exported = exports.OF_USERS
    nothing = _("No users.")
    ordering = ("-created_at", "-id")
    search_help_text = _("An id, an external id, or the start of a name")

    @admin.display(description=_("kind"))
    def kind(self, user: User) -> Any:
        if user.is_staff:
            return _("staff")
        return _("account holder") if user.username == str(user.id) else _("service")

    def search(self, rows: QuerySet[User], text: str) -> QuerySet[User]:
        ids = [user.id for user in find_users_by_words(text, limit=USERS_MAX)]
        if id := parse_id(text):
            ids.append(id)
        return rows.filter(id__in=ids)

    def describe(self, request: HttpRequest, obj: User) -> dict[str, Any]:
        if obj.is_holder:
            remember(request, obj.pk)
        may_see = request.user.has_perm("accounts.view_account")
        accounts = Account.objects.with_held_due().filter(user=obj).order_by("currency", "name")
        found = list(accounts[: ACCOUNTS_SHOWN_MAX + 1]) if may_see else []
        return {
            "person": obj,
            "kind": self.kind(obj),
            "erasure": erasures.find_erasure(request, obj),
            "accounts": found[:ACCOUNTS_SHOWN_MAX],
            "accounts_in_all": self._count(obj) if len(found) > ACCOUNTS_SHOWN_MAX else 0,
            "accounts_max": ACCOUNTS_MAX,
        }

    @staticmethod
    def _count(user: User) -> int:
        """How many accounts they have; one more than `ACCOUNTS_MAX` stands for all beyond."""
        return Account._base_manager.filter(user=user)[: ACCOUNTS_MAX + 1].count()


class AdjustForm(IdentityForm):
    """A deposit or a withdrawal of staff."""

    field_order = ("type", "amount", "reference", "reason", "identity")
    type = forms.ChoiceField(
        label=_("Type"),
        choices=[("", "---------"), *Transaction.Type.choices],
        widget=UnfoldAdminSelectWidget({"autofocus": True}),
    )
    amount = AmountField(label=_("Amount"))
    reference = TextField(
        rule=Rule.IDENTIFIER,
        label=_("Reference"),
        max_length=REFERENCE_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("What this can be found by: a ticket, an invoice. It shows in statements."),
    )

    def fill(self, obj: Account) -> None:
        fit(self.fields["amount"], obj.currency)


def adjust(request: HttpRequest, account: Account, asked: dict[str, Any]) -> HttpResponse:
    return propose(
        request,
        corrections.adjust,
        asked,
        posted=_("The correction is posted."),
        success_url=reverse("admin:accounts_account_change", args=[account.pk]),
        account_id=account.id,
        type=Transaction.Type(asked["type"]),
        amount=asked["amount"],
        reference=asked["reference"],
    )


def foresee_adjusting(request: HttpRequest, account: Account, asked: dict[str, Any]) -> Foreseen:
    return foresee_asking(
        request,
        corrections.adjust,
        asked,
        on=account.id,
        is_told=bool(asked["type"] and asked["amount"]),
        account_id=account.id,
        type=asked["type"] and Transaction.Type(asked["type"]),
        amount=asked["amount"],
        reference=asked["reference"] or NOTHING,
    )


def find_account_ids(text: str) -> list[UUID]:
    """The ids of accounts: of the account or user with that id, and of users with that external id or a name
    that begins so.
    """
    ids: list[UUID] = []
    user_ids = [user.id for user in find_users_by_words(text, limit=USERS_MAX)]
    if UUID_TEXT.fullmatch(text):
        user_ids.append(UUID(text))
        ids += Account._base_manager.filter(id=text).values_list("id", flat=True)
    theirs = Account._base_manager.filter(user_id__in=user_ids)
    return [*ids, *theirs.values_list("id", flat=True)[:ACCOUNTS_MAX]]


@admin.register(Account)
class AccountAdmin(WithHistory, SearchedAdmin):
    commands = (
        *rules.COMMANDS,
        Command(
            name="adjust",
            label=_("Correct the balance"),
            permission="transactions.adjust_account",
            run=adjust,
            form=AdjustForm,
            facts=facts.tell_account,
            foresee=foresee_adjusting,
            applies=lambda account: account.status != Account.Status.CLOSED,
            note=_("Posts a deposit or a withdrawal. Above a limit, a second person must approve it first."),
        ),
        claims.COMMAND,
        *rules.RARE,
        *thresholds.COMMANDS,
        audits.OF_ACCOUNT,
        notes.WRITE,
    )
    change_form_template = "admin/account.html"
    owner = "user_id"
    list_display = (
        text_column(_("user"), "user"),
        text_column(pgettext_lazy("account", "name"), "name"),
        "currency",
        STATUS,
        number_column(_("balance"), lambda account: account.balance),
        number_column(_("available"), available_now),
        "version",
    )
    list_form = AccountForm
    exported = exports.OF_ACCOUNTS
    nothing = _("No accounts.")
    ordering = ("-created_at", "-id")
    search_help_text = _("The start of the user's name, their external id, or the id of a user or an account")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return Account.objects.with_held_due().select_related("user").annotate(clock=ClockTimestamp())

    def search(self, rows: QuerySet[Account], text: str) -> QuerySet[Account]:
        text = text.replace("\x00", "").strip()
        return rows.filter(id__in=find_account_ids(text)) if text else rows

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        formats = statement.FORMATS if request.GET.get("show") == statement.SHOWN else ("csv",)
        is_export = request.GET.get("format") in formats and request.method == "GET"
        if is_export and (account := self.get_object(request, object_id)):
            return self._export(request, account)  # type: ignore[return-value]  # it may stream
        return super().change_view(request, object_id, form_url, extra_context)

    def _export(self, request: HttpRequest, account: Account) -> HttpResponseBase:
        may_see = self.has_view_permission(request, account)
        if not (may_see and request.user.has_perm("transactions.view_transaction")):
            raise PermissionDenied
        if request.GET.get("show") == statement.SHOWN:
            return statement.export(
                request, account, lambda detail: self.record(request, Action.EXPORT, account, detail=detail)
            )
        shown = page.read_page(request, account)
        if shown is None:
            asked = request.GET.copy()
            del asked["format"]
            return HttpResponseRedirect(f"{self.find_url(account)}?{asked.urlencode()}")
        self.record(request, Action.EXPORT, account, detail=f"statement, {len(shown.lines)} lines")
        return page.write_csv(account, shown)

    def name(self, obj: Account) -> str:
        return f"{isolate(obj.user)} {NOTHING} {isolate(obj.name)} {obj.currency}"

    def describe(self, request: HttpRequest, obj: Account) -> dict[str, Any]:
        remember(request, obj.user_id)
        return page.describe(request, obj)

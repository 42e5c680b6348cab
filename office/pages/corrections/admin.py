"""Corrections: what staff ask to put right, and a second person's answer."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Account
from office import explanations
from office.actions import Command, CommandForm
from office.admin import parse_id
from office.confirming import facts
from office.confirming.foreseeing import look_back
from office.lists import columns as exports
from office.lists.money import CorrectionForm
from office.pages.corrections.approvals import approve_chosen
from office.pages.corrections.deciding import (
    APPROVE_PERMISSION,
    approve_correction,
    foresee_deciding,
    is_decidable,
    is_list,
    is_waiting,
    reject_correction,
)
from office.queues import QueueAdmin, show_waiting
from office.templatetags.ledger import (
    NOTHING,
    column,
    label,
    link,
    moment,
    money,
    name_movement,
    show_number,
    text_column,
)
from transactions import corrections
from transactions.models import Correction, derive_item_id


def show_user(row: Correction) -> Any:
    """Of a batch there are several."""
    return NOTHING if is_list(row) else link("accounts_account", row.account_id, row.account.user)


def show_account(row: Correction) -> Any:
    return NOTHING if is_list(row) else link("accounts_account", row.account_id, row.account.name)


def show_amount(row: Correction) -> Any:
    if is_list(row):
        said = ngettext("%(size)s transaction", "%(size)s transactions", row.batch_size)
        return said % {"size": row.batch_size}
    return show_number(row.change, row.account.currency)


def show_status(row: Any) -> str:
    """Of a batch that is not all posted nor all declined: in part."""
    if is_list(row) and row.is_mixed:
        return label("WAITING", str(_("posted in part")))
    return label(row.status, row.get_status_display())


ASKED = (  # columns
    column(_("requested at"), lambda row: moment(row.made_at)),
    "kind",
    column(_("user"), show_user, kind="person"),
    column(_("account"), show_account, kind="text"),
    column(_("amount"), show_amount, kind="number"),
    text_column(_("reason"), "reason"),
    text_column(_("requested by"), "maker"),
)


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
            applies=is_decidable,
            facts=facts.tell_correction,
            foresee=lambda request, correction, asked: foresee_deciding(correction),
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
            applies=is_decidable,
            facts=facts.tell_correction,
            foresee=lambda request, correction, asked: foresee_deciding(correction),
            is_dangerous=True,
        ),
    )
    actions = (approve_chosen,)
    choose_permissions = (APPROVE_PERMISSION,)
    list_display = (
        *ASKED,
        column(_("status"), show_status),
        text_column(_("decided by"), "checker"),
        column(_("decided at"), lambda row: moment(row.decided_at)),
    )
    list_form = CorrectionForm
    exported = exports.OF_CORRECTIONS
    ordering = ("-made_at", "-id")
    search_help_text = _("The id of a correction, an account or a transaction")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """What waits, with the way to what this person may approve: all that is confirmed stands there."""
        shown = super().get_list_display(request)
        if not self._is_queue(request) or not request.user.has_perm(APPROVE_PERMISSION):
            return shown
        approve = self.commands[0]

        def lead(row: Correction) -> Any:
            if not approve.is_for(request, row):
                return NOTHING
            url = reverse(self._name(approve.name), args=[row.pk])
            return format_html('<a class="text-link" href="{}">{}</a>', url, approve.label)

        return (*shown, column(_("decision"), lead))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        others = Correction.objects.filter(batch=OuterRef("batch")).exclude(status=OuterRef("status"))
        every = Correction.objects.select_related("account__user", "maker", "checker")
        return every.annotate(is_mixed=Exists(others))

    def name(self, obj: Correction) -> str:
        kind = obj.get_kind_display()
        if is_list(obj):
            return f"{capfirst(kind)}: {show_amount(obj)}"
        return name_movement(kind, money(obj.change, obj.account.currency), obj.account, obj.made_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correction], search_term: str
    ) -> tuple[QuerySet[Correction], bool]:
        """A batch stands once in the list, by its first one."""
        queryset = queryset if search_term else queryset.filter(place=0)
        return super().get_search_results(request, queryset, search_term)

    def search(self, rows: QuerySet[Correction], text: str) -> QuerySet[Correction]:
        id = parse_id(text)
        return rows.filter(Q(id=id) | Q(account=id)) if id else rows.none()

    def describe(self, request: HttpRequest, obj: Correction) -> dict[str, Any]:
        account = Account.objects.with_held_due().select_related("user").get(id=obj.account_id)
        shown = {
            "correction": obj,
            "account": account,
            "first_id": derive_item_id(obj.batch, 0) if obj.batch and obj.place else None,
            "is_list": is_list(obj),
            "is_hers": obj.maker_id == request.user.pk,
            "foreseen": foresee_deciding(obj) if is_waiting(obj) else None,
        }
        if obj.batch and is_list(obj):
            done = None if is_waiting(obj) else look_back(corrections.find_batch(obj.batch))
            return {**shown, "foreseen": done or shown["foreseen"]}
        claim = corrections.find_claim(obj)
        return {
            **shown,
            "rows": corrections.find_transactions(obj),
            "claims": [claim] if claim else [],
            "payee": Account.objects.filter(id=obj.destination).select_related("user").first()
            if obj.destination
            else None,
            "why": explanations.describe_decline(corrections.find_decline(obj), account.currency),
            "reversed": corrections.find_taken_back(obj),
        }


def count_waiting(request: HttpRequest) -> str:
    """How many corrections wait for approval, for the sidebar."""
    return show_waiting(request, "transactions.view_correction", corrections.count_waiting)

"""The pages of holds, which show the transactions that captured them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Hold, User
from office import explanations
from office.actions import Command
from office.admin import SearchedAdmin, parse_id
from office.confirming import facts
from office.confirming.foreseeing import Foreseen, foresee
from office.lists import columns as exports
from office.lists.money import HoldForm
from office.pages.people import history
from office.sections import WithHistory
from office.templatetags.ledger import (
    ACCOUNT,
    ACCOUNT_USER,
    column,
    label,
    moment,
    money,
    name_movement,
    number_column,
    text_column,
)
from rest.middleware import get_caller
from transactions import posting
from transactions.models import Transaction
from transactions.posting import PostingRequest
from transactions.posting.commands import Release

SHOWN_MAX = 100  # captures on the page of a hold


def make_release(hold: Hold, asked: dict[str, Any]) -> Release:
    return Release(hold_id=hold.id, account_id=hold.account_id, reason=asked["reason"])


def release(request: HttpRequest, hold: Hold, asked: dict[str, Any]) -> None:
    posting.post(make_release(hold, asked), caller=get_caller(request))


def foresee_release(request: HttpRequest, hold: Hold, asked: dict[str, Any]) -> Foreseen:
    would_be = PostingRequest(commands=[make_release(hold, asked)], caller=get_caller(request))
    return foresee(would_be, hold.account_id)


@admin.register(Hold)
class HoldAdmin(WithHistory, SearchedAdmin):
    """Money that is set aside, by whom and until when."""

    change_form_template = "admin/hold.html"
    owner = "account.user_id"
    sections = (history.make(history.describe_hold),)
    commands = (
        Command(
            name="release",
            label=_("Release"),
            permission="accounts.release_hold",
            run=release,
            facts=facts.tell_hold,
            foresee=foresee_release,
            done=_("The hold was released: what it had left is available again."),
            applies=lambda hold: hold.status_now == Hold.Status.OPEN,
            note=_(
                "What the hold has left becomes available again. Whoever placed it can capture it no more."
            ),
            is_dangerous=True,
        ),
    )
    list_display = (
        column(_("placed at"), lambda hold: moment(hold.created_at)),
        ACCOUNT_USER,
        ACCOUNT,
        number_column(_("amount"), lambda hold: hold.amount),
        number_column(_("captured"), lambda hold: hold.captured),
        column(_("status"), lambda hold: label(hold.status_now, hold.status_now.label)),
        column(_("expires at"), lambda hold: moment(hold.expires_at)),
        text_column(_("reference"), "reference"),
    )
    list_form = HoldForm
    exported = exports.OF_HOLDS
    nothing = _("No holds.")
    ordering = ("-created_at", "-id")
    search_help_text = _("The id of a hold")

    def name(self, obj: Hold) -> str:
        amount = money(obj.amount, obj.account.currency)
        return name_movement(self.opts.verbose_name, amount, obj.account, obj.created_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return Hold.objects.with_clock().select_related("account__user")

    def search(self, rows: QuerySet[Hold], text: str) -> QuerySet[Hold]:
        id = parse_id(text)
        return rows.filter(id=id) if id else rows.none()

    def describe(self, request: HttpRequest, obj: Hold) -> dict[str, Any]:
        captures = list(Transaction.objects.filter(hold=obj.id).select_related("account__user")[:SHOWN_MAX])
        transfers = [row.transfer for row in captures if row.transfer]
        paid = Transaction.objects.filter(transfer__in=transfers, type=Transaction.Type.DEPOSIT)
        return {
            "hold": obj,
            "actor": User.objects.filter(id=obj.actor).first(),
            "captures": captures,
            "paid": paid.select_related("account__user") if transfers else (),
            "why": explanations.describe_decline(obj, obj.account.currency),
        }

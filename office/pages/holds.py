"""Holds. Their page shows the transactions that captured them, so it is here and not in `accounts`."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Hold, User
from office import explanations
from office.actions import Command
from office.pages.lists import MovementAdmin, column
from office.paging import parse_id
from office.templatetags.labels import label
from office.templatetags.ledger import moment, show_number
from rest.middleware import get_request_id
from rest.permissions import get_caller_id
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Release

CAPTURES_MAX = 100  # on its page


def release(request: HttpRequest, hold: Hold, asked: dict[str, Any]) -> str:
    command = Release(hold_id=hold.id, account_id=hold.account_id)
    with explanations.refusals():
        posting.post([command], actor=get_caller_id(request), request_id=get_request_id(request))
    return str(_("The hold was released: what it had left is available again."))


@admin.register(Hold)
class HoldAdmin(MovementAdmin):
    """Money that is set aside, by whom and until when."""

    subject_template = "admin/hold.html"
    commands = (
        Command(
            name="release",
            label=_("Release"),
            permission="accounts.release_hold",
            run=release,
            applies=lambda hold: hold.status_now == Hold.Status.OPEN,
            note=_(
                "What the hold has left becomes available again. Whoever placed it can capture it no more."
            ),
            is_dangerous=True,
        ),
    )
    list_display = ("placed", "user", "number", "captures", "state", "expires", "reference")
    ordering = ("-created_at", "-id")
    search_help_text = _("The id of a hold")
    placed = column(_("placed at"), lambda hold: moment(hold.created_at))
    number = column(_("amount"), lambda hold: show_number(hold.amount, hold.account.currency))
    captures = column(_("captured"), lambda hold: show_number(hold.captured, hold.account.currency))
    state = column(_("status"), lambda hold: label(hold.status_now, hold.status_now.label))
    expires = column(_("expires at"), lambda hold: moment(hold.expires_at))

    def name(self, subject: Hold) -> str:
        return str(subject.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return Hold.objects.with_clock().select_related("account__user")

    def search(self, rows: QuerySet[Hold], words: str) -> QuerySet[Hold]:
        id = parse_id(words)
        return rows.filter(id=id) if id else rows.none()

    def describe(self, request: HttpRequest, subject: Hold) -> dict[str, Any]:
        captures = Transaction.objects.filter(hold=subject.id).select_related("account__user")
        return {
            "hold": subject,
            "actor": User.objects.filter(id=subject.actor).first(),
            "captures": captures[:CAPTURES_MAX],
            "why": explanations.describe_decline(subject, subject.account.currency),
        }

"""Holds. Their page shows the transactions that captured them, so it is here and not in `accounts`."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Hold, User
from office import explanations
from office.actions import Command
from office.admin import OfficeAdmin, parse_id
from office.templatetags.ledger import label, link, moment, show_number
from rest.middleware import get_request_id
from rest.permissions import get_caller_id
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Release

CAPTURES_MAX = 100  # on its page


def _release(request: HttpRequest, subject: Hold, asked: dict[str, Any]) -> str:
    with explanations.refusals():
        posting.post(
            [Release(hold_id=subject.id, account_id=subject.account_id)],
            actor=get_caller_id(request),
            request_id=get_request_id(request),
        )
    return _("The hold was released: what it had left is available again.")


RELEASE = Command(
    name="release",
    label=gettext_lazy("Release"),
    permission="accounts.release_hold",
    run=_release,
    applies=lambda hold: hold.status_now == Hold.Status.OPEN,
    note=gettext_lazy(
        "What the hold has left becomes available again. Whoever placed it can capture it no more."
    ),
    is_dangerous=True,
)


@admin.register(Hold)
class HoldAdmin(OfficeAdmin):
    """Money that is set aside, by whom and until when."""

    subject_template = "admin/hold.html"
    commands = (RELEASE,)
    list_display = ("placed", "user", "number", "captures", "state", "expires", "reference")
    ordering = ("-created_at", "-id")
    search_fields = ("id",)
    search_help_text = gettext_lazy("The id of a hold")

    def name(self, subject: Hold) -> str:
        return str(subject.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        holds: Any = super().get_queryset(request)
        found: QuerySet[Hold] = holds.with_clock().select_related("account__user")
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Hold], search_term: str
    ) -> tuple[QuerySet[Hold], bool]:
        if not search_term:
            return queryset, False
        id = parse_id(search_term)
        return (queryset.filter(id=id) if id else queryset.none()), False

    @admin.display(description=gettext_lazy("placed at"))
    def placed(self, row: Hold) -> str:
        return moment(row.created_at)

    @admin.display(description=gettext_lazy("user"))
    def user(self, row: Hold) -> SafeString:
        return link("accounts_account", row.account_id, row.account.user)

    @admin.display(description=gettext_lazy("amount"))
    def number(self, row: Hold) -> SafeString:
        return show_number(row.amount, row.account.currency)

    @admin.display(description=gettext_lazy("captured"))
    def captures(self, row: Hold) -> SafeString:
        return show_number(row.captured, row.account.currency)

    @admin.display(description=gettext_lazy("status"))
    def state(self, row: Hold) -> SafeString:
        return label(row.status_now, str(row.status_now.label))

    @admin.display(description=gettext_lazy("expires at"))
    def expires(self, row: Hold) -> str:
        return moment(row.expires_at)

    def describe(self, request: HttpRequest, subject: Hold) -> dict[str, Any]:
        captures = Transaction.objects.filter(hold=subject.id).select_related("account__user")
        return {
            "hold": subject,
            "actor": User.objects.filter(id=subject.actor).first(),
            "captures": captures[:CAPTURES_MAX],
            "why": explanations.describe_decline(subject, subject.account.currency),
        }

"""People who are to be forgotten: who asks for it on the page of a user, and a second person's answer."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import erasing
from accounts.models import Erasure, User
from ledger.callers import ActorKind
from office.actions import Command, ReasonForm
from office.admin import parse_id
from office.lists.money import ErasureForm
from office.queues import QueueAdmin, show_waiting
from office.templatetags.ledger import STATUS, column, link, moment, text_column
from rest.middleware import get_caller

USER = column(_("user"), lambda row: link("accounts_user", row.user_id, row.user))
ASKED = (  # columns
    column(_("requested at"), lambda row: moment(row.asked_at)),
    USER,
    text_column(_("reason"), "reason"),
    text_column(_("requested by"), "maker"),
)
WITHOUT_THE_NAME = _("Kept for ever: do not write the person's name here, nor how to reach them.")


class ForgetForm(ReasonForm):
    """Asks why, without the person in it."""

    def fill(self, obj: Any) -> None:
        self.fields["reason"].help_text = WITHOUT_THE_NAME


def ask(request: HttpRequest, user: User, asked: dict[str, Any]) -> HttpResponse:
    erasure = erasing.ask(user_id=user.pk, reason=asked["reason"], caller=get_caller(request))
    messages.warning(request, _("This waits for a second person to approve it. Nothing was erased yet."))
    return HttpResponseRedirect(reverse("admin:accounts_erasure_change", args=[erasure.pk]))


def approve(request: HttpRequest, erasure: Erasure, asked: dict[str, Any]) -> None:
    erasing.approve(id=erasure.pk, caller=get_caller(request), reason=asked["reason"])


def reject(request: HttpRequest, erasure: Erasure, asked: dict[str, Any]) -> None:
    erasing.reject(id=erasure.pk, caller=get_caller(request), reason=asked["reason"])


def is_waiting(erasure: Erasure) -> bool:
    return erasure.status == Erasure.Status.WAITING


FORGET = Command(
    name="forget",
    label=_("Forget this person"),
    permission=erasing.PERMISSION,
    run=ask,
    form=ForgetForm,
    is_recorded=True,
    is_dangerous=True,
    applies=lambda user: user.kind == ActorKind.HOLDER and user.erased_at is None,
    note=_(
        "A second person must approve it. Then the name, the external id and all metadata of the user and "
        "their accounts are erased for good, with reasons and searches that name them, and their tokens are "
        "revoked. Money, references and metadata of transactions and the names of accounts stay."
    ),
)


@admin.register(Erasure)
class ErasureAdmin(QueueAdmin):
    """The queue: what waits, or with `?state=all` everything that was ever asked for."""

    change_form_template = "admin/erasure.html"
    owner = "user_id"
    asked = ASKED
    tabs_label = _("Which erasures")
    commands = (
        Command(
            name="approve",
            label=_("Approve"),
            permission=erasing.PERMISSION,
            is_recorded=True,
            run=approve,
            done=_("The person is forgotten."),
            form=ForgetForm,
            may_give=lambda request, erasure: request.user.pk != erasure.maker_id,
            applies=is_waiting,
            note=_("The person is forgotten at once, and for good: nobody can take it back."),
            is_dangerous=True,
        ),
        Command(
            name="reject",
            label=_("Reject"),
            permission=erasing.PERMISSION,
            is_recorded=True,
            run=reject,
            done=_("Nobody was forgotten."),
            form=ForgetForm,
            applies=is_waiting,
        ),
    )
    list_display = (
        *ASKED,
        STATUS,
        text_column(_("decided by"), "checker"),
        column(_("decided at"), lambda row: moment(row.decided_at)),
    )
    list_form = ErasureForm
    ordering = ("-asked_at", "-id")
    search_help_text = _("The id of an erasure or a user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Erasure]:
        return Erasure.objects.select_related("user", "maker", "checker")

    def name(self, obj: Erasure) -> str:
        return str(obj.user)

    def search(self, rows: QuerySet[Erasure], text: str) -> QuerySet[Erasure]:
        id = parse_id(text)
        return rows.filter(Q(id=id) | Q(user=id)) if id else rows.none()

    def describe(self, request: HttpRequest, obj: Erasure) -> dict[str, Any]:
        return {"erasure": obj, "is_hers": obj.maker_id == request.user.pk}


def find_erasure(request: HttpRequest, user: User) -> Erasure | None:
    """The one that waits for a second person or was carried out, for who may see it."""
    if not request.user.has_perm("accounts.view_erasure"):
        return None
    return Erasure.objects.filter(user=user).exclude(status=Erasure.Status.REJECTED).first()


def count_waiting(request: HttpRequest) -> str:
    """How many wait for approval, for the sidebar."""
    return show_waiting(request, "accounts.view_erasure", erasing.count_waiting)

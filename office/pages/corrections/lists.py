"""Transactions that are taken back together: what would come of it, a reason, and what has."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import require_identity
from ledger.values import UUID_TEXT
from office import access
from office.access import Action
from office.actions import IdentityForm
from office.confirming.foreseeing import Foreseen, foresee_list
from office.explanations import REFUSED, explain_refusal
from office.pages.corrections.proposing import rehearse
from office.site import OfficeSite
from office.templatetags.ledger import NOTHING
from rest.middleware import get_caller, get_caller_id
from transactions import corrections
from transactions.models import Correction, Transaction
from transactions.posting import ROWS_MAX
from transactions.reading import queries

CHOSEN = ACTION_CHECKBOX_NAME  # of the checkboxes of a list, and of the statement's
REVERSE_PERMISSIONS = ("transactions.view_transaction", "transactions.reverse_transaction")


class ListForm(IdentityForm):
    """Why they are taken back. It knows which: their ids stand in one field, with spaces between them."""

    field_order = ("reason", "rows", "identity")
    rows = forms.CharField(widget=forms.HiddenInput)


def read_ids(texts: Sequence[str]) -> list[UUID]:
    """The ids that the texts are, each once, at most one more than may be chosen. Others are left out."""
    ids = dict.fromkeys(UUID(text) for text in texts if UUID_TEXT.fullmatch(text))
    return list(ids)[: ROWS_MAX + 1]


def may_be_reversed(row: Transaction) -> bool:
    is_posted = row.status == Transaction.Status.POSTED
    return is_posted and not row.reverses and not row.claim and row.left > 0


@admin.action(description=_("Reverse these"))
def reverse_chosen(page: Any, request: HttpRequest, chosen: QuerySet[Transaction]) -> HttpResponse:
    """The action of a list of transactions: leads to the page that shows what would come of it."""
    return show_reversal(request, list(chosen.values_list("id", flat=True)[: ROWS_MAX + 1]))


def reverse_together(request: HttpRequest) -> HttpResponse:
    """The page of what is taken back together: first what would come of it, then for a reason."""
    if not request.user.has_perms(REVERSE_PERMISSIONS):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:transactions_transaction_changelist"))
    if "rows" not in request.POST:
        return show_reversal(request, read_ids(request.POST.getlist(CHOSEN)))
    form = ListForm(request.POST)
    ids = read_ids(request.POST["rows"].split())
    if form.is_valid():
        try:
            return answer_list(request, _ask(request, form.cleaned_data, ids))
        except REFUSED as error:
            text, name = explain_refusal(error)
            form.add_error(name if name in form.fields else None, text)
        except OperationalError:
            form.add_error(None, _("Others are working on this. Send it again."))
    return show_reversal(request, ids, form)


def _ask(request: HttpRequest, asked: dict[str, Any], ids: Sequence[UUID]) -> list[Correction]:
    return corrections.reverse_all(
        id=require_identity(caller_id=get_caller_id(request), id=asked["identity"], key=None),
        transaction_ids=ids,
        reason=asked["reason"],
        caller=get_caller(request),
    )


def show_reversal(request: HttpRequest, ids: Sequence[UUID], form: ListForm | None = None) -> HttpResponse:
    """What would come of taking these back. What cannot be is told, and is left out."""
    if not request.user.has_perms(REVERSE_PERMISSIONS):
        raise PermissionDenied
    if not 0 < len(ids) <= ROWS_MAX:
        messages.error(request, _("Choose at least one transaction, and at most 1,000; a transfer is two."))
        return HttpResponseRedirect(reverse("admin:transactions_transaction_changelist"))
    rows = queries.find_transactions(ids)
    left = [id for id in ids if id in rows and may_be_reversed(rows[id])]
    access.record(request, Action.VIEW, "transaction", detail=f"reverse-together, {len(ids)} transactions")
    shown = form or ListForm(initial={"rows": " ".join(map(str, left))})
    return TemplateResponse(
        request,
        "admin/reverse_together.html",
        {
            **admin.site.each_context(request),
            "title": _("Reverse these"),
            "form": shown,
            "foreseen": _foresee(request, left) if left else None,
            "left_out": [row for id in ids if (row := rows.get(id)) and not may_be_reversed(row)],
            "success_url": reverse("admin:transactions_transaction_changelist"),
        },
        status=422 if form else 200,
    )


def _foresee(request: HttpRequest, ids: Sequence[UUID]) -> Foreseen:
    try:
        drafts = corrections.draft_all(id=uuid_utils.compat.uuid7(), transaction_ids=ids, reason=NOTHING)
        for each in drafts:
            each.maker_id = get_caller_id(request)
        return foresee_list(rehearse(drafts), drafts)
    except REFUSED as error:
        return Foreseen(refusal=explain_refusal(error)[0])
    except OperationalError:
        return Foreseen(refusal=_("What would come of it cannot be told at this moment."))


def answer_list(request: HttpRequest, made: Sequence[Correction]) -> HttpResponse:
    """Says what became of a list just asked for or approved, and leads to its page."""
    level, said = tell_outcome(made)
    messages.add_message(request, level, said)
    return HttpResponseRedirect(reverse("admin:transactions_correction_change", args=[made[0].id]))


def tell_outcome(made: Sequence[Correction]) -> tuple[int, str]:
    """What became of all of a list, and the level of the message that says so."""
    posted = sum(each.status == Correction.Status.POSTED for each in made)
    if made[0].status == Correction.Status.WAITING:
        return messages.WARNING, gettext(
            "This waits for a second person to approve it. Nothing was posted yet."
        )
    if made[0].status == Correction.Status.REJECTED:
        return messages.WARNING, gettext("This was rejected before.")
    if posted < len(made):
        said = gettext(
            "%(posted)s of %(all)s were reversed. What the ledger has declined is listed with its reason."
        )
        return messages.ERROR, said % {"posted": posted, "all": len(made)}
    said = ngettext("%(posted)s transaction was reversed.", "%(posted)s transactions were reversed.", posted)
    return messages.SUCCESS, said % {"posted": posted}


OfficeSite.pages.append(("transactions/transaction/reverse-together/", reverse_together, "reverse_together"))

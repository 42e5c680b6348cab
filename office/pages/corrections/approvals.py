"""Several corrections approved after each other, each by itself, when all of them were seen."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from office import access, explanations
from office.access import Action
from office.confirming import facts
from office.confirming.foreseeing import Foreseen
from office.pages.corrections.deciding import APPROVE_PERMISSION, foresee_deciding, is_decidable
from office.pages.corrections.lists import CHOSEN, read_ids, tell_outcome
from office.site import OfficeSite
from rest.middleware import get_caller
from transactions import corrections
from transactions.models import Correction

AT_ONCE_MAX = 50
PERMISSIONS = ("transactions.view_correction", APPROVE_PERMISSION)


class Item(NamedTuple):
    """One of them: what it is, and what would come of it after those before it.

    Then `outcome` says what became of it, `why` it was declined; or `refusal` why it was not approved.
    """

    correction: Correction
    facts: Sequence[tuple[Any, Any]]
    foreseen: Foreseen | None = None
    outcome: Any = ""
    refusal: Any = ""
    why: dict[str, Any] | None = None


@admin.action(description=_("Approve these"))
def approve_chosen(page: Any, request: HttpRequest, chosen: QuerySet[Correction]) -> HttpResponse:
    """The action of the queue: leads to the page that shows each with its numbers."""
    return show_approvals(request, list(chosen.values_list("id", flat=True)[: AT_ONCE_MAX + 1]))


def approve_together(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseRedirect(_queue())
    ids = read_ids(request.POST.getlist(CHOSEN))
    if "confirmed" not in request.POST:
        return show_approvals(request, ids)
    if len(ids) > AT_ONCE_MAX:
        return _refuse_number(request)
    done = [_approve(request, each) for each in _find(ids)]
    return _answer(request, _("Approved after each other"), {"done": done})


def show_approvals(request: HttpRequest, ids: Sequence[UUID]) -> HttpResponse:
    """Those that this person may approve, each with what would come of it when those before it are posted."""
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    if not 0 < len(ids) <= AT_ONCE_MAX:
        return _refuse_number(request)
    found = _find(ids)
    access.record(request, Action.VIEW, "correction", detail=f"approve-together, {len(found)} corrections")
    items: list[Item] = []
    after: Mapping[UUID, Any] = {}
    for each in found:
        if is_decidable(each) and each.maker_id != request.user.pk:
            foreseen = foresee_deciding(each, after=after)
            after = {**after, **foreseen.after}
            items.append(Item(each, list(facts.tell_correction(each)), foreseen))
    chosen = {item.correction.id for item in items}
    left_out = [each for each in found if each.id not in chosen]
    return _answer(request, _("Approve these"), {"items": items, "left_out": left_out})


def _approve(request: HttpRequest, correction: Correction) -> Item:
    """By itself, in a transaction of its own."""
    told = list(facts.tell_correction(correction))
    try:
        approved = corrections.approve(id=correction.id, caller=get_caller(request))
    except explanations.REFUSED as error:
        refusal, _field = explanations.explain_refusal(error)
        return Item(correction, told, refusal=refusal)
    except OperationalError:
        return Item(correction, told, refusal=_("Others are working on this. Send it again."))
    access.count(Action.CHANGE, "correction")
    if approved.batch:
        _level, said = tell_outcome(corrections.find_batch(approved.batch))
        return Item(approved, told, outcome=said)
    why = explanations.describe_decline(corrections.find_decline(approved), correction.account.currency)
    return Item(approved, told, outcome=approved.get_status_display(), why=why)


def _find(ids: Sequence[UUID]) -> list[Correction]:
    """In the order in which they were asked for; a batch stands once."""
    found = Correction.objects.select_related("account__user", "maker").filter(id__in=ids, place=0)
    return list(found.order_by("made_at", "id"))


def _refuse_number(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("Choose at least one correction, and at most 50."))
    return HttpResponseRedirect(_queue())


def _queue() -> str:
    return reverse("admin:transactions_correction_changelist")


def _answer(request: HttpRequest, title: Any, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(
        request,
        "admin/approve_together.html",
        {**admin.site.each_context(request), "title": title, "success_url": _queue(), **context},
    )


OfficeSite.pages.append(("transactions/correction/approve-together/", approve_together, "approve_together"))

"""What would come of a correction, and a second person's answer to it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from office import explanations
from office.confirming.foreseeing import Foreseen, foresee, foresee_list
from office.pages.corrections.lists import answer_list
from office.pages.corrections.proposing import answer_outcome, rehearse
from rest.middleware import get_caller
from transactions import corrections
from transactions.models import Correction

APPROVE_PERMISSION = "transactions.approve_correction"


def approve_correction(request: HttpRequest, correction: Correction, asked: dict[str, Any]) -> HttpResponse:
    approved = corrections.approve(id=correction.id, caller=get_caller(request))
    if approved.batch:
        return answer_list(request, corrections.find_batch(approved.batch))
    return answer_outcome(request, approved, posted=_("The correction was approved and posted."))


def reject_correction(request: HttpRequest, correction: Correction, asked: dict[str, Any]) -> None:
    corrections.reject(id=correction.id, caller=get_caller(request), reason=asked["reason"])


def foresee_deciding(correction: Correction, *, after: Mapping[UUID, Any] | None = None) -> Foreseen:
    """What would come of it, with all of its batch, if it were approved now."""
    try:
        if correction.batch and is_list(correction):
            every = corrections.find_batch(correction.batch)
            return foresee_list(rehearse(every), every)
        return foresee(rehearse([correction]), correction.account_id, after=after)
    except explanations.REFUSED as error:
        return foresee(None, correction.account_id)._replace(refusal=explanations.explain_refusal(error)[0])


def is_decidable(correction: Correction) -> bool:
    """A batch is decided on the page of its first one."""
    return is_waiting(correction) and not correction.place


def is_waiting(correction: Correction) -> bool:
    return correction.status == Correction.Status.WAITING


def is_list(correction: Correction) -> bool:
    """Whether its page is that of all of its batch: the first one stands for it."""
    return correction.batch is not None and not correction.place

"""Asking for a correction, and what it would come to."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import require_identity
from ledger.callers import ActorKind, Caller
from office import explanations
from office.confirming.foreseeing import Foreseen, foresee
from rest.middleware import get_caller, get_caller_id
from transactions import corrections
from transactions.models import Correction
from transactions.posting import PostingRequest


def propose(
    request: HttpRequest,
    domain: Callable[..., Correction],
    asked: dict[str, Any],
    *,
    posted: Any,
    success_url: str | None = None,
    **of: Any,
) -> HttpResponse:
    """Asks for a correction, as its maker, and answers with what became of it as `answer_outcome` does.

    `domain` is the function of `transactions.corrections` that makes it, `asked` is what an `IdentityForm`
    asked for, and `of` is what else the function is given.
    """
    correction = domain(
        id=require_identity(caller_id=get_caller_id(request), id=asked["identity"], key=None),
        reason=asked["reason"],
        caller=get_caller(request),
        **of,
    )
    return answer_outcome(request, correction, posted=posted, success_url=success_url)


def answer_outcome(
    request: HttpRequest, correction: Correction, *, posted: Any, success_url: str | None = None
) -> HttpResponse:
    """Says what became of a correction just asked for or approved, and leads to `success_url` or its page.

    `posted` is what is said if it was posted.

    A decline is recorded like a success, so it is said in a message and not as a refusal of the form.
    """
    if correction.status == Correction.Status.POSTED:
        messages.success(request, posted)
    elif correction.status == Correction.Status.WAITING:
        messages.warning(request, _("This waits for a second person to approve it. Nothing was posted yet."))
    elif declined := corrections.find_decline(correction):
        messages.error(
            request,
            _("The ledger has declined this: %(reason)s") % {"reason": explanations.explain(declined)},
        )
    else:
        messages.warning(request, _("This was rejected before."))
    return HttpResponseRedirect(
        success_url or reverse("admin:transactions_correction_change", args=[correction.id])
    )


def rehearse(asked: Sequence[Correction]) -> PostingRequest:
    """What is posted if they are approved: one alone, or a batch."""
    maker = Caller(asked[0].maker_id, ActorKind.STAFF)
    return PostingRequest(
        commands=corrections.make_commands(asked), caller=maker, batch=corrections.make_batch(asked)
    )


def foresee_asking(
    request: HttpRequest,
    domain: Callable[..., Correction],
    asked: dict[str, Any],
    *,
    on: UUID,
    is_told: bool,
    **of: Any,
) -> Foreseen:
    """What would come of what `propose` would ask for, if it were posted at once. `on` is the account.

    Without `is_told`, that the form says enough, only what the account has now.
    """
    if not is_told:
        return foresee(None, on)
    draft = domain(
        id=asked["identity"],
        reason=asked["reason"],
        caller=get_caller(request),
        then=corrections.draft,
        **of,
    )
    draft.maker_id = get_caller_id(request)
    return foresee(rehearse([draft]), on)

"""What the views of all commands share: the identity that comes in, the mark of a replay that goes out."""

from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.identity import require_identity
from api.permissions import get_caller_id

AnyResponse = TypeVar("AnyResponse", bound=HttpResponse)


def take_identity(request: Request, asked: dict[str, Any]) -> UUID:
    """The id of a command out of what it asked, or the one that its Idempotency-Key stands for."""
    return require_identity(
        caller_id=get_caller_id(request),
        id=asked.pop("id", None),
        key=request.headers.get("Idempotency-Key"),
    )


def mark(response: AnyResponse, *, replayed: bool) -> AnyResponse:
    """The response; of a replay it says so."""
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response

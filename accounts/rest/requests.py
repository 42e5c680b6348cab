"""What the views of all money commands share: the identity that comes in."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request

from accounts.idempotency import require_identity
from rest.permissions import get_caller_id


def take_identity(request: Request, asked: dict[str, Any]) -> UUID:
    """The id of a command out of what it asked, or the one that its Idempotency-Key stands for."""
    return require_identity(
        caller_id=get_caller_id(request),
        id=asked.pop("id", None),
        key=request.META.get("HTTP_IDEMPOTENCY_KEY"),
    )

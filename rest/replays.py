"""The mark of an answer that was given before."""

from typing import TypeVar

from django.http import HttpResponse

AnyResponse = TypeVar("AnyResponse", bound=HttpResponse)


def mark(response: AnyResponse, *, replayed: bool) -> AnyResponse:
    """The response; of a replay it says so."""
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response

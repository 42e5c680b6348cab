"""The request id: on every log line, on every answer, and in what the ledger records."""

import re
import uuid

from django.http import HttpRequest, HttpResponse
from django_structlog import middlewares

ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestMiddleware(middlewares.RequestMiddleware):
    """Logs one line per request; takes the caller's `X-Request-Id` when it is harmless, else makes one."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if ACCEPTED.fullmatch(asked) else str(uuid.uuid4())
        request.META["HTTP_X_REQUEST_ID"] = request_id
        response = super().__call__(request)
        response["X-Request-Id"] = request_id  # type: ignore[index]
        return response  # type: ignore[return-value]

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Without the query, which may hold what a careless caller put there."""
        return f"{request.method} {request.path}"


def get_request_id(request: HttpRequest) -> str:
    request_id: str = request.META["HTTP_X_REQUEST_ID"]
    return request_id

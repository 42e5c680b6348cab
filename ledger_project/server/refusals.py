"""What the server answers itself, with a log line, an id, metrics and headers as every other answer."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from rest.errors import make_problem
from rest.middleware import RequestMiddleware

BUSY = ("busy", "The ledger has too much to do at this moment. Send the same again.")
TOO_SLOW = ("request_timeout", "The body did not arrive in time.")
FAILED = ("internal_error", "The ledger failed. Send the same request again.")


class Refusals(RequestMiddleware):
    """The middleware of requests that nobody works on: in place of a view's answer there is a problem."""

    def __init__(self) -> None:
        super().__init__(refuse)

    def be_busy(self, environ: dict[str, Any]) -> HttpResponseBase:
        return self._refuse(environ, *BUSY)

    def time_out(self, environ: dict[str, Any]) -> HttpResponseBase:
        return self._refuse(environ, *TOO_SLOW)

    def fail(self, environ: dict[str, Any]) -> HttpResponseBase:
        return self._refuse(environ, *FAILED)

    def _refuse(self, environ: dict[str, Any], *refusal: str) -> HttpResponseBase:
        request = WSGIRequest({**environ, "ledger.refusal": refusal})
        return self(request)

    def _answer(self, request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
        return super()._answer(request, ResolverMatch(refuse, (), {}, route=match.route))


def refuse(request: HttpRequest) -> HttpResponseBase:
    return make_problem(request, *request.META["ledger.refusal"])

"""What the server answers itself, with a log line, an id, metrics and headers as every other answer."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponseBase
from django.urls import ResolverMatch

from rest.errors import make_problem
from rest.middleware import RequestMiddleware


class Refused(Exception):
    """The server does not work on the request. Its arguments are the code and the detail of the problem."""


class Refusals(RequestMiddleware):
    """The middleware of requests that nobody works on: in place of a view's answer there is a problem."""

    def __init__(self) -> None:
        super().__init__(refuse)

    def make_answer(self, environ: dict[str, Any], code: str, detail: str) -> HttpResponseBase:
        """The problem, as the answer to the request that has this environ."""
        return self(WSGIRequest({**environ, "ledger.refusal": (code, detail)}))

    def _answer(self, request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
        return super()._answer(request, ResolverMatch(refuse, (), {}, route=match.route))


def refuse(request: HttpRequest) -> HttpResponseBase:
    return make_problem(request, *request.META["ledger.refusal"])

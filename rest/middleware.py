"""What every request passes first: its id, its log line, its metrics; and requests of the API nothing else.

A request whose address `rest.addresses` knows goes to its view at once; Django's middlewares, which the pages
of the back office need, see the others. What they would add to an answer of the API is asked of them once.
ADR 14 says what is passed by, and why.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import structlog
import uuid_utils
from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch
from django.utils.functional import LazyObject

from rest import log, metrics
from rest.addresses import find_address

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Headers = dict[str, tuple[str, str]]  # by their names in lower case, as Django keeps them

accepted = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
HOSTS_MAX = 100
SERVER_ERROR = 500

logger = structlog.get_logger(__name__)


class RequestMiddleware:
    """Takes the caller's `X-Request-Id` when it is harmless, else makes one; logs and counts the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.hosts: set[str] = set()  # that were found allowed
        self.headers = find_headers(HttpRequest())
        self.headers_over_tls = find_headers(RequestOverTLS())
        self.tls_matters = self.headers != self.headers_over_tls
        self.is_quiet = settings.LOG_LEVEL not in ("DEBUG", "INFO")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        meta = request.META
        request_id = meta.get("HTTP_X_REQUEST_ID")
        if request_id is None or not accepted(request_id):
            request_id = meta["HTTP_X_REQUEST_ID"] = str(uuid_utils.uuid4())
        known: dict[str, Any] = {"request_id": request_id}
        before = log.current.set(known)
        try:
            match = find_address(request.path_info)
            response = self._answer(request, match) if match else self.get_response(request)
        finally:
            log.current.reset(before)
        response.headers._store["x-request-id"] = ("X-Request-Id", request_id)
        if response.streaming:
            watch_stream(response, known)  # type: ignore[arg-type]
        status = response.status_code
        if not self.is_quiet or status >= SERVER_ERROR:
            log.write(
                {
                    "code": status,
                    "request": f"{request.method} {request.path}",  # not the query, whatever is in it
                    "event": "request_finished",
                    "user_id": find_user_id(request),
                    **known,
                    "level": "info" if status < SERVER_ERROR else "error",
                    "timestamp": datetime.now(UTC),
                }
            )
        metrics.count(request.method, request.resolver_match, status, perf_counter() - started)
        return response

    def _answer(self, request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
        """The view's answer, or that of Django's handlers for what was raised before there was a view."""
        request.resolver_match = match
        try:
            if request.META.get("HTTP_HOST") not in self.hosts:
                self._require_host(request)
            response: HttpResponseBase = match.func(request, **match.kwargs)
            if not getattr(response, "is_rendered", True):
                response = response.render()  # type: ignore[attr-defined]
        except Exception as error:
            response = response_for_exception(request, error)
        over_tls = self.tls_matters and request.is_secure()
        added = self.headers_over_tls if over_tls else self.headers
        response.headers._store = kept = {**added, **response.headers._store}
        if not response.streaming and "content-length" not in kept:
            kept["content-length"] = ("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
        return response

    def _require_host(self, request: HttpRequest) -> None:
        """As `CommonMiddleware` does. Raises `DisallowedHost`; a host that is allowed is remembered."""
        request.get_host()
        host = request.META.get("HTTP_HOST")
        if host is not None and not settings.USE_X_FORWARDED_HOST and len(self.hosts) < HOSTS_MAX:
            self.hosts.add(host)


class RequestOverTLS(HttpRequest):
    def _get_scheme(self) -> str:
        return "https"


def find_headers(request: HttpRequest) -> Headers:
    """What Django's own middlewares add to every answer, whatever it is."""
    answer = HttpResponse()
    del answer["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda request: answer).process_response(request, answer)
    return dict(answer.headers._store)


def watch_stream(response: StreamingHttpResponse, known: dict[str, Any]) -> None:
    """What fails while an answer is sent is logged like what fails before."""
    pieces = response.streaming_content

    def watched() -> Iterator[bytes]:
        try:
            yield from pieces  # type: ignore[misc]
        except Exception:
            logger.exception("streaming_failed", **known)
            raise
        logger.info("streaming_finished", **known)

    response.streaming_content = watched()


def find_user_id(request: HttpRequest) -> str | None:
    """Who asked, if somebody wanted to know: a session is not looked up for a log line."""
    user = request.__dict__.get("user")
    if isinstance(user, LazyObject):
        user = request.__dict__.get("_cached_user")
    id = None if user is None else user.pk
    return None if id is None else str(id)


def get_request_id(request: HttpRequest) -> str:
    request_id: str = request.META["HTTP_X_REQUEST_ID"]
    return request_id

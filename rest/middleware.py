"""What every request passes first: a sound connection, its id, its log line and its metrics; and requests of
the API nothing else.

A request whose address is in the table of the API's goes to its view at once; Django's middlewares, which the
pages of the back office need, see the others. What they would add to an answer of the API is asked of them
once. ADR 14 says what is passed by, and why.
"""

import json
import re
import select
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from time import perf_counter
from typing import Any, cast
from uuid import UUID

import orjson
import uuid_utils
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.exception import response_for_exception
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, URLPattern, get_resolver
from django.utils.functional import LazyObject
from prometheus_client import Counter, Histogram

from ledger import traces
from ledger.callers import Caller
from ledger.values import UUID_TEXT
from rest import API, PROBES, log
from rest.requests_log import SERVER_ERROR, find_level, find_path, watch_stream

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Headers = dict[str, tuple[str, str]]  # by their names in lower case, as Django keeps them
Addresses = dict[str, ResolverMatch]

accepted = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
is_id = UUID_TEXT.fullmatch
ID_LENGTH = 36
HOSTS_MAX = 100
# Answers of the API show money: no cache keeps them.
NOT_KEPT: Headers = {"cache-control": ("Cache-Control", "no-store")}
NO_ROUTE = "none"  # of what leads nowhere
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUESTS = Counter("ledger_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("ledger_request_seconds", "Time to answer a request.", ["method", "route"])


class Own(threading.local):
    """A thread's connection, which is found faster than by `connection`."""

    def __init__(self) -> None:
        self.wrapper = connections[DEFAULT_DB_ALIAS]


def drop_ended(wrapper: BaseDatabaseWrapper) -> None:
    """Close a connection that the server has ended, so that its next user has a new one.

    `CONN_HEALTH_CHECKS` would ask the database each time. An idle connection has nothing to read unless it
    has ended, which costs one `poll`.
    """
    if wrapper.connection is not None and not wrapper.in_atomic_block:
        poll = select.poll()
        poll.register(wrapper.connection.fileno(), select.POLLIN)
        if poll.poll(0):
            wrapper.close()


def look_after_connections(get_response: GetResponse) -> GetResponse:
    """Middleware, for threads that own connections: an ended one is made anew, an old or broken one closed.

    The latter is what Django's signals do for pages; requests of the API send none. Where a thread has no
    connection there is nothing to do. The server's threads borrow theirs of a pool, which looks after them.
    """
    if settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"].get("pool"):
        raise MiddlewareNotUsed
    own = Own()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        wrapper = own.wrapper
        drop_ended(wrapper)
        response = get_response(request)
        if wrapper.connection is not None and not wrapper.in_atomic_block:
            wrapper.close_if_unusable_or_obsolete()
        return response

    return middleware


class RequestMiddleware:
    """Takes the caller's `X-Request-Id` when it is harmless, else makes one; logs and counts the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.hosts: set[str] = set()  # that were found allowed
        self.headers = find_headers(HttpRequest()) | NOT_KEPT
        self.headers_over_tls = find_headers(RequestOverTLS()) | NOT_KEPT
        self.tls_matters = self.headers != self.headers_over_tls
        self.levels = log.list_levels(settings.LOG_LEVEL)  # of the lines that are written

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        sent = request.META.get("HTTP_TRACEPARENT")
        trace = None if sent is None else traces.read(sent)
        request_id = request.META.get("HTTP_X_REQUEST_ID")
        if request_id is None or not accepted(request_id):
            request_id = (trace and trace.request_id) or str(uuid_utils.uuid4())
            request.META["HTTP_X_REQUEST_ID"] = request_id
        known = {"request_id": request_id}
        if trace:
            known["trace_id"] = trace.id
        before = log.current.set(known)
        try:
            match = find_address(request.path_info)
            response = self._answer(request, match) if match else self.get_response(request)
        finally:
            log.current.reset(before)
        response.headers._store["x-request-id"] = ("X-Request-Id", request_id)
        if response.streaming:
            watch_stream(response, known)  # type: ignore[arg-type]
        status, seconds = response.status_code, perf_counter() - started
        found = request.resolver_match
        route = found.route if found else NO_ROUTE
        is_usual = match and status < SERVER_ERROR and request.path_info not in PROBES
        level = "info" if is_usual else find_level(request, response)
        if level in self.levels:
            length = response.headers._store.get("content-length")
            actor, actor_kind = find_actor(request)
            line = {
                "event": "request_finished",
                "method": request.method if request.method in METHODS else "OTHER",
                "route": route,
                # A path of the API's table has ids in it and nothing else that a sender could choose.
                "path": request.path if match else find_path(request, status),
                "status": status,
                "duration_ms": int(seconds * 100_000) / 100,  # `round` takes three times as long
                "bytes": int(length[1]) if length else None,
                "actor": actor,
                "actor_kind": actor_kind,
                **known,
                **getattr(response, "log_facts", {}),
                "level": level,
                "timestamp": datetime.now(UTC),
            }
            write_line(line)
        count(request.method, route, status, seconds)
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
        added = self.headers_over_tls if self.tls_matters and request.is_secure() else self.headers
        response.headers._store = kept = {**added, **response.headers._store}
        if not response.streaming and "content-length" not in kept:
            kept["content-length"] = ("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
        return response

    def _require_host(self, request: HttpRequest) -> None:
        """As `CommonMiddleware` does. Raises `DisallowedHost`; a host that is allowed is remembered."""
        if request.path_info in PROBES:
            return
        request.get_host()
        host = request.META.get("HTTP_HOST")
        if host is not None and not settings.USE_X_FORWARDED_HOST and len(self.hosts) < HOSTS_MAX:
            self.hosts.add(host)


def find_address(path: str) -> ResolverMatch | None:
    """What Django's resolver would find for a probe or a path of the API; None for all that it shall find
    itself."""
    fixed, of_members = _read_addresses()
    if not path.startswith(API):
        return fixed.get(path)
    collection, slash, member = path[len(API) :].partition("/")
    if not slash or len(member) < ID_LENGTH:
        return fixed.get(path)
    id = member[:ID_LENGTH]
    known = of_members.get(f"{API}{collection}/{member[ID_LENGTH:]}")
    if known is None or not is_id(id):
        return None
    kwargs = {"pk": UUID(id)}
    match = object.__new__(ResolverMatch)
    match.__dict__ = {**known.__dict__, "kwargs": kwargs, "captured_kwargs": kwargs}
    return match


@cache
def _read_addresses() -> tuple[Addresses, Addresses]:
    """The paths that are fixed, and those with an id in them, which is left out of theirs."""
    fixed: Addresses = {}
    of_members: Addresses = {}
    for pattern in get_resolver().url_patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLPattern) and (f"/{route}".startswith(API) or f"/{route}" in PROBES):
            match = ResolverMatch(pattern.callback, (), {}, route=route, captured_kwargs={})
            before, id, after = route.partition("<id:pk>")
            (of_members if id else fixed).setdefault(f"/{before}{after}", match)
    return fixed, of_members


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


def find_actor(request: HttpRequest) -> tuple[str | None, str | None]:
    """Who asked and as what, if somebody wanted to know: a session is not looked up for a log line."""
    user = request.__dict__.get("user")
    if isinstance(user, LazyObject):
        user = request.__dict__.get("_cached_user")
    if user is None or user.id is None:
        return None, None
    return str(user.id), user.kind


def write_line(line: dict[str, Any]) -> None:
    """One line of JSON on stderr; times in it are aware."""
    try:
        text = orjson.dumps(line, None, orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode()
    except TypeError:  # half of a surrogate pair somewhere
        text = json.dumps(line, default=str) + "\n"
    sys.stderr.write(text)


def count(method: str | None, route: str, status: int, seconds: float) -> None:
    """A caller chooses paths and methods; labels are ours, so that their number stays small."""
    requests, request_seconds = _find_counters(method if method in METHODS else "OTHER", route, status)
    requests.inc()
    request_seconds.observe(seconds)


@lru_cache(maxsize=2048)
def _find_counters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The counters of these labels, which take a while to look up."""
    return (
        REQUESTS.labels(method=method, route=route, status=status),
        REQUEST_SECONDS.labels(method=method, route=route),
    )


def get_request_id(request: HttpRequest) -> str:
    return str(request.META["HTTP_X_REQUEST_ID"])


def get_caller(request: HttpRequest) -> Caller:
    """Who asks for something, on a page that only users see."""
    user: Any = request.user
    return Caller(user.pk, user.kind, get_request_id(request))


def get_caller_id(request: HttpRequest) -> UUID:
    """Who asks, on a page that only users see."""
    return cast(UUID, request.user.pk)

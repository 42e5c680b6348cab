"""Answers that are JSON already, and waiting for them without holding anybody up.

The server answers the hot requests on one thread, each in a greenlet of its own. Such a request that waits,
for a group that answers many requests or for the database, is set aside, and the thread goes on with others.
Everywhere else the thread waits.
"""

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from http.cookies import SimpleCookie
from typing import Any, NamedTuple, TypeVar

import orjson
from django.db import close_old_connections, connections
from django.http import HttpResponse
from django.http.response import ResponseHeaders
from django.utils.http import http_date
from greenlet import getcurrent, greenlet

Result = TypeVar("Result")
AnyResponse = TypeVar("AnyResponse", bound=HttpResponse)


class Answer(HttpResponse):
    """A response of JSON bytes.

    It behaves as Django's does and is made in a tenth of the time: what `HttpResponse.__init__` finds out
    of its arguments is known here, and cookies, which the API has none of, are made when asked for.
    """

    cookies = cached_property(lambda answer: SimpleCookie())
    log_facts: Mapping[str, str] = {}  # what the request's log line says of its outcome

    def __init__(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.headers = ResponseHeaders({})
        self.headers._store["content-type"] = ("Content-Type", "application/json")
        self._charset = None
        self._resource_closers: list[Any] = []
        self._handler_class = None
        self._reason_phrase = None
        self.closed = False
        self.status_code = status
        self._container = [body]
        for name, value in headers.items() if headers else ():
            self.headers[name] = value


def answer(resource: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer that shows the resource: dicts, lists, texts, whole numbers, and `orjson.Fragment`s."""
    return Answer(orjson.dumps(resource), status, headers)


def mark(response: AnyResponse, *, replayed: bool) -> AnyResponse:
    """The response; of a replay it says so."""
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response


class Deprecation(NamedTuple):
    """Since when an operation is not to be used any more, from when on it may be gone, and what to use."""

    since: datetime
    until: datetime
    instead: str

    def to_headers(self) -> dict[str, str]:
        """Of RFC 9745, 8594 and 8288."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": http_date(self.until.timestamp()),
            "Link": f'<{self.instead}>; rel="successor-version"',
        }


def tag(response: AnyResponse, etag: str) -> AnyResponse:
    """The response, which shows something that `PATCH` changes: its ETag is of what that can change."""
    response["ETag"] = f'"{etag}"'
    return response


# These threads ask the database for requests in greenlets: seldom, so there are two.
_asking = ThreadPoolExecutor(2, thread_name_prefix="ask")
_being_asked: dict[Hashable, Future[Any]] = {}


class RequestGreenlet(greenlet):
    """A request that may be set aside. `switch` gives the `Future` that it waits for, until it is dead."""


def wait_for(future: "Future[Result]") -> Result:
    """The future's result; raises what it raises."""
    current = getcurrent()
    if isinstance(current, RequestGreenlet) and current.parent and not future.done():
        current.parent.switch(future)
    return future.result()


def ask(question: Callable[..., Result], *arguments: Any) -> Result:
    """The answer of a function that asks the database. In a greenlet another thread asks."""
    if not isinstance(getcurrent(), RequestGreenlet):
        return question(*arguments)
    return wait_for(_asking.submit(_ask, question, arguments))


def ask_once(question: Callable[..., Result], *arguments: Any) -> Result:
    """As `ask`; who asks the same thing meanwhile gets the same answer."""
    key = (question, arguments)
    own: Future[Result] = Future()
    shared: Future[Result] = _being_asked.setdefault(key, own)
    if shared is own:
        try:
            own.set_result(ask(question, *arguments))
        except BaseException as error:
            own.set_exception(error)
        finally:
            del _being_asked[key]
    return wait_for(shared)


def _ask(question: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    try:
        return question(*arguments)
    finally:
        close_old_connections()  # gives it back to the pool


def lend_connections() -> None:
    """Give the thread's connections back to the pool, except one that is in a transaction."""
    for wrapper in connections.all(initialized_only=True):
        if not wrapper.in_atomic_block:
            wrapper.close_if_unusable_or_obsolete()

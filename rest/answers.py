"""Answers that are JSON already, and the mark of those that were given before."""

from collections.abc import Mapping
from functools import cached_property
from http.cookies import SimpleCookie
from typing import Any, TypeVar

import orjson
from django.http import HttpResponse
from django.http.response import ResponseHeaders

JSON = ("Content-Type", "application/json")
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
        self.headers._store["content-type"] = JSON
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

"""Requests on their way in: as WSGI has them, out of what granian knows; what the server answers itself; and
their bodies, read whole before anybody works on them, within limits of size and time.
"""

import asyncio
import sys
import time
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponseBase
from django.urls import ResolverMatch

from rest.errors import make_problem
from rest.middleware import RequestMiddleware

NAMES_MAX, NAME_LENGTH_MAX = 1000, 64  # callers choose names; this many are remembered
# In place of a header value that is not ASCII, which granian does not show: nobody takes it for a good one.
UNREADABLE = "\xff"
LOOK_SECONDS = 0.5  # between two looks at the clock, while bodies are being read

_keys: dict[str, str] = {}  # of headers, by their names


def make_environ(scope: Any) -> dict[str, Any]:
    """The environ of an RSGI scope, with an empty body."""
    path, headers = scope.path, scope.headers
    server_name, _, server_port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path if path.isascii() else path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    readable = headers.items()
    for name, value in readable:
        key = _keys.get(name) or _make_key(name)
        if key in environ:
            # Two lines are one list (RFC 9110), which a key is not.
            between = "; " if key == "HTTP_COOKIE" else UNREADABLE if key == "HTTP_IDEMPOTENCY_KEY" else ","
            value = f"{environ[key]}{between}{value}"
        environ[key] = value
    if len(headers.keys()) != len(dict(readable)):
        for name in set(headers.keys()).difference(name for name, _ in readable):
            environ[_make_key(name)] = UNREADABLE
    return environ


def _make_key(name: str) -> str:
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = "HTTP_" + key
    if "_" in name:
        key = "ledger.ambiguous"  # as every WSGI server has it: `_` could pass for `-`
    if len(_keys) < NAMES_MAX and len(name) <= NAME_LENGTH_MAX:
        _keys[name] = key
    return key


class Refused(Exception):
    """The server does not work on the request. Its arguments are the code and the detail of the problem, and
    in how many seconds the same may be sent again, if the code does not say that."""


class Refusals(RequestMiddleware):
    """The middleware of requests that nobody works on: in place of a view's answer there is a problem, with a
    log line, an id, metrics and headers as every other answer has them."""

    def __init__(self) -> None:
        super().__init__(refuse)

    def make_answer(
        self, environ: dict[str, Any], code: str, detail: str | None = None, retry_after: str | None = None
    ) -> HttpResponseBase:
        """The problem, as the answer to the request that has this environ."""
        answer = self(WSGIRequest({**environ, "ledger.refusal": (code, detail)}))
        if retry_after is not None:
            answer.headers["Retry-After"] = retry_after
        return answer

    def _answer(self, request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
        return super()._answer(request, ResolverMatch(refuse, (), {}, route=match.route))


def refuse(request: HttpRequest) -> HttpResponseBase:
    return make_problem(request, *request.META["ledger.refusal"])


class Bodies:
    """The bodies that a worker is reading. Called by the loop's thread only.

    Together they have `BODIES_BYTES_MAX` bytes, counted by what they say they have. Who comes when there is
    no room ends the reading of the oldest: a body that is on its way is there in a moment, so the oldest is
    the slowest, and however many are left unfinished, others are read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.reading: dict[Any, tuple[float, int]] = {}  # until when, and how many bytes; oldest first
        self.bytes = 0
        self.is_watching = False

    async def read(self, proto: Any, length: int) -> bytes:
        """The body, which has `length` bytes.

        Raises `Refused` if it was not there in its time, or had to make room for others; granian's
        `ProtocolClosed` if the client goes.
        """
        while self.reading and self.bytes + length > settings.BODIES_BYTES_MAX:
            self._end(next(iter(self.reading)))
        body: asyncio.Future[bytes] = proto()
        deadline = time.monotonic() + settings.BODY_SECONDS + length / settings.BODY_BYTES_PER_SECOND
        self.reading[body] = deadline, length
        self.bytes += length
        if not self.is_watching:
            self._watch()
        try:
            return await body
        except asyncio.CancelledError:
            raise Refused("request_timeout", "The body did not arrive in time.") from None
        finally:
            self._forget(body)

    def _watch(self) -> None:
        """End what has had its time, now and then, as long as there is something to read."""
        now = time.monotonic()
        for body in [body for body, (deadline, _) in self.reading.items() if deadline < now]:
            self._end(body)
        self.is_watching = bool(self.reading)
        if self.is_watching:
            self.loop.call_later(LOOK_SECONDS, self._watch)

    def _end(self, body: Any) -> None:
        self._forget(body)
        body.cancel()

    def _forget(self, body: Any) -> None:
        self.bytes -= self.reading.pop(body, (0.0, 0))[1]

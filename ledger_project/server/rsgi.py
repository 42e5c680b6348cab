"""What granian's workers run: one loop that reads requests whole, and lanes that answer them.

Bodies are read by the loop before anybody works on a request, within limits of size and time, so that a slow
client holds nothing but its connection. Payments and hot reads are answered on the loop's own thread, each in
a greenlet that is set aside while it waits for its group; everything else by the threads of its lane.
"""

import asyncio
import io
import sys
import time
from collections import deque
from concurrent.futures import Future
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from granian.rsgi import ProtocolClosed

from ledger_project.server.lanes import Lane, Lanes
from ledger_project.server.long_answers import LongAnswers
from ledger_project.wsgi import application as wsgi
from rest.answers import Answer
from rest.errors import make_problem
from rest.middleware import RequestMiddleware
from rest.waiting import RequestGreenlet
from transactions.posting import committer
from transactions.reading import shared

BODY_SECONDS, BODY_BYTES_PER_SECOND = 10, 32 * 1024  # a slow uplink is no attacker
BODIES_MAX = 64 * 1024 * 1024  # bytes of all bodies that are being read
TICK_SECONDS = 0.5
ENVIRON = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class NotNow(Exception):
    """Nobody works on the request. A code and what it means."""


BUSY = NotNow("busy", "The ledger has too much to do at this moment. Send the same again.")


class Refusing(RequestMiddleware):
    """Answers what nobody works on: with a log line, an id and metrics as every other request."""

    def _answer(self, request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
        return self.get_response(request)


def refuse(environ: dict[str, Any], code: str, detail: str) -> HttpResponseBase:
    return Refusing(lambda request: make_problem(request, code, detail))(WSGIRequest(environ))


class Application:
    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.lanes = Lanes()
        self.names: dict[str, str] = {}  # of headers, as WSGI writes them
        self.long_answers = LongAnswers(loop)
        self.reading: dict[Any, float] = {}  # bodies that are being read, and until when
        self.receiving = 0  # bytes of them
        self.ready: deque[asyncio.Future[None]] = deque()
        self.is_waking = False
        committer.start()
        shared.start()
        loop.call_soon(self.tick)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        committer.stop()
        shared.stop()

    def tick(self) -> None:
        """End the reading of bodies whose time is over."""
        now = time.monotonic()
        for body in [body for body, deadline in self.reading.items() if deadline < now]:
            body.cancel()
        self.loop.call_later(TICK_SECONDS, self.tick)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        method, path, query = scope.method, scope.path, scope.query_string
        lane = self.lanes.choose(method, path, query)
        environ = self.make_environ(scope, method, path, query)
        caller = environ.get("HTTP_AUTHORIZATION") or environ["REMOTE_ADDR"]
        try:
            self.require_room(lane, caller)
            length = environ.get("CONTENT_LENGTH", "0")
            # A body without a length, or one that is too long, is refused by who would read it.
            if length != "0" and length.isdecimal() and int(length) <= lane.body_max:
                environ["wsgi.input"] = io.BytesIO(await self.read_body(proto, int(length)))
                self.require_room(lane, caller)  # while it came others may have come as well
            else:
                environ["wsgi.input"] = io.BytesIO()
        except ProtocolClosed:
            return  # the client has gone
        except NotNow as refusal:
            self.send(proto, refuse(environ, *refusal.args))
            return
        lane.enter(caller)
        try:
            if lane.pool is None:
                await self.answer_on_loop(environ, proto)
            else:
                await self.until_done(lane.pool.submit(self.answer_in_thread, environ, proto))
        finally:
            lane.leave(caller)

    def require_room(self, lane: Lane, caller: str) -> None:
        if lane.is_full(caller) or (lane is self.lanes.statements and not self.long_answers.has_room()):
            raise BUSY

    async def read_body(self, proto: Any, length: int) -> bytes:
        if self.receiving + length > BODIES_MAX:
            raise BUSY
        body = proto()
        self.reading[body] = time.monotonic() + BODY_SECONDS + length / BODY_BYTES_PER_SECOND
        self.receiving += length
        try:
            read: bytes = await body
            return read
        except asyncio.CancelledError:
            raise NotNow("request_timeout", "The body did not arrive in time.") from None
        finally:
            self.receiving -= length
            del self.reading[body]

    async def answer_on_loop(self, environ: dict[str, Any], proto: Any) -> None:
        request = RequestGreenlet(wsgi.handle)
        answer = request.switch(WSGIRequest(environ))
        while not request.dead:
            await self.until_done(answer)
            answer = request.switch()
        self.send(proto, answer)

    def answer_in_thread(self, environ: dict[str, Any], proto: Any) -> None:
        try:
            self.send(proto, wsgi.handle(WSGIRequest(environ)))
        finally:
            close_old_connections()  # gives it back to the pool

    def until_done(self, answer: "Future[Any]") -> "asyncio.Future[None]":
        """What to await until another thread has the answer. The loop is woken once for all of a group."""
        waiter: asyncio.Future[None] = self.loop.create_future()
        answer.add_done_callback(lambda _: self.wake(waiter))
        return waiter

    def wake(self, waiter: "asyncio.Future[None]") -> None:
        self.ready.append(waiter)
        if not self.is_waking:
            self.is_waking = True
            self.loop.call_soon_threadsafe(self.go_on)

    def go_on(self) -> None:
        self.is_waking = False
        while self.ready:
            waiter = self.ready.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def make_environ(self, scope: Any, method: str, path: str, query: str) -> dict[str, Any]:
        """The request as WSGI has it, without its body."""
        environ: dict[str, Any] = ENVIRON.copy()
        environ["REQUEST_METHOD"], environ["QUERY_STRING"] = method, query
        environ["PATH_INFO"] = path if path.isascii() else path.encode().decode("latin-1")
        environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0].strip("[]")
        environ["SERVER_NAME"], _, environ["SERVER_PORT"] = scope.server.rpartition(":")
        environ["wsgi.url_scheme"] = scope.scheme
        names = self.names
        for name, value in scope.headers.items():
            key = names.get(name)
            if key is None:
                key = self.name_header(name)
            if key in environ:
                value = f"{environ[key]}{';' if key == 'HTTP_COOKIE' else ','}{value}"
            environ[key] = value
        return environ

    def name_header(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        if "_" in name:
            key = "ledger.ambiguous"  # as every WSGI server has it: `_` could pass for `-`
        if len(self.names) < 1000:
            self.names[name] = key
        return key

    def send(self, proto: Any, response: HttpResponseBase) -> None:
        headers = list(response.headers.items())
        if "cookies" in vars(response):
            headers += [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        if isinstance(response, StreamingHttpResponse):
            self.long_answers.send(proto, response, headers)
        elif isinstance(response, HttpResponse):
            proto.response_bytes(response.status_code, headers, response.content)
            if not isinstance(response, Answer):
                response.close()


application = Application()

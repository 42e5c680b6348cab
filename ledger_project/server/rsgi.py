"""What granian's workers run: one loop that reads requests whole, and lanes that answer them.

Bodies are read by the loop before anybody works on a request, within limits of size and time, so that a slow
client holds nothing but its connection. Payments and hot reads are answered on the loop's own thread, each in
a greenlet that is set aside while it waits for its group; everything else by the threads of its lane.
"""

import asyncio
import io
import sys
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import structlog
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from ledger_project.server.lanes import Lane, choose_lane, make_lanes
from ledger_project.server.long_answers import LongAnswers
from ledger_project.server.requests import Bodies, Refusals, Refused, make_environ
from ledger_project.wsgi import application as wsgi
from rest.answers import Answer, RequestGreenlet
from transactions.posting import committer
from transactions.reading import shared

logger = structlog.get_logger(__name__)


class Application:
    """A worker's. What is called from outside its loop's thread says so."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # In seconds: so often a thread that reckons leaves the interpreter to others. Payments, which ask for
        # it many times each, are not to wait Python's usual 5 ms every time while somebody makes a long
        # statement.
        sys.setswitchinterval(0.0005)
        self.loop = loop
        self.lanes = make_lanes()
        self.refusals = Refusals()
        self.bodies = Bodies(loop)
        self.long_answers = LongAnswers(loop)
        self.ready: deque[asyncio.Future[None]] = deque()
        self.is_waking = False
        committer.start()
        shared.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        committer.stop()
        shared.stop()

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        lane = self.lanes[choose_lane(scope.method, scope.path, scope.query_string)]
        environ = make_environ(scope)
        caller = environ.get("HTTP_AUTHORIZATION") or environ["REMOTE_ADDR"]
        with suppress(ProtocolClosed):  # the client has gone
            try:
                self.require_place(lane, caller)
                length = environ.get("CONTENT_LENGTH", "0")
                # A body without a length, or one that is too long, is refused by who would read it.
                if length != "0" and length.isdecimal() and int(length) <= lane.body_max:
                    environ["wsgi.input"] = io.BytesIO(await self.bodies.read(proto, int(length)))
                    self.require_place(lane, caller)  # while the body came others may have come as well
            except Refused as refused:
                self.send(proto, self.refusals.make_answer(environ, *refused.args))
                return
            lane.enter(caller)
            try:
                if lane.pool is None:
                    await self.answer_on_loop(environ, proto)
                else:
                    await self.until_done(lane.pool.submit(self.answer_in_thread, environ, proto))
            finally:
                lane.leave(caller)

    def require_place(self, lane: Lane, caller: str) -> None:
        """Raise `Refused` if the lane has no place for the caller, or a statement no room for its file."""
        if (lane.name == "statements" and not self.long_answers.has_room()) or not lane.has_place(caller):
            raise Refused("busy", "The ledger has too much to do at this moment. Send the same again.")

    async def answer_on_loop(self, environ: dict[str, Any], proto: Any) -> None:
        request = RequestGreenlet(wsgi.handle)
        answer = request.switch(WSGIRequest(environ))
        while not request.dead:
            await self.until_done(answer)
            answer = request.switch()
        self.send(proto, answer)

    def answer_in_thread(self, environ: dict[str, Any], proto: Any) -> None:
        """Called by a thread of a lane."""
        try:
            self.send(proto, wsgi.handle(WSGIRequest(environ)))
        except ProtocolClosed:
            pass
        except Exception:  # of an answer that is made while it is sent; nothing of it has gone yet
            logger.exception("answer_failed", request_id=environ.get("HTTP_X_REQUEST_ID"))
            self.send(proto, self.refusals.make_answer(environ, "internal_error"))
        finally:
            close_old_connections()  # gives it back to the pool

    def until_done(self, answer: "Future[Any]") -> "asyncio.Future[None]":
        """What to await until another thread has the answer. The loop is woken once for all of a group."""
        waiter: asyncio.Future[None] = self.loop.create_future()
        answer.add_done_callback(lambda _: self.wake(waiter))
        return waiter

    def wake(self, waiter: "asyncio.Future[None]") -> None:
        """Called by the thread that has the answer."""
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

    def send(self, proto: Any, response: HttpResponseBase) -> None:
        """Called by the loop's thread or a lane's; what is made while it is sent, by a lane's only."""
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

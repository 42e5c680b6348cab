"""What granian's workers run: one loop that reads requests whole, and lanes that answer them.

Bodies are read by the loop before anybody works on a request, within limits of size and time, so that a slow
client holds nothing but its connection. Payments and hot reads are answered on the loop's own thread, each in
a greenlet that is set aside while it waits for its group; everything else by the threads of its lane.
"""

import asyncio
import io
import os
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Any

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import Error, close_old_connections, connection
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.middleware.gzip import GZipMiddleware
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from ledger_project.server.lanes import REFUSED, Lane, choose_lane, make_lanes
from ledger_project.server.rates import Rates, write_seconds
from ledger_project.server.requests import Bodies, Refusals, Refused, make_environ
from ledger_project.wsgi import application as wsgi
from rest import API
from rest.answers import Answer, RequestGreenlet
from rest.viewsets import known_tokens
from transactions.posting import committer
from transactions.reading import balances

from accounts import tokens  # isort: skip, once Django is set up

MEMORY_MAX = 1024 * 1024  # a shorter answer is sent from memory
OPENED_AFTER_SECONDS = 5  # granian has opened the file by then, and it can be closed here
COUNT_SECONDS = 0.5
USES_SECONDS = 60
SHOW_SECONDS = 1.0
OPEN_FILES = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"

COMPRESSION = GZipMiddleware(lambda request: HttpResponse())  # of what is long, for who can read it

logger = structlog.get_logger(__name__)


class LongAnswers:
    """Answers that are made piece by piece. A long one becomes a file, which granian sends as fast as its
    reader takes it: a slow reader holds neither a thread nor memory.

    The files have no names: they are gone with the last who has opened them, however that one ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.bytes = 0  # of the files that somebody makes or reads still, when they were counted last
        self.is_counting = False
        settings.VAR.mkdir(parents=True, exist_ok=True)

    def has_room(self) -> bool:
        """Whether one more file may be made."""
        return bool(self.bytes < settings.LONG_ANSWERS_BYTES_MAX)

    def send(self, proto: Any, response: StreamingHttpResponse, headers: list[tuple[str, str]]) -> None:
        """Called by a thread of a lane."""
        pieces: Iterator[bytes] = iter(response)
        start = bytearray()
        with closing(response):
            for piece in pieces:
                start += piece
                if len(start) > MEMORY_MAX:
                    break
            else:
                proto.response_bytes(response.status_code, headers, bytes(start))
                return
            file = tempfile.TemporaryFile(dir=settings.VAR)  # noqa: SIM115, granian opens it a little later
            self.loop.call_soon_threadsafe(self._count)
            try:
                file.write(start)
                file.writelines(pieces)
                file.flush()
            except BaseException:
                file.close()
                raise
        proto.response_file(response.status_code, headers, f"{OPEN_FILES}/{file.fileno()}")
        self.loop.call_soon_threadsafe(self.loop.call_later, OPENED_AFTER_SECONDS, file.close)

    def _count(self) -> None:
        """Count the bytes again and again while there are any files; in a thread, since the server may have
        many files open."""
        if not self.is_counting:
            self.is_counting = True
            self.loop.run_in_executor(None, self._count_bytes)

    def _count_bytes(self) -> None:
        sizes = {}
        for name in os.listdir(OPEN_FILES):
            try:
                if os.readlink(f"{OPEN_FILES}/{name}").startswith(f"{settings.VAR}/#"):
                    found = os.stat(f"{OPEN_FILES}/{name}")
                    sizes[found.st_ino] = found.st_size
            except OSError:  # closed meanwhile
                continue
        self.bytes = sum(sizes.values())
        self.loop.call_soon_threadsafe(self._count_again, bool(sizes))

    def _count_again(self, are_any: bool) -> None:
        self.is_counting = False
        if are_any:
            self.loop.call_later(COUNT_SECONDS, self._count)


def write_uses() -> None:
    """Write when tokens were used last, on a connection that is given back. What was not written is lost with
    the database: the next use is noted again."""
    try:
        tokens.note_uses(known_tokens.take_uses())
    except Error as error:
        logger.warning("uses_of_tokens_not_written", error=str(error).strip())
    finally:
        connection.close()


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
        self.rates = Rates(settings.RATE_LIMIT) if settings.RATE_LIMIT else None
        self.bodies = Bodies(loop)
        self.long_answers = LongAnswers(loop)
        self.ready: deque[asyncio.Future[None]] = deque()
        self.is_waking = False
        committer.start()
        balances.sharing.start()
        loop.call_later(USES_SECONDS, self.note_uses)
        self.show_lanes()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        committer.stop()
        balances.sharing.stop()
        write_uses()
        if settings.TRACING:
            from ledger_project import tracing

            tracing.flush()

    def show_lanes(self) -> None:
        """Once a second: what it would cost each request to say."""
        for lane in self.lanes.values():
            lane.show()
        self.loop.call_later(SHOW_SECONDS, self.show_lanes)

    def note_uses(self) -> None:
        """Once a minute: have another thread write which tokens were used; nothing, if none was."""
        if known_tokens.used:
            self.loop.run_in_executor(None, write_uses)
        self.loop.call_later(USES_SECONDS, self.note_uses)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        lane = self.lanes[choose_lane(scope.method, scope.path, scope.query_string)]
        environ = make_environ(scope)
        caller = environ.get("HTTP_AUTHORIZATION") or environ["REMOTE_ADDR"]
        with suppress(ProtocolClosed):  # the client has gone
            try:
                if self.rates is not None and scope.path.startswith(API):
                    self.require_rate(self.rates, caller)
                self.require_place(lane, caller)
                length = environ.get("CONTENT_LENGTH", "0")
                # A body without a length, or one that is too long, is refused by who would read it.
                if length != "0" and length.isdecimal() and int(length) <= lane.body_max:
                    environ["wsgi.input"] = io.BytesIO(await self.bodies.read(proto, int(length)))
                    self.require_place(lane, caller)  # while the body came others may have come as well
            except Refused as refused:
                self.send(proto, self.refusals.make_answer(environ, *refused.args), caller)
                return
            lane.enter(caller)
            try:
                if lane.pool is None:
                    await self.answer_on_loop(environ, proto, caller)
                else:
                    await self.until_done(lane.pool.submit(self.answer_in_thread, environ, proto, caller))
            finally:
                lane.leave(caller)

    def require_place(self, lane: Lane, caller: str) -> None:
        """Raise `Refused` if the lane has no place for the caller, or a statement no room for its file."""
        if (lane.name == "statements" and not self.long_answers.has_room()) or not lane.has_place(caller):
            REFUSED.labels(lane.name).inc()
            raise Refused("busy", "The ledger has too much to do at this moment. Send the same again.")

    def require_rate(self, rates: Rates, caller: str) -> None:
        """Raise `Refused` if the caller has sent too much of late."""
        if wait := rates.take(caller):
            detail = f"More than {settings.RATE_LIMIT} requests a second. Send the same again a little later."
            raise Refused("too_many_requests", detail, write_seconds(wait))

    async def answer_on_loop(self, environ: dict[str, Any], proto: Any, caller: str) -> None:
        request = RequestGreenlet(wsgi.handle)
        answer = request.switch(WSGIRequest(environ))
        while not request.dead:
            await self.until_done(answer)
            answer = request.switch()
        self.send(proto, answer, caller)

    def answer_in_thread(self, environ: dict[str, Any], proto: Any, caller: str) -> None:
        """Called by a thread of a lane."""
        try:
            request = WSGIRequest(environ)
            response = wsgi.handle(request)
            if "ETag" not in response:  # it would become a weak one, which no `If-Match` matches
                response = COMPRESSION.process_response(request, response)
            self.send(proto, response, caller)
        except ProtocolClosed:
            pass
        except Exception:  # of an answer that is made while it is sent; nothing of it has gone yet
            logger.exception("answer_failed", request_id=environ.get("HTTP_X_REQUEST_ID"))
            self.send(proto, self.refusals.make_answer(environ, "internal_error"), caller)
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

    def send(self, proto: Any, response: HttpResponseBase, caller: str) -> None:
        """Called by the loop's thread or a lane's; what is made while it is sent, by a lane's only."""
        if self.rates is not None and "Idempotency-Replayed" in response:
            self.rates.give_back(caller)
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

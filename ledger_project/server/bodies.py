"""Reading the bodies of requests whole, before anybody works on them, within limits of size and time."""

import asyncio
import time
from typing import Any

from django.conf import settings

from ledger_project.server.refusals import Refused

LOOK_SECONDS = 0.5  # between two looks at the clock, while bodies are being read


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

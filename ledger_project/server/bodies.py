"""Reading the bodies of requests whole, before anybody works on them, within limits of size and time."""

import asyncio
import time
from typing import Any

from django.conf import settings

LOOK_SECONDS = 0.5  # between two looks at the clock, while bodies are being read


class BodyTooSlow(Exception):
    """The body was not there in its time, or had to make room for others."""


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
        """The body of so many bytes. Raises `BodyTooSlow`; granian's `ProtocolClosed` if the client goes."""
        while self.reading and self.bytes + length > settings.BODIES_BYTES_MAX:
            self._end(next(iter(self.reading)))
        body = proto()
        seconds = settings.BODY_SECONDS + length / settings.BODY_BYTES_PER_SECOND
        self.reading[body] = time.monotonic() + seconds, length
        self.bytes += length
        if not self.is_watching:
            self._watch()
        try:
            whole: bytes = await body
            return whole
        except asyncio.CancelledError:
            raise BodyTooSlow from None
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
        _, length = self.reading.pop(body, (0.0, 0))
        self.bytes -= length

"""Answers that are made piece by piece. A long one becomes a file, which granian sends as fast as its reader
takes it: a slow reader holds neither a thread nor memory."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse

MEMORY_MAX = 1024 * 1024  # a shorter answer is sent from memory
OPENED_AFTER_SECONDS = 5  # granian has opened the file by then, and it can be closed here
COUNT_SECONDS = 0.5
OPEN_FILES = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


class LongAnswers:
    """The files have no names: they are gone with the last who has opened them, however that one ends."""

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

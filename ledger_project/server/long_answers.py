"""Answers that are made piece by piece. A long one becomes a file, which the server sends as fast as its
reader takes it: a slow reader holds neither a thread nor memory."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse

MEMORY_MAX = 1024 * 1024  # a shorter answer is sent from memory
OPENED_AFTER_SECONDS = 30  # the server has opened a file by then, and it can lose its name


class LongAnswers:
    """`bytes_max` is how much disk the answers take that readers have not taken yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.folder = Path(tempfile.mkdtemp(prefix="answers-", dir=settings.VAR))

    def has_room(self) -> bool:
        """Whether one more may be made."""
        return bool(self.count_bytes() < settings.LONG_ANSWERS_BYTES_MAX)

    def count_bytes(self) -> int:
        """Of the files that are open still: their names go soon, their bytes with their last reader."""
        total = 0
        for entry in os.scandir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
            try:
                if os.readlink(entry.path).startswith(f"{self.folder}/"):
                    total += entry.stat().st_size
            except OSError:  # closed meanwhile
                continue
        return total

    def send(self, proto: Any, response: StreamingHttpResponse, headers: list[tuple[str, str]]) -> None:
        pieces: Iterator[bytes] = iter(response)
        start = bytearray()
        try:
            for piece in pieces:
                start += piece
                if len(start) > MEMORY_MAX:
                    break
            else:
                proto.response_bytes(response.status_code, headers, bytes(start))
                return
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                try:
                    file.write(start)
                    for piece in pieces:
                        file.write(piece)
                except BaseException:
                    os.unlink(file.name)
                    raise
        finally:
            response.close()
        proto.response_file(response.status_code, headers, file.name)
        self.loop.call_soon_threadsafe(self._forget, file.name)

    def _forget(self, name: str) -> None:
        self.loop.call_later(OPENED_AFTER_SECONDS, os.unlink, name)

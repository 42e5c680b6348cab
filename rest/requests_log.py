"""What the log says of a request that is no everyday one of the API: probes, pages, failures, streams."""

import re
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from ledger.values import UUID_TEXT
from rest import PROBES

BAD_REQUEST, SERVER_ERROR = 400, 500
is_harmless = re.compile(rf"{UUID_TEXT.pattern}|[0-9]{{1,20}}|[0-9a-f]{{8,25}}").fullmatch

logger = structlog.get_logger(__name__)


def find_level(request: HttpRequest, response: HttpResponseBase) -> str:
    """`error` only for what somebody here must see to: not for a caller who met a lock or a full server."""
    if response.status_code >= SERVER_ERROR:
        if request.path_info in PROBES and response.status_code != SERVER_ERROR:
            return "debug"  # whoever asks knows what it means
        return "warning" if getattr(response, "log_facts", {}).get("code") == "busy" else "error"
    return "debug" if request.path_info in PROBES else "info"


def find_path(request: HttpRequest, status: int) -> str | None:
    """The path, without what only the sender knows of: its route says enough unless what else stands in it
    is an id. Never the query."""
    found = request.resolver_match
    if found is None:
        is_file = status < BAD_REQUEST and request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/")
        return request.path if is_file else None
    captured = getattr(found, "captured_kwargs", None) or {}
    return request.path if captured and all(is_harmless(str(value)) for value in captured.values()) else None


def watch_stream(response: StreamingHttpResponse, known: dict[str, str]) -> None:
    """How an answer ends that is made while it is sent: what fails is logged like what fails before."""
    pieces: Any = response.streaming_content
    started = perf_counter()

    def watched() -> Iterator[bytes]:
        sent = 0
        try:
            for piece in pieces:
                sent += len(piece)
                yield piece
        except Exception:
            logger.exception("streaming_failed", bytes=sent, **known)
            raise
        logger.info(
            "streaming_finished",
            bytes=sent,
            duration_ms=round((perf_counter() - started) * 1000, 2),
            **known,
        )

    response.streaming_content = watched()

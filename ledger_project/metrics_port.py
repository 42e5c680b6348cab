"""The relay's own port, for those who watch: /metrics, and /livez of its loop."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse

from events.relay import Relay
from ledger_project.metrics import serve_relay_metrics

SILENT_SECONDS_MAX = 60  # a round of the relay's loop takes a second; sending is done by others
READ_SECONDS_MAX = 10  # of a client that says nothing

View = Callable[[HttpRequest], HttpResponse]

logger = structlog.get_logger(__name__)


class Server(ThreadingMixIn, WSGIServer):
    """A probe is answered while the database lets a scrape wait."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("watcher_gone", exc_info=True)


class Handler(WSGIRequestHandler):
    timeout = READ_SECONDS_MAX

    def log_message(self, format: str, *args: Any) -> None:
        """Probes and scrapes have no lines."""


def livez(relay: Relay, request: HttpRequest) -> HttpResponse:
    """200 as long as the relay's loop goes round, whether or not there is a database."""
    silent = time.monotonic() - relay.beat_at
    if silent > SILENT_SECONDS_MAX:
        return JsonResponse({"status": "unavailable", "silent_seconds": round(silent)}, status=503)
    return JsonResponse({"status": "ok"})


def answer(
    views: dict[str, View],
    environ: dict[str, Any],
    start_response: Callable[..., Any],
) -> Iterable[bytes]:
    """A WSGI application of these views, by their paths."""
    try:
        request = WSGIRequest({**environ, "HTTP_X_REQUEST_ID": str(uuid4())})
        view = views.get(request.path_info)
        response = view(request) if view else HttpResponseNotFound()
    except Exception:
        logger.exception("request_failed")
        response = HttpResponse(status=500)
    finally:
        connections.close_all()  # this thread is of one request
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


def listen(relay: Relay, host: str, port: int) -> AbstractContextManager["Server"]:
    """Takes the port, and serves it while a block with the result runs. Raises `OSError`."""
    views: dict[str, View] = {"/livez": partial(livez, relay), "/metrics": serve_relay_metrics}
    server = make_server(host, port, partial(answer, views), server_class=Server, handler_class=Handler)
    return _serving(server)


@contextmanager
def _serving(server: Server) -> Iterator[Server]:
    Thread(target=server.serve_forever, name="watchers", daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()

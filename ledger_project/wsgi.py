"""The application: what answers requests, for whichever server calls it."""

import gc
import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest, get_script_name
from django.core.signals import request_started
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix
from prometheus_client import values

from rest import API

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ledger_project.settings")

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Handler(WSGIHandler):
    """Django's, but for requests of the API, which go without its signals: those look after caches, the log
    of queries, and connections, which `look_after_connections` does."""

    def handle(self, request: WSGIRequest) -> HttpResponseBase:
        """The answer, whoever is to send it.

        Who has sent it calls its `close()`, as WSGI has it; an answer of the API that is not streamed holds
        nothing and needs no closing.
        """
        if request.path_info.startswith(API):
            return self._middleware_chain(request)  # type: ignore[attr-defined,no-any-return]
        set_script_prefix(get_script_name(request.environ))
        request_started.send(sender=self.__class__, environ=request.environ)
        response = self.get_response(request)
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        return response

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if not environ["PATH_INFO"].startswith(API):
            return super().__call__(environ, start_response)
        response = self.handle(WSGIRequest(environ))
        headers = [*response.headers._store.values()]
        if "cookies" in response.__dict__:
            headers += [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        status = response.status_code
        start_response(STATUS_LINES.get(status) or f"{status} {response.reason_phrase}", headers)
        if response.streaming:
            return response
        return Body((response.content,))  # type: ignore[attr-defined]


class Body(list[bytes]):
    """granian sends a list at once."""

    def close(self) -> None:
        """WSGI asks for it. There is nothing to close."""


if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    # Asks for the process's number at every count, which is a call of the system; a worker knows its own.
    process = {"id": os.getpid()}
    os.register_at_fork(after_in_child=lambda: process.update(id=os.getpid()))
    values.ValueClass = values.MultiProcessValue(lambda: process["id"])  # type: ignore[no-untyped-call]

django.setup(set_prefix=False)
application = Handler()

# What is loaded now stays for good: the collector, which would go through all of it every few requests, took
# a fifth of a worker's time.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)

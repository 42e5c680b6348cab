"""Requests as bytes, which nothing on the way puts right: into the application, or through a socket."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True)
class Request:
    """Header values are latin-1, as HTTP has them; a target is as it stands in the request line."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""


class Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.text = content.decode()

    def __repr__(self) -> str:
        return f"{self.status} {self.text[:300]}"

    @property
    def code(self) -> str | None:
        """The problem's code; None for a success, and for what the server refused before the application."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return str(self.json()["code"]) if is_problem else None

    def json(self) -> Any:
        return json.loads(self.text)


@contextmanager
def connection_kept() -> Iterator[None]:
    """A request through the application would close the connection, and with it the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def send(application: Any, request: Request) -> Answer:
    """The request through a WSGI application, header lines of one name joined with a comma."""
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            environ[key] = value
        else:
            key = f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    started: list[Any] = []
    response = application(environ, lambda *answer: started.extend(answer))
    content = b"".join(response)
    response.close()
    return Answer(int(started[0].split()[0]), started[1], content)


def send_to_port(port: int, request: Request) -> Answer:
    """The request to a server. A Content-Length of its own stands, right or wrong."""
    headers = list(request.headers)
    if "content-length" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Length", str(len(request.body))))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX) as connection:
        connection.sendall(head + request.body)
        with closing(http.client.HTTPResponse(connection, method=request.method)) as response:
            response.begin()
            return Answer(response.status, response.getheaders(), response.read())

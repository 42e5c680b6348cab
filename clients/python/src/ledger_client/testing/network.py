"""A network between client and ledger whose next exchanges go wrong, on purpose and by name."""

import http.client
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

ANSWER_SECONDS_MAX = 60


class Fate(Enum):
    """Of an exchange that is cut off."""

    NOT_SENT = "cut before the ledger gets anything"
    HALF_SENT = "cut in the middle of the request"
    NOT_ANSWERED = "cut after the ledger has answered, before the client gets anything"
    HALF_ANSWERED = "cut in the middle of the answer"


@dataclass(frozen=True)
class Stranger:
    """An answer of somebody in between; the ledger is not asked."""

    status: int
    body: bytes = b"<h1>Somebody else</h1>"
    headers: Mapping[str, str] = field(default_factory=dict)


class BadNetwork:
    """Passes everything on to `ledger_url`, but for what is to come: `suffer` and `answer` queue that up.

    `seen` has a (method, path, body) for each request that has come, `done` counts the fates. A context
    manager; its `url` is what the client is given.
    """

    def __init__(self, ledger_url: str, *, host: str = "127.0.0.1") -> None:
        self.upstream = urlsplit(ledger_url).netloc
        self.seen: list[tuple[str, str, bytes]] = []
        self.done: Counter[Fate] = Counter()
        self.to_come: deque[Fate | Stranger | threading.Event] = deque()
        self.server = Server((host, 0), Handler, network=self)
        self.url = f"http://{host}:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def suffer(self, fate: Fate, *, times: int = 1) -> None:
        """So befall the next requests, after those of earlier orders."""
        self.to_come.extend([fate] * times)

    def answer(self, status: int, body: bytes | None = None, *, times: int = 1, **headers: str) -> None:
        """So somebody in between answers the next requests. `Retry_After` is `Retry-After`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        stranger = Stranger(status, headers=named) if body is None else Stranger(status, body, named)
        self.to_come.extend([stranger] * times)

    def hold(self) -> threading.Event:
        """The next answer is kept back until the event is set, and then cut."""
        event = threading.Event()
        self.to_come.append(event)
        return event

    def heal(self) -> None:
        self.to_come.clear()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], *, network: BadNetwork
    ) -> None:
        super().__init__(address, handler)
        self.network = network

    def handle_error(self, request: object, client_address: object) -> None:
        """Who was cut off, or has gone away meanwhile, is no news here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def exchange(self) -> None:
        network = self.server.network
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        network.seen.append((self.command, self.path, body))
        fate = network.to_come.popleft() if network.to_come else None
        if isinstance(fate, Stranger):
            self.give(fate.status, fate.headers, fate.body)
        elif fate is None:
            status, headers, answer = self.ask(body)
            self.give(status, headers, answer)
        else:
            self.cut(fate, body)
            if isinstance(fate, Fate):
                network.done[fate] += 1

    do_GET = do_POST = do_PATCH = do_DELETE = exchange

    def cut(self, fate: Fate | threading.Event, body: bytes) -> None:
        self.close_connection = True
        if fate is Fate.NOT_SENT:
            return
        if fate is Fate.HALF_SENT:
            self.ask(body, half=True)
            return
        status, headers, answer = self.ask(body)
        if fate is Fate.HALF_ANSWERED:
            self.give(status, headers, answer[: len(answer) // 2], length=len(answer))
        elif isinstance(fate, threading.Event):
            fate.wait(ANSWER_SECONDS_MAX)

    def ask(self, body: bytes, *, half: bool = False) -> tuple[int, Mapping[str, str], bytes]:
        upstream = http.client.HTTPConnection(self.server.network.upstream, timeout=ANSWER_SECONDS_MAX)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    upstream.putheader(name, value)
            upstream.endheaders()
            upstream.send(body[: len(body) // 2] if half else body)
            if half:
                time.sleep(0.05)  # so that the ledger has begun to read
                return 0, {}, b""
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            upstream.close()

    def give(
        self, status: int, headers: Mapping[str, str], body: bytes, *, length: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quietly."""

"""Receivers of webhooks that do as they are told, and keep what they were sent."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        receiver = self.server.receiver
        if len(body) < length:  # its sender was killed
            return
        receiver.requests.append((dict(self.headers), body))
        receiver.behaviour(self)

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def taking(handler):
    handler.answer(204)


def answering(status, **headers):
    return lambda handler: handler.answer(status, **headers)


def silent(handler):
    time.sleep(30)


def dripping(handler):
    """A line of headers now and then, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        handler.wfile.write(b"X-%d: x\r\n" % number)
        handler.wfile.flush()
        time.sleep(0.1)


def talkative(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**6))
    handler.end_headers()
    handler.wfile.write(b"x" * 10**6)


class Receiver:
    """`behaviour` may be changed while it runs."""

    def __init__(self, behaviour=taking, tls=None, host="127.0.0.1"):
        self.behaviour = behaviour
        self.requests = []
        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.server.receiver = self
        self.server.handle_error = lambda *_: None
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"http{'s' if tls else ''}://{host}:{self.port}/hook"

    @property
    def events(self):
        return [json.loads(body) for _, body in self.requests]

    @property
    def positions(self):
        return [event["position"] for event in self.events]

    def verify(self, secret):
        """With the published library; all that was sent."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.requests]


@contextmanager
def receiver(behaviour=taking, tls=None, host="127.0.0.1"):
    made = Receiver(behaviour, tls, host)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()

"""Hearing by being called: signed webhooks (https://www.standardwebhooks.com), answered after the commit."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ledger_client import Refused, Unanswered, webhooks

from examples.ad_engine.engine import Engine

BODY_BYTES_MAX = 1024 * 1024
SILENCE_SECONDS_MAX = 30


def listen(engine: Engine, host: str, port: int, url: str) -> None:
    """For ever. Raises `Unanswered` and `Refused`."""
    with Receiver(engine, host, port) as receiver:  # what the ledger sends from here on waits to be accepted
        engine.look_for_a_new_epoch()
        receiver.secret = subscribe(engine, url)
        receiver.serve_forever()
        if receiver.failure:
            raise receiver.failure


def subscribe(engine: Engine, url: str) -> str:
    """Be told of everything, at once, whatever the ledger tried in vain before; the secret of the webhooks.

    The secret is shown once. If it was lost, to a kill in between for example, another one is made.
    """
    subscriptions, book = engine.ledger.subscriptions, engine.book
    subscription = subscriptions.create_webhook(url)
    secret = book.recall("secret")
    if secret is None or book.recall("subscription") != str(subscription.id):
        secret = subscription.secret or subscriptions.rotate_secret(subscription.id).secret
        subscriptions.replay(
            subscription.id
        )  # a new one begins at the end of the feed: send all that is kept
        book.remember(subscription=str(subscription.id), secret=secret)
    subscriptions.resume(subscription.id)
    return str(secret)


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, engine: Engine, host: str, port: int) -> None:
        super().__init__((host, port), Handler)
        self.engine = engine
        self.secret = ""
        self.failure: Refused | None = None

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """The status to answer with. Anything but 2xx, and the ledger sends the same again later."""
        try:
            self.engine.hear(webhooks.verify(self.secret, body, headers))
        except webhooks.NotSigned:
            return 401
        except Unanswered:
            return 503
        except Refused as refused:
            self.failure = refused
            threading.Thread(target=self.shutdown).start()
            return 503
        return 204


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS_MAX
    server: Receiver

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and int(length) <= BODY_BYTES_MAX):
            self.close_connection = True
            self.answer(413 if length.isdecimal() else 411)
            return
        self.answer(self.server.take(self.rfile.read(int(length)), dict(self.headers.items())))

    def answer(self, status: int) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """The engine logs what it does, not what it is sent."""

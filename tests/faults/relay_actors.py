"""Who takes part in the trials of the relay: who posts, who is told, and relays that end at a point."""

import json
import os
import random
import select
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from django.conf import settings
from kombu import Connection, Exchange, Queue
from kombu.transport.pyamqp import amqp

from events import relay, subscriptions
from events.delivery import brokers, webhooks
from events.relay import Relay
from ledger.callers import Caller
from tests import asking, cast
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction

ACTOR = UUID(int=18)
POST_SECONDS = 0.04
SLOW_SECONDS = 0.025  # for each event, at a receiver whose name begins with `slow`
BEFORE, AFTER = "before publish", "after publish"
CONFIRMED, MOVED = "after the confirm", "after the cursor moved"
POINTS = (BEFORE, AFTER, CONFIRMED, MOVED)
# The end comes at one of so many first passages of the point: sent events, or batches.
PASSAGES_MAX = {BEFORE: 80, AFTER: 80, CONFIRMED: 2, MOVED: 2}


def post(folder: Path, name: str, burst: int, orders_max: int) -> None:
    """So many at once, then a stream of postings, until it is told to stop."""
    accounts = [UUID(text) for text in json.loads((folder / "accounts.json").read_text())]
    types = [*[Transaction.Type.DEPOSIT] * 3, Transaction.Type.WITHDRAW]
    size = burst
    while not (folder / f"stop-{name}").exists():
        orders = [
            NewTransaction(
                id=cast.new_id(),
                account_id=random.choice(accounts),
                type=random.choice(types),
                amount=Decimal(random.randint(1, 900)) / 100,
            )
            for _ in range(size)
        ]
        asking.post(orders, caller=Caller(ACTOR))
        size = random.randint(1, orders_max)
        time.sleep(POST_SECONDS)


def subscribe(folder: Path, name: str, kind: str, url: str | None) -> None:
    made, _ = subscriptions.create(kind=kind, url=url, caller=Caller(ACTOR))
    (folder / f"subscription-{name}").write_text(f"{made.id} {made.position}")


class Consumer:
    """Notes what arrives, and has each effect once: with its key in the same transaction."""

    def __init__(self, folder: Path, name: str) -> None:
        self.arrivals = os.open(folder / f"arrivals-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.ledger = sqlite3.connect(folder / f"{name}.sqlite", check_same_thread=False)
        self.ledger.executescript(
            "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;"
            "CREATE TABLE done (epoch, stream, sequence, PRIMARY KEY (epoch, stream, sequence));"
            "CREATE TABLE effects (id, stream, amount);"
            "CREATE TABLE totals (stream PRIMARY KEY, total)"
        )

    def take(self, envelope: dict[str, Any]) -> None:
        key = (envelope["epoch"], envelope["stream"], envelope["sequence"])
        line = f"{envelope['position']} {envelope['id']} {' '.join(map(str, key))}\n"
        os.write(self.arrivals, line.encode())
        with self.ledger:
            if self.ledger.execute("INSERT OR IGNORE INTO done VALUES (?, ?, ?)", key).rowcount:
                self._have_effect(envelope["id"], envelope["stream"], find_amount(envelope))

    def _have_effect(self, id: str, stream: str, amount: Decimal) -> None:
        self.ledger.execute("INSERT INTO effects VALUES (?, ?, ?)", (id, stream, str(amount)))
        found = self.ledger.execute("SELECT total FROM totals WHERE stream = ?", (stream,)).fetchone()
        total = Decimal(found[0] if found else 0) + amount
        self.ledger.execute("INSERT OR REPLACE INTO totals VALUES (?, ?)", (stream, str(total)))


def find_amount(event: dict[str, Any]) -> Decimal:
    """What the event adds to the balance of its account, which is its stream."""
    if event["type"] != "transaction.posted":
        return Decimal(0)
    amount = Decimal(event["data"]["amount"])
    return amount if event["data"]["type"] == "DEPOSIT" else -amount


class Hook(BaseHTTPRequestHandler):
    """`/name` is the consumer of this name."""

    protocol_version = "HTTP/1.1"
    folder: Path
    consumers: dict[str, Consumer] = {}
    turn = threading.Lock()

    def do_POST(self) -> None:
        body, name = self.rfile.read(int(self.headers["Content-Length"])), self.path.strip("/")
        if name.startswith("slow"):
            time.sleep(SLOW_SECONDS)
        with self.turn:
            if name not in self.consumers:
                self.consumers[name] = Consumer(self.folder, name)
            self.consumers[name].take(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def open_hook() -> ThreadingHTTPServer:
    """It listens, and answers when a process serves it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.daemon_threads = True
    return server


def serve_hook(server: ThreadingHTTPServer, folder: Path) -> None:
    Hook.folder = folder
    server.handle_error = lambda *_: None  # a relay was killed in the middle of a request
    server.serve_forever()


def open_queue(name: str) -> Queue:
    exchange = Exchange(settings.BROKER_EXCHANGE, type="topic", durable=True)
    return Queue(name, exchange, routing_key="#", durable=True)


def declare_queue(name: str) -> None:
    with Connection(settings.BROKER_URL) as connection:
        open_queue(name)(connection.channel()).declare()


def delete_queue(name: str) -> None:
    with Connection(settings.BROKER_URL) as connection:
        channel = connection.channel()
        channel.queue_delete(name)
        channel.exchange_delete(settings.BROKER_EXCHANGE)


def consume(folder: Path, name: str) -> None:
    """Acknowledges what has had its effect."""
    consumer = Consumer(folder, name)

    def take(body: dict[str, Any], message: Any) -> None:
        consumer.take(body)
        message.ack()

    with (
        Connection(settings.BROKER_URL) as connection,
        connection.Consumer(open_queue(name), callbacks=[take], accept=["json"], prefetch_count=50),
    ):
        while True:
            connection.drain_events()


def run_relay(lease_seconds: float, point: str = "", number: int = 0) -> None:
    """As the command does it. With a point and a signal, the process sends itself the signal there."""
    settings.RELAY_LEASE_SECONDS = lease_seconds
    working = Relay()
    signal.signal(signal.SIGTERM, lambda *_: working.stop())
    if point:
        passages = random.randint(1, PASSAGES_MAX[point])
        PATCHES[point](Countdown(passages, lambda: os.kill(os.getpid(), number)))
    working.run()


class Countdown:
    def __init__(self, passages: int, act: Callable[[], None]) -> None:
        self.left, self.act = passages, act

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


def patch_before(countdown: Countdown) -> None:
    for module, name in ((webhooks, "post"), (brokers, "publish")):
        real_send = getattr(module, name)

        def send(*arguments: Any, real: Any = real_send) -> Any:
            countdown.pass_by()
            return real(*arguments)

        setattr(module, name, send)


def patch_after(countdown: Countdown) -> None:
    """The answer is there. The relay has not looked at it."""
    real_send, real_wait = httpx2.Client.send, amqp.Channel.wait

    def send(*arguments: Any, **named: Any) -> Any:
        answer = real_send(*arguments, **named)
        countdown.pass_by()
        return answer

    def wait(self: Any, method: Any, *arguments: Any, **named: Any) -> Any:
        if method == [amqp.spec.Basic.Ack, amqp.spec.Basic.Nack]:
            select.select([self.connection.transport.sock], [], [], 5)
            countdown.pass_by()
        return real_wait(self, method, *arguments, **named)

    httpx2.Client.send, amqp.Channel.wait = send, wait


def patch_confirmed(countdown: Countdown) -> None:
    real = relay.send

    def send(*arguments: Any) -> relay.Outcome:
        outcome = real(*arguments)
        countdown.pass_by()
        return outcome

    relay.send = send


def patch_moved(countdown: Countdown) -> None:
    real = Relay.record

    def record(*arguments: Any) -> None:
        real(*arguments)
        countdown.pass_by()

    Relay.record = record


PATCHES = {BEFORE: patch_before, AFTER: patch_after, CONFIRMED: patch_confirmed, MOVED: patch_moved}

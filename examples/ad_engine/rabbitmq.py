"""Hearing by a queue: RabbitMQ, acknowledged after the commit."""

import contextlib
import json
import logging
import time
from typing import Any

from kombu import Connection, Exchange, Queue
from ledger_client import Event, Unanswered
from ledger_client.feed import CURSOR
from ledger_client.wire import read

from examples.ad_engine.engine import Engine

PREFETCH = 50
PAUSE_SECONDS = 1.0
HEARTBEAT_SECONDS = 30
DRAIN_SECONDS_MAX = 5
logger = logging.getLogger("ad_engine")


def listen(engine: Engine, broker: str, exchange: str, queue: str) -> None:
    """For ever. Raises `Unanswered` and `Refused`."""
    source = Queue(queue, Exchange(exchange, type="topic", durable=True), routing_key="#", durable=True)

    def hear(message: Any) -> None:
        """Not acknowledged, the message comes again: after a pause, or after a kill."""
        try:
            engine.hear(read(Event, json.loads(message.body)))
        except Unanswered as away:
            logger.warning("%s", away)
            time.sleep(PAUSE_SECONDS)
            message.requeue()
        else:
            message.ack()

    while True:
        connection = Connection(broker, heartbeat=HEARTBEAT_SECONDS, connect_timeout=DRAIN_SECONDS_MAX)
        try:
            with connection, connection.Consumer(source, on_message=hear, prefetch_count=PREFETCH):
                subscribe(engine)  # the queue is there: nothing is sent in vain from here on
                while True:
                    with contextlib.suppress(TimeoutError):
                        connection.drain_events(timeout=DRAIN_SECONDS_MAX)
                    connection.heartbeat_check()
        except (*connection.connection_errors, *connection.channel_errors) as error:
            logger.warning("the broker is away: %s", error)
            time.sleep(PAUSE_SECONDS)


def subscribe(engine: Engine) -> None:
    """The broker is told once for all who listen: what came before the queue is read from the feed."""
    engine.look_for_a_new_epoch()
    subscription = engine.ledger.subscriptions.create_broker()
    engine.ledger.subscriptions.resume(subscription.id)
    if engine.book.recall(CURSOR) is None:
        while engine.pull():
            pass

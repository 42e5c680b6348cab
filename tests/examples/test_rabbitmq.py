"""A message of the queue is acknowledged when what it tells is committed; before that it comes again."""

import json

import pytest
from kombu import Connection, Exchange, Producer, Queue
from kombu.message import Message
from ledger_client import Refused, Unanswered
from ledger_client.feed import Consumer

from events.models import Subscription
from examples.ad_engine import rabbitmq
from examples.ad_engine.engine import Engine
from tests.cast import deposit
from tests.examples.world import is_running, read_events

BROKER = "memory://"
ID = "01910000-0000-7000-8000-00000000a001"
END = {"id": "the end", "stream": ID, "sequence": 1, "epoch": ID, "type": "the end of the test", "data": {}}
END["recorded_at"] = "2026-11-26T04:10:23.933938Z"


@pytest.fixture
def queue(request):
    return f"queue of {request.node.name}"


@pytest.fixture
def listen(engine, queue, monkeypatch):
    """Listen until the end of the test is heard."""
    monkeypatch.setattr(rabbitmq, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(rabbitmq, "subscribe", lambda engine: None)
    hear = Engine.hear

    def hear_or_end(engine, event):
        if event.raw == END:
            raise Refused(410, {"code": "ended"})
        hear(engine, event)

    monkeypatch.setattr(Engine, "hear", hear_or_end)

    def run():
        with pytest.raises(Refused, match="ended"):
            rabbitmq.listen(engine, BROKER, queue, queue)

    return run


def publish(name, events):
    with Connection(BROKER) as connection:
        exchange = Exchange(name, type="topic", durable=True)
        queue = Queue(name, exchange, routing_key="#", durable=True)
        producer = Producer(connection.channel(), exchange)
        for event in events:
            producer.publish(json.dumps(event), routing_key=event["type"], declare=[queue])


@pytest.fixture
def order(monkeypatch):
    """What happened, in its order: events were committed, messages acknowledged."""
    order, hear, ack = [], Engine.hear, Message.ack

    def note_hear(engine, event):
        hear(engine, event)
        order.append("committed")

    def note_ack(message):
        order.append("acknowledged")
        ack(message)

    monkeypatch.setattr(Engine, "hear", note_hear)
    monkeypatch.setattr(Message, "ack", note_ack)
    return order


def test_a_message_is_acknowledged_after_the_commit(engine, account, queue, order, listen):
    deposit(account, "5")
    publish(queue, [*(event.raw for event in read_events()), END])
    listen()
    assert is_running(engine, account.id)
    assert order == ["committed", "acknowledged"] * 5


def test_what_could_not_be_applied_comes_again(engine, account, queue, listen, monkeypatch):
    deposit(account, "5")
    publish(queue, [*(event.raw for event in read_events()), END])
    hear, away = Engine.hear, [True, True]

    def hear_later(engine, event):
        if event.account and away:
            away.pop()
            raise Unanswered("It does not answer.")
        hear(engine, event)

    monkeypatch.setattr(Engine, "hear", hear_later)
    listen()
    publish(queue, [END])
    listen()
    assert is_running(engine, account.id)
    assert not away


def test_what_was_before_the_queue_is_read_from_the_feed_once(engine, account, settings, monkeypatch):
    settings.BROKER_URL = BROKER
    deposit(account, "5")
    rabbitmq.subscribe(engine)
    assert is_running(engine, account.id)
    [subscription] = Subscription.objects.all()
    assert subscription.kind == "broker"
    monkeypatch.delattr(Consumer, "pull")
    rabbitmq.subscribe(engine)

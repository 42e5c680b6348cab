"""RabbitMQ: persistent, confirmed, routed by type; what cannot be routed is noticed; silence is a failure."""

import signal
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from kombu import Connection, Exchange, Queue

from events import errors, subscriptions
from events.delivery import brokers
from events.models import Subscription
from tests.cast import CALLER, deposit, new_id, withdraw
from tests.events.conftest import deposit_times, fetch, relay_once, subscribe


@pytest.fixture
def exchange(broker, settings):
    settings.BROKER_URL = broker.url
    settings.BROKER_EXCHANGE = f"ledger.{new_id()}"
    return Exchange(settings.BROKER_EXCHANGE, type="topic", durable=True)


@pytest.fixture
def subscription(exchange):
    """The broker's, of all that comes after it: ask for it last."""
    return subscribe(kind="broker")


def take_all(queue):
    messages = []
    while message := queue.get(no_ack=True):
        messages.append(message)
    return messages


@pytest.fixture
def bind(broker, exchange):
    """Makes a durable queue for a routing key."""
    connection = Connection(broker.url)

    def make(key="#"):
        queue = Queue(f"q.{new_id()}", exchange=exchange, routing_key=key, durable=True)(connection.channel())
        queue.declare()
        return queue

    yield make
    connection.collect(socket_timeout=1)


def try_again(subscription):
    Subscription.objects.filter(id=subscription.id).update(next_attempt_at=timezone.now() - timedelta(days=1))
    relay_once()


def test_events_are_persistent_messages_with_the_envelope_the_type_and_the_account(
    bind, account, subscription
):
    queue = bind()
    row = deposit(account, "1")
    relay_once()
    [message] = take_all(queue)
    assert message.payload["data"] == row.to_dict()
    assert message.delivery_info["routing_key"] == "transaction.posted"
    assert message.headers["account"] == str(account.id)
    assert (message.properties["delivery_mode"], message.content_type) == (2, "application/json")
    assert message.properties["message_id"].endswith(f"-{message.payload['id']}")
    assert fetch(subscription).sent == 1


def test_a_queue_gets_the_types_it_is_bound_to_in_order(bind, account):
    everything, declines = bind(), bind("transaction.declined")
    subscribe(kind="broker")
    deposit_times(account, 30)
    withdraw(account, "99")
    relay_once()
    assert [message.payload["position"] for message in take_all(everything)] == list(range(3, 34))
    assert [message.payload["type"] for message in take_all(declines)] == ["transaction.declined"]


def test_what_no_queue_is_bound_for_is_counted_and_holds_up_nothing(bind, account, subscription):
    queue = bind("transaction.posted")
    withdraw(account, "5")
    deposit(account, "1")
    relay_once()
    after = fetch(subscription)
    assert (after.sent, after.unroutable, after.failed, after.lag_events) == (2, 1, 0, 0)
    assert [message.payload["type"] for message in take_all(queue)] == ["transaction.posted"]


def test_messages_survive_a_restart_of_the_broker_and_what_it_missed_comes_after(
    broker, bind, account, subscription
):
    name = bind().name
    deposit(account, "1")
    relay_once()
    broker.stop()
    deposit(account, "1")
    relay_once()
    waiting = fetch(subscription)
    assert (waiting.sent, waiting.attempts, waiting.status) == (1, 1, "ACTIVE")
    broker.start()
    try_again(subscription)
    assert fetch(subscription).sent == 2
    with Connection(broker.url) as connection:
        assert [message.payload["position"] for message in take_all(Queue(name)(connection.channel()))] == [
            3,
            4,
        ]


def test_a_broker_that_falls_silent_is_a_failure_in_time_and_nothing_is_lost(
    broker, bind, account, monkeypatch, subscription
):
    monkeypatch.setattr(brokers, "CONFIRM_SECONDS_MAX", 1)
    queue = bind()
    deposit(account, "1")
    broker.signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        relay_once()
        assert time.monotonic() - started < 15
        assert fetch(subscription).attempts == 1
    finally:
        broker.signal(signal.SIGCONT)
    try_again(subscription)
    assert {message.payload["position"] for message in take_all(queue)} == {3}
    assert fetch(subscription).lag_events == 0


def test_the_broker_is_never_given_up(exchange, settings, account, subscription):
    settings.BROKER_URL = "amqp://guest:guest@127.0.0.1:1//"
    deposit(account, "1")
    relay_once()
    for _ in range(11):
        try_again(subscription)
    waiting = fetch(subscription)
    assert (waiting.attempts, waiting.status) == (12, "ACTIVE")
    assert (waiting.next_attempt_at - waiting.last_error_at).total_seconds() < 35


def test_there_is_one_subscription_of_the_broker_and_no_url_of_it(exchange, subscription):
    again, replayed = subscriptions.create(kind="broker", url=None, caller=CALLER)
    assert (again.id, replayed) == (subscription.id, True)
    with pytest.raises(errors.SubscriptionExists):
        subscribe(kind="broker", types=["user.created"])
    with pytest.raises(errors.UrlNotAllowed):
        subscribe("amqp://127.0.0.1/", kind="broker")
    with pytest.raises(errors.NotAWebhook):
        subscriptions.rotate_secret(id=subscription.id, caller=CALLER)

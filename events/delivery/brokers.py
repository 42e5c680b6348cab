"""The broker: RabbitMQ. One topic exchange; the routing key is the type of the event."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from kombu import Connection, Exchange, Producer
from kombu.exceptions import KombuError

from events.delivery.channels import Channel, DeliveryFailed, Taken, make_body, make_message_id, write_trace

CONNECT_SECONDS_MAX = 3
CONFIRM_SECONDS_MAX = 5

logger = structlog.get_logger(__name__)


def publish(
    producer: Producer, returned: list[Any], failures: tuple[type[Exception], ...], envelope: dict[str, Any]
) -> Taken:
    """Returns when the broker has confirmed; it is not wanted if no queue is bound for this type."""
    returned.clear()
    try:
        producer.publish(
            make_body(envelope),
            routing_key=envelope["type"],
            headers={"account": envelope["account"] or "", **write_trace(envelope)},
            message_id=make_message_id(envelope),
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=Exchange.PERSISTENT_DELIVERY_MODE,
            mandatory=True,
            timeout=CONFIRM_SECONDS_MAX,
            confirm_timeout=CONFIRM_SECONDS_MAX,
        )
    except failures as error:
        raise DeliveryFailed.because_of(error) from error
    if returned:
        logger.warning("event_unroutable", type=envelope["type"], position=envelope["position"])
    return Taken(is_wanted=not returned)


@contextmanager
def open_channel() -> Iterator[Channel]:
    """A connection of its own, closed after the batch: a late confirmation is never taken for another's."""
    if not settings.BROKER_URL:
        raise DeliveryFailed("BROKER_URL is not set.")
    connection = Connection(
        settings.BROKER_URL,
        connect_timeout=CONNECT_SECONDS_MAX,
        heartbeat=0,  # it lives for a batch
        transport_options={"confirm_publish": True, "read_timeout": CONFIRM_SECONDS_MAX},
    )
    returned: list[Any] = []  # what the broker had no queue for
    failures = (*connection.connection_errors, *connection.channel_errors, KombuError, OSError)
    try:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS_MAX)
            producer = Producer(
                connection.channel(),
                exchange=Exchange(settings.BROKER_EXCHANGE, type="topic", durable=True),
                on_return=lambda *message: returned.append(message),
            )
        except failures as error:
            raise DeliveryFailed.because_of(error) from error
        yield partial(publish, producer, returned, failures)
    finally:
        connection.collect(socket_timeout=1)  # also of a broker that has fallen silent

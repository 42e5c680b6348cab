"""The broker: RabbitMQ. One topic exchange; the routing key is the type of the event."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.conf import settings
from kombu import Connection, Exchange, Producer
from kombu.exceptions import KombuError

from events.delivery.channels import DeliveryFailed, make_body, make_message_id

CONNECT_SECONDS_MAX = 3
CONFIRM_SECONDS_MAX = 5

logger = structlog.get_logger(__name__)


class BrokerChannel:
    def __init__(self, connection: Connection, failures: tuple[type[Exception], ...]) -> None:
        self.failures = failures
        self.returned: list[Any] = []
        self.producer = Producer(
            connection.channel(),
            exchange=Exchange(settings.BROKER_EXCHANGE, type="topic", durable=True),
            on_return=lambda *message: self.returned.append(message),
        )

    def send(self, envelope: dict[str, Any]) -> bool:
        """Returns when the broker has confirmed; False if no queue is bound for this type."""
        self.returned.clear()
        try:
            self.producer.publish(
                make_body(envelope),
                routing_key=envelope["type"],
                headers={"account": envelope["account"] or ""},
                message_id=make_message_id(envelope),
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=Exchange.PERSISTENT_DELIVERY_MODE,
                mandatory=True,
                timeout=CONFIRM_SECONDS_MAX,
                confirm_timeout=CONFIRM_SECONDS_MAX,
            )
        except self.failures as error:
            raise DeliveryFailed.because_of(error) from error
        if self.returned:
            logger.warning("event_unroutable", type=envelope["type"], position=envelope["position"])
        return not self.returned


@contextmanager
def open_channel() -> Iterator[BrokerChannel]:
    """A connection of its own, closed after the batch: a late confirmation is never taken for another's."""
    if not settings.BROKER_URL:
        raise DeliveryFailed("BROKER_URL is not set.")
    connection = Connection(
        settings.BROKER_URL,
        connect_timeout=CONNECT_SECONDS_MAX,
        heartbeat=0,  # it lives for a batch
        transport_options={"confirm_publish": True, "read_timeout": CONFIRM_SECONDS_MAX},
    )
    failures = (*connection.connection_errors, *connection.channel_errors, KombuError, OSError)
    try:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS_MAX)
            channel = BrokerChannel(connection, failures)
        except failures as error:
            raise DeliveryFailed.because_of(error) from error
        yield channel
    finally:
        connection.collect(socket_timeout=1)  # also of a broker that has fallen silent

"""Webhooks after the Standard Webhooks specification (https://www.standardwebhooks.com)."""

import base64
import hmac
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
from django.conf import settings
from standardwebhooks import Webhook

from events.delivery.channels import Channel, DeliveryFailed, Taken, make_body, make_message_id, write_trace
from events.delivery.url_guard import CheckedBackend
from events.models import Subscription

ATTEMPT_SECONDS_MAX = 15
ANSWER_BYTES_MAX = 64 * 1024
ROTATION = timedelta(hours=24)  # both secrets sign for so long
# Made once: reading the certificates takes longer than a request. `SSL_CERT_FILE` is honoured.
_make_tls_context = cache(ssl.create_default_context)


def make_secret(id: UUID, generation: int) -> str:
    """The signing secret of a subscription. It is kept nowhere: a copy of the database has no secrets."""
    name = f"webhook-secret-1:{id}:{generation}".encode()
    digest = hmac.digest(settings.WEBHOOK_KEY.encode(), name, "sha256")
    return "whsec_" + base64.b64encode(digest).decode()


def sign(subscription: Subscription, message_id: str, sent_at: datetime, body: str) -> str:
    """The signatures: by the present secret, and for a day after a rotation by the one before."""
    generations = [subscription.secret_generation]
    rotated_at = subscription.secret_rotated_at
    if rotated_at is not None and sent_at < rotated_at + ROTATION:
        generations.append(subscription.secret_generation - 1)
    return " ".join(
        Webhook(make_secret(subscription.id, generation)).sign(message_id, sent_at, body)
        for generation in generations
    )


def post(
    subscription: Subscription, client: httpx2.Client, bounds: CheckedBackend, envelope: dict[str, Any]
) -> Taken:
    """Returns when the receiver has answered that it has the event. Raises `DeliveryFailed`."""
    body, message_id, now = make_body(envelope), make_message_id(envelope), datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(subscription, message_id, now, body),
        **write_trace(envelope),
    }
    bounds.begin()
    try:
        with client.stream("POST", subscription.url or "", content=body, headers=headers) as answer:
            for _ in answer.iter_raw():  # not decoded: a little gzip can be a lot of text
                pass
    except Exception as error:  # also what httpx2 makes of an answer that is none
        raise DeliveryFailed.because_of(error) from error
    if not answer.is_success:
        raise DeliveryFailed(
            f"The receiver answered {answer.status_code}.",
            retry_after=read_retry_after(answer.headers.get("Retry-After", ""), now),
            is_gone=answer.status_code == httpx2.codes.GONE,
            status_code=answer.status_code,
        )
    return Taken(status_code=answer.status_code)


@contextmanager
def open_channel(subscription: Subscription) -> Iterator[Channel]:
    """One client for a batch: its connection is kept. No redirects, no proxies, no cookies kept."""
    bounds = CheckedBackend(
        urlsplit(subscription.url or "").scheme,
        seconds_max=ATTEMPT_SECONDS_MAX,
        bytes_max=ANSWER_BYTES_MAX,
    )
    transport = httpx2.HTTPTransport(verify=_make_tls_context(), trust_env=False)
    transport._pool._network_backend = bounds  # there is no public way; the version is pinned, a test looks
    with httpx2.Client(
        transport=transport,
        headers={"User-Agent": "ledger-webhooks/1", "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield partial(post, subscription, client, bounds)


def read_retry_after(text: str, now: datetime) -> float:
    """Seconds to wait, at most a day; 0 for what is neither a number of seconds nor a date."""
    if text.isascii() and text.isdecimal():
        seconds = float(text[:10])
    else:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0
    return min(max(seconds, 0), 24 * 3600)

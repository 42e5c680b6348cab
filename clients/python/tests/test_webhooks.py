"""What the ledger itself sends is verified; what is changed, old or of somebody else is not."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from standardwebhooks import Webhook

from ledger_client import Ledger, webhooks
from ledger_client.webhooks import NotSigned, verify

SECRET = "whsec_" + "c2VjcmV0" * 4
OTHER = "whsec_" + "YW5vdGhl" * 4
BODY = b"""{"id": "e.1", "stream": "01910000-0000-7000-8000-00000000a001", "sequence": 1,
"epoch": "01910000-0000-7000-8000-00000000a001", "type": "transaction.posted", "data": {},
"recorded_at": "2026-11-26T04:10:23.933938Z"}"""


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server
        server.shutdown()


class Receiver(BaseHTTPRequestHandler):
    received: list[tuple[bytes, dict[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((body, dict(self.headers.items())))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quietly."""


def sign(body: bytes = BODY, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    at = at or datetime.now(UTC)
    headers = {"Webhook-Id": "1", "Webhook-Timestamp": str(int(at.timestamp()))}
    return headers | {"Webhook-Signature": Webhook(secret).sign("1", at, body.decode())}


def test_the_ledgers_own_is_verified_by_the_secret_that_it_has_shown(
    ledger: Ledger, receiver: HTTPServer
) -> None:
    url = f"http://127.0.0.1:{receiver.server_address[1]}/"
    subscription = ledger.subscriptions.create_webhook(url, types=["user.created"])
    assert subscription.secret is not None
    try:
        assert ledger.subscriptions.create_webhook(url, types=["user.created"]).secret is None, (
            "it is shown once"
        )
        assert ledger.subscriptions.test(subscription.id).delivered
        body, headers = Receiver.received.pop()
        event = verify(subscription.secret, body, headers)
        assert (event.type, event.account, event.resource) == ("subscription.test", None, None)
        with pytest.raises(NotSigned):
            verify(OTHER, body, headers)
        rotated = ledger.subscriptions.rotate_secret(subscription.id)
        assert rotated.secret not in (None, subscription.secret)
        ledger.subscriptions.test(subscription.id)
        body, headers = Receiver.received.pop()
        for secret in (subscription.secret, str(rotated.secret)):
            assert verify(secret, body, headers).type == "subscription.test"
        assert ledger.subscriptions.pause(subscription.id).status == "PAUSED"
        assert ledger.subscriptions.resume(subscription.id).status == "ACTIVE"
        assert ledger.subscriptions.replay(subscription.id).id == subscription.id
        assert ledger.subscriptions.get(subscription.id).types == ("user.created",)
        assert subscription.id in [each.id for each in ledger.subscriptions.list()]
    finally:
        ledger.subscriptions.delete(subscription.id)


def test_with_one_byte_changed_it_is_not() -> None:
    headers = sign()
    assert verify(SECRET, BODY, headers).sequence == 1
    for place in range(0, len(BODY), 7):
        changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(NotSigned):
            verify(SECRET, changed, headers)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_nor_what_was_signed_long_ago_or_by_another_clock(minutes: int) -> None:
    with pytest.raises(NotSigned):
        verify(SECRET, BODY, sign(at=datetime.now(UTC) + timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1"},
        {"Webhook-Signature": "v1,!"},
        {"Webhook-Signature": "v2,AAAA"},
        {"Webhook-Id": "2"},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Timestamp": "1700000000"},
    ],
    ids=str,
)
def test_nor_what_somebody_else_has_signed(changes: dict[str, str]) -> None:
    with pytest.raises(NotSigned):
        verify(SECRET, BODY, sign() | changes)
    with pytest.raises(NotSigned):
        verify(SECRET, BODY, sign(secret=OTHER))


@pytest.mark.parametrize("name", webhooks.HEADERS)
def test_nor_what_has_no_signature_at_all(name: str) -> None:
    headers = {each: value for each, value in sign().items() if each.lower() != name}
    with pytest.raises(NotSigned, match=name):
        verify(SECRET, BODY, headers)

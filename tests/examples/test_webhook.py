"""The receiver of webhooks takes what the ledger has signed, just now, and nothing else."""

import http.client
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from ledger_client import Refused, Unanswered
from standardwebhooks import Webhook

from events import feed
from events.delivery import webhooks
from events.models import Subscription
from examples.ad_engine.engine import Engine
from examples.ad_engine.webhook import Receiver, subscribe
from tests.cast import deposit
from tests.examples.world import is_running

SECRET = "whsec_" + "c2VjcmV0" * 4
URL = "http://127.0.0.1:9001/"
ID = "01910000-0000-7000-8000-00000000a001"
EVENT = {"id": "e.1", "stream": ID, "sequence": 1, "epoch": ID, "account": None, "type": "user.created"}
BODY = json.dumps({**EVENT, "recorded_at": "2026-11-26T04:10:23.933938Z", "data": {}}).encode()


@pytest.fixture
def receiver(engine):
    with Receiver(engine, "127.0.0.1", 0) as receiver:
        receiver.secret = SECRET
        receiver.thread = threading.Thread(target=receiver.serve_forever, args=[0.02], daemon=True)
        receiver.thread.start()
        yield receiver
        receiver.shutdown()
        receiver.thread.join()


@pytest.fixture
def heard(monkeypatch):
    heard = []
    monkeypatch.setattr(Engine, "hear", lambda engine, event: heard.append(event))
    return heard


def sign(body=BODY, at=None, secret=SECRET):
    at = at or datetime.now(UTC)
    headers = {"webhook-id": "1", "webhook-timestamp": str(int(at.timestamp()))}
    return headers | {"webhook-signature": Webhook(secret).sign("1", at, body.decode())}


def send(receiver, body=BODY, headers=None, method="POST"):
    connection = http.client.HTTPConnection(*receiver.server_address, timeout=10)
    try:
        connection.request(method, "/", body, headers if headers is not None else sign(body))
        return connection.getresponse().status
    finally:
        connection.close()


def test_what_the_ledger_has_signed_is_taken(receiver, heard):
    assert send(receiver) == 204
    assert [event.raw for event in heard] == [json.loads(BODY)]


def test_with_one_byte_flipped_it_is_not(receiver, heard):
    headers = sign()
    for place in range(0, len(BODY), 7):
        flipped = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert send(receiver, flipped, headers) == 401
    assert heard == []


@pytest.mark.parametrize("minutes", [-6, 6])
def test_nor_is_what_was_signed_long_ago_or_by_another_clock(receiver, heard, minutes):
    assert send(receiver, headers=sign(at=datetime.now(UTC) + timedelta(minutes=minutes))) == 401
    assert send(receiver, headers=sign() | {"webhook-timestamp": "1700000000"}) == 401
    assert heard == []


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,!"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-id": "2"},
        {"webhook-timestamp": "now"},
    ],
    ids=str,
)
def test_nor_what_somebody_else_has_signed(receiver, heard, changes):
    assert send(receiver, headers=sign() | changes) == 401
    assert send(receiver, headers=sign(secret="whsec_" + "YW5vdGhl" * 4)) == 401
    assert send(receiver, headers={}) == 401
    assert heard == []


def test_two_signatures_are_what_a_rotation_looks_like(receiver, heard):
    other = sign(secret="whsec_" + "YW5vdGhl" * 4)["webhook-signature"]
    headers = sign()
    assert (
        send(receiver, headers=headers | {"webhook-signature": f"{other} {headers['webhook-signature']}"})
        == 204
    )


def test_a_body_that_is_too_long_or_of_no_length_is_refused(receiver, heard):
    assert send(receiver, headers=sign() | {"Content-Length": str(2**21)}) == 413
    assert send(receiver, headers=sign() | {"Transfer-Encoding": "chunked"}) == 411
    assert send(receiver, None, {}, method="GET") == 501
    assert heard == []


def test_what_cannot_be_applied_now_is_to_be_sent_again(receiver, monkeypatch):
    def fail(engine, event):
        raise Unanswered("It does not answer.")

    monkeypatch.setattr(Engine, "hear", fail)
    assert send(receiver) == 503


def test_what_can_never_be_applied_stops_the_engine(receiver, monkeypatch):
    def fail(engine, event):
        raise Refused(410, {"code": "events_pruned"})

    monkeypatch.setattr(Engine, "hear", fail)
    assert send(receiver) == 503
    receiver.thread.join(10)
    assert not receiver.thread.is_alive()
    assert "events_pruned" in str(receiver.failure)


def test_the_ledger_itself_is_understood(receiver, engine, account, loopback):
    deposit(account, "5")
    host, port = receiver.server_address
    receiver.secret = subscribe(engine, f"http://{host}:{port}/")
    engine.look_for_a_new_epoch()  # here, as the receiver's thread has another connection to the database
    with webhooks.open_channel(Subscription.objects.get()) as channel:
        for event in feed.read().events * 2:
            assert channel(event)
    assert is_running(engine, account.id)


def test_subscribing_again_is_the_same_subscription_and_the_same_secret(engine, loopback):
    assert subscribe(engine, URL) == subscribe(engine, URL)
    assert Subscription.objects.count() == 1


def test_it_is_told_all_that_was_before_it_and_at_once_what_was_tried_in_vain(engine, account, loopback):
    deposit(account, "5")
    subscribe(engine, URL)
    assert Subscription.objects.with_lag().get().lag_events == 5
    Subscription.objects.update(status="DISABLED", attempts=10, position=2)
    subscribe(engine, URL)
    subscription = Subscription.objects.get()
    assert (subscription.status, subscription.attempts, subscription.position) == ("ACTIVE", 0, 2)


def test_a_secret_that_was_lost_is_replaced(engine, account, loopback):
    lost = subscribe(engine, URL)
    engine.book.remember(secret=None)
    found = subscribe(engine, URL)
    assert found != lost
    assert found == webhooks.make_secret(Subscription.objects.get().id, 2)


def test_a_subscription_that_was_deleted_is_made_again(engine, loopback):
    old = subscribe(engine, URL)
    Subscription.objects.all().delete()
    assert subscribe(engine, URL) != old
    assert Subscription.objects.count() == 1

"""Webhooks: signed as the standard says, sent to checked addresses only, bounded in time and size."""

import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
import trustme
from standardwebhooks import Webhook, WebhookVerificationError

from events import subscriptions
from events.delivery import open_channel, webhooks
from events.delivery.channels import DeliveryFailed
from events.errors import UrlNotAllowed
from events.models import Subscription
from tests.cast import CALLER
from tests.events.conftest import deposit_times, get_secret, relay_once, subscribe
from tests.receivers import answering, dripping, receiver, silent, talkative

ENVELOPE = {
    "id": "01910000-0000-7000-8000-000000000001.7",
    "epoch": "9b2e4d1c-0a7f-4e6b-8c3d-5f7a9b1c2d3e",
    "request_id": "of-a-test",
    "type": "user.created",
    "position": 1,
}


def send(subscription, envelope=ENVELOPE):
    with open_channel(subscription) as channel:
        return channel(envelope)


def fail(subscription):
    with pytest.raises(DeliveryFailed) as failure:
        send(subscription)
    return failure.value


def test_every_event_verifies_with_the_published_library(hook, account, subscription):
    deposit_times(account, 5)
    relay_once()
    assert hook.verify(get_secret(subscription)) == hook.events
    assert [event["type"] for event in hook.events] == ["transaction.posted"] * 5
    assert {headers["Content-Type"] for headers, _ in hook.requests} == {"application/json"}


def test_a_changed_byte_an_old_time_or_another_secret_do_not_verify(hook, subscription):
    send(subscription)
    [(headers, body)] = hook.requests
    secret = get_secret(subscription)
    assert Webhook(secret).verify(body, headers) == ENVELOPE
    for forged, changed in [
        ({}, body.replace(b"7", b"8")),
        ({"webhook-id": "x"}, body),
        ({"webhook-timestamp": str(int(time.time()) - 301)}, body),
    ]:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(changed, {**headers, **forged})
    with pytest.raises(WebhookVerificationError):
        Webhook(webhooks.make_secret(subscription.id, 2)).verify(body, headers)


def test_for_a_day_after_a_rotation_both_secrets_verify(hook, subscription):
    old = get_secret(subscription)
    subscription = subscriptions.rotate_secret(id=subscription.id, caller=CALLER)
    new = get_secret(subscription)
    send(subscription)
    assert hook.verify(old) == hook.verify(new) == [ENVELOPE]
    subscription.secret_rotated_at = datetime.now(UTC) - timedelta(hours=25)
    hook.requests.clear()
    send(subscription)
    assert hook.verify(new) == [ENVELOPE]
    with pytest.raises(WebhookVerificationError):
        hook.verify(old)


def test_secrets_differ_by_subscription_and_generation_and_are_long():
    ids = [subscribe(f"https://8.8.8.8/{number}").id for number in range(2)]
    made = {webhooks.make_secret(id, generation) for id in ids for generation in (1, 2)}
    assert len(made) == 4
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in made)  # 32 bytes


def test_a_repeated_attempt_has_the_same_id_and_a_new_time(hook, subscription):
    hook.behaviour = answering(500)
    fail(subscription)
    time.sleep(1.1)
    fail(subscription)
    first, second = (headers for headers, _ in hook.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] < second["webhook-timestamp"]


def test_a_redirect_is_a_failure_and_not_followed(hook):
    with receiver() as other:
        hook.behaviour = answering(302, Location=other.url)
        assert "302" in str(fail(subscribe(hook.url)))
        assert other.requests == []


@pytest.mark.parametrize("behaviour", [silent, dripping])
def test_an_attempt_ends_in_time_whatever_the_receiver_does(hook, monkeypatch, behaviour):
    monkeypatch.setattr(webhooks, "ATTEMPT_SECONDS_MAX", 1)
    hook.behaviour = behaviour
    started = time.monotonic()
    fail(subscribe(hook.url))
    assert time.monotonic() - started < 5


def test_no_more_is_read_of_an_answer_than_it_may_have(hook):
    hook.behaviour = talkative
    assert "65536 bytes" in str(fail(subscribe(hook.url)))


def test_the_limits_count_for_each_request_of_a_connection(hook, monkeypatch):
    monkeypatch.setattr(webhooks, "ANSWER_BYTES_MAX", 200)
    with open_channel(subscribe(hook.url)) as channel:
        for _ in range(10):
            channel(ENVELOPE)
    assert len(hook.requests) == 10


def test_nobody_there_is_a_failure(loopback):
    assert "ConnectError" in str(fail(subscribe("http://127.0.0.1:1/hook")))


def test_a_name_that_changes_to_a_private_address_is_not_called(names, settings):
    with receiver() as private:
        names["ads.example.com"] = ["8.8.8.8", "127.0.0.1"]
        subscription = subscribe(f"https://ads.example.com:8443/{private.port}")
        Subscription.objects.filter(id=subscription.id).update(url=f"https://ads.example.com:{private.port}/")
        subscription = subscriptions.get(subscription.id)
        assert "not at a public address" in str(fail(subscription))
        assert private.requests == []


def test_the_connection_goes_to_the_address_that_was_checked(names, loopback):
    with receiver() as hook:
        names["ads.example.com"] = ["127.0.0.1"]
        subscription = subscribe(f"http://ads.example.com:{hook.port}/hook")
        names["ads.example.com"] = ["127.0.0.1", "10.0.0.1"]  # a second look-up would go astray
        send(subscription)
        assert hook.requests[0][0]["Host"] == f"ads.example.com:{hook.port}"
        assert names["ads.example.com"] == ["10.0.0.1"]  # which nobody has asked for


def test_of_ones_own_network_what_is_allowed_is_called_and_what_is_beside_it_is_not(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.2/31")]  # 127.0.0.1 is beside it
    with receiver(host="127.0.0.2") as inside, receiver() as beside:
        subscription = subscribe(inside.url)
        send(subscription)
        assert inside.events == [ENVELOPE]
        with pytest.raises(UrlNotAllowed):
            subscribe(beside.url)
        Subscription.objects.filter(id=subscription.id).update(url=beside.url)
        assert "not at a public address" in str(fail(subscriptions.get(subscription.id)))
        assert beside.requests == []


def test_a_name_that_changes_to_an_address_beside_the_allowed_network_is_not_called(names, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.2/32")]
    settings.WEBHOOK_ALLOWED_HOSTS = ["ads.example.com"]
    with receiver() as beside:
        for address in ("127.0.0.1", "169.254.169.254", "fd00:ec2::254"):
            names["ads.example.com"] = ["127.0.0.2", address]
            subscription = subscribe(f"http://ads.example.com:{beside.port}/{address.replace(':', '-')}")
            assert "not at a public address" in str(fail(subscription))
        assert beside.requests == []


def test_an_allowed_host_is_called_at_the_private_address_that_was_checked(names, settings):
    settings.WEBHOOK_ALLOWED_HOSTS = ["ads.example.com"]
    names["ads.example.com"] = ["10.1.2.3"]
    subscription = subscribe("http://ads.example.com:8080/hook")
    names["ads.example.com"] = ["10.1.2.3", "10.9.9.9"]
    assert "a test calls 10.1.2.3" in str(fail(subscription))  # it would have
    assert names["ads.example.com"] == ["10.9.9.9"]  # which nobody has asked for


def test_what_is_allowed_no_more_is_called_no_more(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with receiver() as hook:
        subscription = subscribe(hook.url)
        send(subscription)
        settings.WEBHOOK_ALLOWED_NETWORKS = []
        assert "not at a public address" in str(fail(subscription))
        assert len(hook.requests) == 1


def test_over_https_the_certificate_is_that_of_the_name(names, loopback, monkeypatch):
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("ads.example.com").configure_cert(server)
    authority.configure_trust(client)
    monkeypatch.setattr(webhooks, "_make_tls_context", lambda: client)
    with receiver(tls=server) as hook:
        names["ads.example.com"] = names["other.example.com"] = ["127.0.0.1"]
        send(subscribe(f"https://ads.example.com:{hook.port}/hook"))
        assert len(hook.requests) == 1
        assert "CERTIFICATE" in str(fail(subscribe(f"https://other.example.com:{hook.port}/hook")))
        monkeypatch.undo()
        assert len(hook.requests) == 1


def test_proxies_of_the_environment_are_not_asked(hook, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    send(subscribe(hook.url))
    assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9" * 30, 86400),
        ("Thu, 26 Nov 2026 12:01:00 GMT", 60),
        ("Thu, 26 Nov 2026 11:00:00 GMT", 0),
        ("Thu, 26 Nov 2026 11:00:00", 0),
        *((text, 0) for text in ("", "-5", "1.5", "soon", "١٢")),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(text, seconds):
    assert webhooks.read_retry_after(text, datetime(2026, 11, 26, 12, tzinfo=UTC)) == seconds

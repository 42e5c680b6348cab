"""Subscriptions over HTTP: made, shown, changed, paused, replayed, tested; the secret is shown once."""

import pytest
from standardwebhooks import Webhook

from events import delivery, subscriptions
from events.models import Subscription, parse_cursor
from tests.cast import deposit
from tests.conftest import make_client
from tests.events.conftest import get_secret, relay_once
from tests.receivers import answering

SUBSCRIPTIONS = "/api/v1/subscriptions"


@pytest.fixture
def admin(db):
    return make_client("api-admin")


def subscribe(client, url="https://8.8.8.8/hook", **fields):
    return client.post(SUBSCRIPTIONS, {"kind": "webhook", "url": url, **fields})


@pytest.fixture
def made(admin, hook):
    """A subscription of the hook, to all that comes after it: ask for it last."""
    return subscribe(admin, hook.url).json()


def do(client, made, action, body=None):
    answer = client.post(f"{SUBSCRIPTIONS}/{made['id']}/{action}", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def made_by(made):
    return str(Subscription.objects.get(id=made["id"]).actor)


def test_the_secret_is_shown_once_and_kept_nowhere(admin, hook, account, made):
    deposit(account, "1")
    relay_once()
    [(headers, body)] = hook.requests
    assert Webhook(made["secret"]).verify(body, headers)["type"] == "transaction.posted"
    for answer in (admin.get(SUBSCRIPTIONS), admin.get(f"{SUBSCRIPTIONS}/{made['id']}")):
        assert b"whsec_" not in answer.content
    row = vars(Subscription.objects.get(id=made["id"]))
    assert made["secret"].removeprefix("whsec_") not in str(row)


def test_repeated_it_is_the_same_one_without_its_secret(admin):
    made = subscribe(admin, types=["user.created", "hold.placed"]).json()
    again = subscribe(admin, types=["hold.placed", "user.created"])
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    cursor = again.json()["cursor"]  # never the same text
    assert parse_cursor(cursor) == parse_cursor(made["cursor"])
    assert again.json() == {**made, "cursor": cursor, "secret": None}
    other = subscribe(admin, types=["user.created"])
    assert (other.status_code, other.json()["code"]) == (422, "subscription_exists")


def test_it_shows_its_cursor_its_lag_and_its_last_error(admin, hook, account, made):
    assert made["lag"] == {"events": 0, "seconds": 0.0}
    hook.behaviour = answering(500)
    deposit(account, "1")
    deposit(account, "1")
    relay_once()
    shown = admin.get(f"{SUBSCRIPTIONS}/{made['id']}").json()
    assert parse_cursor(shown["cursor"]) == parse_cursor(made["cursor"])
    assert shown["lag"]["events"] == 2
    assert shown["lag"]["seconds"] > 0
    assert (shown["attempts"], shown["failed"], shown["sent"]) == (1, 1, 0)
    assert shown["last_error"] == "The receiver answered 500."
    assert shown["next_attempt_at"] > shown["last_error_at"]


def test_what_its_lag_is_made_of_is_asked_for_by_name(admin):
    made = subscribe(admin).json()
    assert Subscription.objects.with_lag().get().to_dict()["lag"] == made["lag"]
    with pytest.raises(AttributeError):
        Subscription.objects.get().to_dict()


def test_its_cursor_is_one_of_the_feed(admin, account):
    made = subscribe(admin).json()
    deposit(account, "1")
    answer = admin.get("/api/v1/events", {"after": made["cursor"]}).json()
    assert [event["type"] for event in answer["events"]] == ["transaction.posted"]
    assert do(admin, made, "replay", {"after": answer["cursor"]})["lag"]["events"] == 0
    assert do(admin, made, "replay")["lag"]["events"] == 3
    assert do(admin, made, "replay", {})["lag"]["events"] == 3


def test_url_and_types_can_be_changed(admin):
    made = subscribe(admin).json()
    address = f"{SUBSCRIPTIONS}/{made['id']}"
    assert admin.patch(address, {"url": "https://8.8.8.8/other"}).json()["url"] == "https://8.8.8.8/other"
    assert admin.patch(address, {"types": ["user.created"]}).json()["types"] == ["user.created"]
    assert admin.patch(address, {"types": []}).json()["types"] == []
    assert admin.patch(address, {"url": "https://10.0.0.1/"}).json()["code"] == "url_not_allowed"
    second = subscribe(admin).json()
    clash = admin.patch(f"{SUBSCRIPTIONS}/{second['id']}", {"url": "https://8.8.8.8/other"})
    assert clash.json()["code"] == "subscription_exists"


def test_pausing_resuming_and_deleting(admin):
    made = subscribe(admin).json()
    assert do(admin, made, "pause")["status"] == "PAUSED"
    assert do(admin, made, "resume")["status"] == "ACTIVE"
    address = f"{SUBSCRIPTIONS}/{made['id']}"
    answer = admin.delete(address)
    assert (answer.status_code, answer.content) == (204, b"")
    assert admin.get(address).status_code == admin.delete(address).status_code == 404


def test_a_rotated_secret_is_another_one_and_shown_once(admin, hook, made):
    rotated = do(admin, made, "rotate-secret")
    assert rotated["secret"] not in (None, made["secret"])
    assert do(admin, made, "test") == {"delivered": True, "error": None}
    assert hook.verify(made["secret"]) == hook.verify(rotated["secret"])
    assert get_secret(subscriptions.get(made["id"])) == rotated["secret"]


def test_a_test_is_sent_at_once_beside_the_feed_and_says_what_came_of_it(admin, hook, made):
    assert do(admin, made, "test") == {"delivered": True, "error": None}
    [event] = hook.verify(made["secret"])
    assert (event["type"], event["position"]) == ("subscription.test", None)
    assert event["data"] == {"subscription": made["id"]}
    assert (event["account"], event["account_sequence"]) == (None, None)
    assert event["actor"] == {"id": made_by(made), "kind": "service"}
    hook.behaviour = answering(404)
    assert do(admin, made, "test") == {"delivered": False, "error": "The receiver answered 404."}
    shown = admin.get(f"{SUBSCRIPTIONS}/{made['id']}").json()
    assert (shown["sent"], shown["failed"]) == (0, 0)
    assert parse_cursor(shown["cursor"]) == parse_cursor(made["cursor"])


def test_tests_take_no_more_threads_than_waiting_may(admin, hook, monkeypatch, made):
    monkeypatch.setattr(delivery, "waiting", delivery.BoundedSemaphore(1))
    with delivery.waiting:
        answer = admin.post(f"{SUBSCRIPTIONS}/{made['id']}/test")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")
    assert do(admin, made, "test")["delivered"]


def test_there_are_not_too_many(admin, monkeypatch):
    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS_MAX", 1)
    subscribe(admin)
    answer = subscribe(admin, "https://8.8.8.8/second")
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_reached")
    assert subscribe(admin).status_code == 201  # the first one, again


def test_a_list_costs_the_same_for_one_and_for_many(admin, django_assert_num_queries, account):
    for number in range(5):
        subscribe(admin, f"https://8.8.8.8/{number}")
    deposit(account, "1")
    admin.get(SUBSCRIPTIONS)
    with django_assert_num_queries(1):
        answer = admin.get(SUBSCRIPTIONS).json()
    assert len(answer["results"]) == 5


def test_who_may_not_change_it_sees_no_secret_of_its_url(admin, hook):
    made = subscribe(admin, f"{hook.url}?key=s3cret").json()
    assert made["url"] == f"{hook.url}?key=s3cret"
    address = f"{SUBSCRIPTIONS}/{made['id']}"
    reader = make_client("api-read")
    for client, shown in ((admin, "?key=s3cret"), (reader, "?…")):
        assert client.get(address).json()["url"] == hook.url + shown
        assert [each["url"] for each in client.get(SUBSCRIPTIONS).json()["results"]] == [hook.url + shown]

"""Subscriptions over HTTP: made, shown, changed, paused, replayed, tested; the secret is shown once."""

import pytest
from standardwebhooks import Webhook

from events import delivery, subscriptions
from events.models import Attempt, Event, Subscription, parse_cursor
from tests.cast import deposit, new_id
from tests.conftest import make_client
from tests.events.conftest import get_secret, relay_once
from tests.receivers import answering, taking

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
    assert Attempt.objects.count() == 1


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
    url = f"{hook.url}/s3cret?key=s3cret"
    made = subscribe(admin, url).json()
    assert made["url"] == url
    address = f"{SUBSCRIPTIONS}/{made['id']}"
    reader = make_client("api-read")
    for client, shown in ((admin, url), (reader, hook.url.replace("/hook", "/…"))):
        assert client.get(address).json()["url"] == shown
        assert [each["url"] for each in client.get(SUBSCRIPTIONS).json()["results"]] == [shown]


def test_attempts_are_listed_with_time_status_and_duration(admin, hook, account, made):
    list_attempts = f"{SUBSCRIPTIONS}/{made['id']}/attempts"
    assert admin.get(list_attempts).json() == {"attempts": []}
    do(admin, made, "test")
    hook.behaviour = answering(503)
    deposit(account, "1")
    relay_once()
    failed, tested = make_client("api-read").get(list_attempts).json()["attempts"]
    event = Event.objects.get(stream=account.id, type="transaction.posted")
    assert (failed["event"], failed["delivered"]) == (event.id, False)
    assert failed["position"] == hook.positions[-1]
    assert (failed["status_code"], failed["error"]) == (503, "The receiver answered 503.")
    assert (tested["event"], tested["position"], tested["delivered"]) == (None, None, True)
    assert (tested["status_code"], tested["error"]) == (204, None)
    assert tested["began_at"] < failed["began_at"]
    assert min(tested["milliseconds"], failed["milliseconds"]) >= 0
    assert admin.get(list_attempts, {"page_size": 1}).json()["code"] == "unknown_parameter"
    [others] = [make_client("api-read").get(f"{SUBSCRIPTIONS}/{new_id()}/attempts")]
    assert (others.status_code, others.json()["code"]) == (404, "not_found")


def test_try_now_does_not_wait_and_counts_as_an_attempt(admin, hook, account, made):
    hook.behaviour = answering(500)
    deposit(account, "1")
    relay_once()
    hook.behaviour = taking
    relay_once()
    assert len(hook.requests) == 1
    tried = do(admin, made, "try-now")
    assert (tried["attempts"], tried["status"]) == (1, "ACTIVE")
    relay_once()
    shown = admin.get(f"{SUBSCRIPTIONS}/{made['id']}").json()
    assert (shown["sent"], shown["failed"], shown["attempts"], shown["lag"]["events"]) == (1, 1, 0, 0)
    listed = admin.get(f"{SUBSCRIPTIONS}/{made['id']}/attempts").json()["attempts"]
    assert [(each["event"], each["status_code"]) for each in listed] == [
        (hook.events[0]["id"], 204),
        (hook.events[0]["id"], 500),
    ]


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED"])
def test_one_that_is_sent_nothing_is_not_tried_now(admin, made, status):
    Subscription.objects.update(status=status)
    answer = admin.post(f"{SUBSCRIPTIONS}/{made['id']}/try-now")
    assert (answer.status_code, answer.json()["code"]) == (422, "subscription_not_active")


def test_whose_events_it_is_of_is_shown_and_part_of_it(admin, account):
    whose = [{}, {"account": str(account.id)}, {"user": str(account.user_id)}]
    for number, fields in enumerate(whose):
        url = f"https://8.8.8.8/{number}"
        made = subscribe(admin, url, **fields).json()
        assert {"account": made["account"], "user": made["user"]} == {"account": None, "user": None} | fields
        assert subscribe(admin, url, **fields)["Idempotency-Replayed"] == "true"
        for others in whose:
            if others != fields:
                assert subscribe(admin, url, **others).json()["code"] == "subscription_exists"
        change = admin.patch(f"{SUBSCRIPTIONS}/{made['id']}", {"account": str(account.id)})
        assert change.json()["code"] == "unknown_field"


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"account": "x"}, "id_invalid", "/account"),
        ({"user": 7}, "id_invalid", "/user"),
        ({"account": str(new_id())}, "not_found", "/account"),
        ({"user": str(new_id())}, "not_found", "/user"),
        ({"account": str(new_id()), "user": str(new_id())}, "conflicting_fields", "/user"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value.strip("/"),
)
def test_nobodys_events_are_not_asked_for(admin, fields, code, pointer):
    answer = subscribe(admin, **fields).json()
    assert (answer["code"], answer["errors"][0]["pointer"]) == (code, pointer)
    assert not Subscription.objects.exists()


def test_an_account_is_no_user_and_a_user_no_account(admin, account):
    for fields in ({"user": str(account.id)}, {"account": str(account.user_id)}):
        assert subscribe(admin, **fields).json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("url", "setting"),
    [
        ("https://10.1.2.3/", "WEBHOOK_ALLOWED_NETWORKS"),
        ("http://192.168.1.1:8080/", "WEBHOOK_ALLOWED_HOSTS"),
        ("http://127.0.0.1:8080/", "WEBHOOK_LOOPBACK=true"),
        ("https://169.254.169.254/", "no setting allows this one"),
        ("https://[fd00:ec2::254]/", "no setting allows this one"),
        ("http://8.8.8.8/", "Only https"),
        ("https://8.8.8.8:8080/", "ports 443 and 8443"),
    ],
)
def test_the_refusal_of_a_url_says_which_setting_would_allow_it(admin, url, setting):
    answer = subscribe(admin, url).json()
    assert answer["code"] == "url_not_allowed"
    assert setting in answer["detail"]

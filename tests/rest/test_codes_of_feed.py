"""The codes of the feed and of its subscriptions, wherever they may be answered."""

import pytest

from events import feed
from events.models import Subscription, parse_cursor
from rest.codes import STATUS
from tests.cast import new_id
from tests.conftest import make_client
from tests.feed_refusals import (
    EVENTS,
    PUBLIC,
    SUBSCRIPTIONS,
    URL,
    be_elsewhere,
    make_broker,
    make_cursor,
    prune,
    prune_one,
    read_after,
    subscribe,
    tell,
)
from tests.refusals import MEMBERS
from tests.rest.test_every_code import Asker

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker(service):
    return Asker(service)


@pytest.fixture
def told(asker):
    return subscribe().json()


def change(id, **body):
    return make_client("api-admin").patch(f"{SUBSCRIPTIONS}/{id}", body)


def require(answer, code, *pointers, **more):
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (STATUS[code], code)
    assert problem.keys() == MEMBERS | ({"errors"} if pointers else set()) | more.keys()
    assert {name: problem[name] for name in more} == more
    assert tuple(error["pointer"] for error in problem.get("errors", ())) == pointers


@pytest.mark.parametrize(
    ("code", "changes"),
    [("feed_epoch_changed", {"epoch": new_id()}), ("cursor_ahead_of_feed", {"position": 10**18 - 1})],
)
def test_a_cursor_that_leads_nowhere_is_told_so_and_moves_no_subscription(asker, told, code, changes):
    require(read_after(asker, **changes), code)
    require(tell(told["id"], "replay", after=make_cursor(**changes)), code)
    assert feed.read().cursor >= parse_cursor(told["cursor"]) == Subscription.objects.get().cursor


def test_what_was_pruned_is_not_read_sent_again_or_gone_on_from(asker):
    prune_one()
    told = subscribe().json()
    Subscription.objects.update(status="DISABLED", position=0)
    require(read_after(asker), "events_pruned")
    require(tell(told["id"], "replay", after=make_cursor()), "events_pruned")
    require(tell(told["id"], "resume"), "events_pruned")
    assert Subscription.objects.get().status == "DISABLED"
    replayed = parse_cursor(tell(told["id"], "replay").json()["cursor"])
    assert replayed == parse_cursor(make_cursor(position=1))
    assert tell(told["id"], "resume").json()["status"] == "ACTIVE"


def test_what_was_pruned_of_an_account_is_no_empty_answer(asker):
    account = new_id()
    prune(account, 1, 2)
    require(asker.client.get(EVENTS, {"account": account, "after_sequence": 1}), "events_pruned")


@pytest.mark.parametrize(
    ("after", "code"),
    [
        *((text, "invalid_cursor") for text in ("0", "-1", "9", "0-0", "9" * 32 + "-01", "A" * 32 + "-1")),
        ("x" * 77, "too_long"),
        ("\x00", "invalid_text"),
    ],
)
def test_what_the_feed_never_gave_is_no_cursor(asker, told, after, code):
    require(asker.client.get(EVENTS, {"after": after}), code, "?after")
    require(tell(told["id"], "replay", after=after), code, "/after")


def test_a_feed_that_is_stopped_gives_nothing_out_and_asks_to_be_asked_again(asker, told):
    be_elsewhere()
    answers = [asker.client.get(EVENTS), tell(told["id"], "replay"), subscribe(url=f"{URL}/2")]
    for answer in answers:
        require(answer, "feed_stopped")
        assert int(answer["Retry-After"]) > 0
    assert asker.post().status_code == 201  # money moves
    assert make_client("api-admin").get(f"{SUBSCRIPTIONS}/{told['id']}").status_code == 200


def test_a_url_is_refused_wherever_it_is_given(told):
    require(subscribe(url="https://localhost/"), "url_not_allowed", "/url")
    require(change(told["id"], url="https://[::1]/"), "url_not_allowed", "/url")
    require(subscribe(kind="broker"), "url_not_allowed", "/url")
    assert Subscription.objects.get().url == URL


def test_of_a_url_there_is_one_subscription(told):
    other = subscribe(url=f"https://{PUBLIC}/other", types=["hold.placed"]).json()
    for refused in (subscribe(types=["hold.placed"]), change(other["id"], url=URL)):
        require(refused, "subscription_exists", subscription=told["id"])
    again = subscribe()
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == {
        **told,
        "secret": None,
        **{name: again.json()[name] for name in ("lag", "cursor")},
    }


def test_of_the_broker_there_is_no_url_and_no_secret(settings):
    broker = make_broker()
    require(tell(broker.id, "rotate-secret"), "not_a_webhook")
    require(change(broker.id, url=URL), "not_a_webhook")
    settings.BROKER_URL = "amqp://127.0.0.1:1//"
    make = make_client("api-admin").post
    refused = make(SUBSCRIPTIONS, {"kind": "broker", "types": ["user.created"]})
    require(refused, "subscription_exists", subscription=str(broker.id))
    assert make(SUBSCRIPTIONS, {"kind": "broker"}).json()["secret"] is None


def test_without_a_broker_its_kind_is_what_is_wrong():
    require(
        make_client("api-admin").post(SUBSCRIPTIONS, {"kind": "broker"}), "broker_not_configured", "/kind"
    )

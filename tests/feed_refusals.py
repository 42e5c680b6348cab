"""Every refusal of the feed and of its subscriptions, provoked for `tests/rest/test_every_code.py`."""

from accounts.models import User
from events import feed, subscriptions
from events.feed import Cursor
from events.models import Subscription
from tests.bad_inputs_setup import subscribe_all
from tests.cast import CALLER, new_id
from tests.conftest import make_client
from tests.database import execute
from tests.names import PUBLIC

EVENTS, SUBSCRIPTIONS = "/api/v1/events", "/api/v1/subscriptions"
URL = f"https://{PUBLIC}/hook"


def subscribe(**body):
    return make_client("api-admin").post(SUBSCRIPTIONS, {"kind": "webhook", "url": URL, **body})


def subscribe_once_more():
    subscribe_all({})
    return subscribe()


def tell(id, command, **body):
    return make_client("api-admin").post(f"{SUBSCRIPTIONS}/{id}/{command}", body or None)


def make_broker():
    """The subscription of a broker that was there once."""
    end = feed.read_state().end
    return Subscription.objects.create(kind="broker", epoch=end.epoch, position=end.position, actor=new_id())


def pause():
    return subscriptions.pause(id=subscribe().json()["id"], caller=CALLER)


def be_elsewhere():
    """The database is a copy of the one whose history the feed tells."""
    execute("UPDATE events_feed_state SET database_id = database_id + 1")


def prune_one():
    """The first event is of another year, and gone."""
    prune(new_id(), 1)


def prune(stream, *numbers):
    """Events of that stream, with these numbers and about rows, which are of another year and gone."""
    User.objects.create(id=stream, username=str(stream), event_sequence=numbers[-1])
    execute(
        "INSERT INTO events_event (stream, sequence, type, recorded_at, about)"
        " SELECT %s, number, 'transaction.posted', '2020-01-01Z', number FROM unnest(%s) AS asked (number)",
        stream,
        [*numbers],
    )
    execute(
        "INSERT INTO events_pending (recorded_at, stream, sequence)"
        " SELECT recorded_at, stream, sequence FROM events_event WHERE stream = %s",
        stream,
    )
    feed.place_pending()
    assert feed.prune(days=30) == len(numbers)


def make_cursor(**changes):
    """A place in the feed: its beginning, changed."""
    return Cursor(**{"epoch": feed.read_state().epoch, "position": 0, **changes}).text


def read_after(asker, **changes):
    return asker.client.get(EVENTS, {"after": make_cursor(**changes)})


PROVOKE = {
    "url_not_allowed": lambda a: subscribe(url="https://10.0.0.1/hook"),
    "feed_epoch_changed": lambda a: read_after(a, epoch=new_id()),
    "cursor_ahead_of_feed": lambda a: read_after(a, position=10**17),
    "events_pruned": lambda a: prune_one() or read_after(a),
    "subscription_exists": lambda a: subscribe() and subscribe(types=["user.created"]),
    "limit_reached": lambda a: subscribe_once_more(),
    "broker_not_configured": lambda a: make_client("api-admin").post(SUBSCRIPTIONS, {"kind": "broker"}),
    "subscription_not_active": lambda a: tell(pause().id, "try-now"),
    "not_a_webhook": lambda a: tell(make_broker().id, "rotate-secret"),
    "feed_stopped": lambda a: be_elsewhere() or a.client.get(EVENTS),
}

"""Every rule of the feed, attacked in plain SQL, as tests/test_guards.py attacks the others."""

import pytest

from accounts.models import User
from events import feed, subscriptions
from events.models import Event, FeedState, PendingEvent, Placement
from tests.cast import CALLER, deposit
from tests.events.conftest import deposit_times
from tests.names import PUBLIC
from tests.test_guards import (
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)

WEBHOOK = {
    "id": "gen_random_uuid()", "kind": "'webhook'", "url": "'https://a.example/'", "types": "'[]'",
    "status": "'ACTIVE'", "epoch": "gen_random_uuid()", "position": "0", "attempts": "0", "sent": "0",
    "failed": "0", "unroutable": "0", "secret_generation": "1", "actor": "gen_random_uuid()",
}  # fmt: skip
BROKER = WEBHOOK | {"kind": "'broker'", "url": "NULL"}
OTHER = WEBHOOK | {"url": "'https://b.example/'"}
# Columns and what SQL puts into them. An event that is about a row; and one that tells of something itself.
STREAM = "00000000-0000-4000-8000-000000000009"
EVENT = {
    "stream": f"'{STREAM}'", "sequence": "1", "type": "'transaction.posted'",
    "recorded_at": "now()", "about": "1",
}  # fmt: skip
KEPT = EVENT | {
    "type": "'hold.placed'", "about": "NULL", "data": "'{}'", "actor_kind": "'service'", "request_id": "''",
    "mac": "'x'",
}  # fmt: skip
WAITING = "SELECT stream, sequence FROM public.events_pending"
ALONE = (
    "INSERT INTO public.events_placement (part, position, stream, sequence)"
    f" SELECT 0, 9, stream, sequence FROM ({WAITING} LIMIT 1) AS event"
)
NONE_PENDING = ", gone AS (DELETE FROM events_pending)"
A_KEY = {"id": "'00000000-0000-4000-8000-000000000001'"}


def place(*positions, end, source="events_pending", part=0, also=""):
    """Places in the order of the positions, to events without one from the last on, and a new end."""
    wanted = ", ".join(f"({position}, {number})" for number, position in enumerate(positions, start=1))
    return f"""
        WITH event AS (
            SELECT stream, sequence, row_number() OVER (ORDER BY sequence DESC) AS number FROM {source}
        ), placed AS (
            INSERT INTO events_placement (part, position, stream, sequence)
            SELECT {part}, position, stream, sequence
            FROM (VALUES {wanted}) AS wanted (position, number) JOIN event USING (number)
        ){also} UPDATE events_feed_state SET last_position = {end}
    """


# What a subscription must not be, beside one that is in order.
SUBSCRIPTIONS = [
    ("subscription_url_is_used_once", (WEBHOOK, WEBHOOK)),
    ("events_subscription_pkey", (WEBHOOK | A_KEY, OTHER | A_KEY)),
    ("subscription_of_the_broker_is_one", (BROKER, BROKER)),
    *(
        ("subscription_of_a_webhook_has_its_url", (OTHER, row))
        for row in (WEBHOOK | {"url": "NULL"}, BROKER | {"url": "''"}, WEBHOOK | {"kind": "'email'"})
    ),
    *(("subscription_status_is_known", (OTHER, WEBHOOK | {"status": status})) for status in ("'GONE'", "''")),
    ("subscription_position_is_not_negative", (OTHER, WEBHOOK | {"position": "-1"})),
]
# Of three events with places, and two without.
ATTACKS = [
    ("events_feed_state_pkey", "INSERT INTO events_feed_state SELECT * FROM events_feed_state"),
    ("feed_has_one_part", "UPDATE events_feed_state SET part = 2"),
    (
        "feed_has_one_part",
        "INSERT INTO events_feed_state SELECT 2, epoch, last_position, 0, system_identifier, timeline_id,"
        " database_id, table_id FROM events_feed_state",
    ),
    ("feed_state_is_pruned_up_to_its_end", "UPDATE events_feed_state SET pruned_through = -1"),
    ("feed_state_is_pruned_up_to_its_end", "UPDATE events_feed_state SET pruned_through = 4"),
    *(
        ("feed_goes_forward", f"UPDATE events_feed_state SET {change}")
        for change in ("last_position = 2", "last_position = 4", "pruned_through = 1", "pruned_through = 3")
    ),
    ("feed_state_is_never_deleted", "DELETE FROM events_feed_state"),
    ("feed_state_is_never_emptied", "TRUNCATE events_feed_state"),
    ("events_placement_pkey", place(3, end=3)),
    ("event_has_one_position", place(4, end=4, source="events_placement")),
    ("placement_position_is_positive", place(0, end=3)),
    ("placement_position_is_positive", place(-1, end=3)),
    ("placement_position_is_positive", place(4, end=4, part=1)),
    *(
        ("places_have_no_gaps", attack)
        for attack in (place(5, end=5), place(5, 4, end=4), place(6, 4, end=6), place(4, end=3))
    ),
    ("places_have_no_gaps", ALONE),
    ("feed_goes_forward", place(4, end=5)),
    ("place_is_never_changed", "UPDATE events_placement SET position = position"),
    ("place_is_never_changed", "UPDATE events_placement SET sequence = -sequence"),
    ("place_is_kept_until_pruned", "DELETE FROM events_placement WHERE position = 1"),
    ("place_is_kept_until_pruned", "DELETE FROM events_placement WHERE position = 3"),
    ("places_are_never_emptied", "TRUNCATE events_placement"),
    ("pending_event_is_never_changed", "UPDATE events_pending SET sequence = -sequence"),
    ("pending_events_are_never_emptied", "TRUNCATE events_pending"),
    ("pending_event_gets_its_place", "DELETE FROM events_pending"),
    (
        "pending_event_gets_its_place",
        place(4, end=4, also=NONE_PENDING),  # the other one has none
    ),
    ("event_is_kept_until_pruned", f"DELETE FROM events_event WHERE (stream, sequence) IN ({WAITING})"),
    ("event_is_kept_until_pruned", "DELETE FROM events_event WHERE type = 'user.created'"),
]
# Of two events of long ago and one of today, all with places, while nobody is told.
OLD_ATTACKS = [
    ("event_is_kept_until_pruned", "DELETE FROM events_event WHERE sequence = 1"),
    ("place_is_kept_until_pruned", "DELETE FROM events_placement WHERE sequence = 1"),
    ("feed_goes_forward", "UPDATE events_feed_state SET pruned_through = 3"),
]
PRUNED_ATTACKS = [
    ("event_is_kept_until_pruned", "DELETE FROM events_event WHERE sequence = 2"),
    ("event_is_kept_until_pruned", "DELETE FROM events_event WHERE sequence = 3"),
    ("place_is_kept_until_pruned", "DELETE FROM events_placement WHERE sequence = 2"),
    ("place_is_never_changed", "UPDATE events_placement SET position = 0 WHERE sequence = 1"),
    ("feed_goes_forward", "UPDATE events_feed_state SET pruned_through = 0"),
]
PRUNE_ONE = "UPDATE public.events_feed_state SET pruned_through = 1"
PRUNE_ALL = PRUNE_ONE.replace("= 1", "= 3")


@pytest.fixture
def told(account):
    """Three events with places, two without."""
    deposit(account, "1")
    feed.place_pending()
    deposit_times(account, 2)
    assert (FeedState.objects.get().last_position, PendingEvent.objects.count()) == (3, 2)


def record(*rows):
    """Events of the stream, and the user who counts them."""
    User.objects.create(id=STREAM, username="somebody", event_sequence=len(rows))
    execute(insert("events_event", *rows))


def record_old(*ages, kind=EVENT):
    """Events of so long ago, at the beginning of the feed, and one of today."""
    rows = [
        kind | {"sequence": str(number), "recorded_at": f"clock_timestamp() - interval '{age}'"}
        for number, age in enumerate((*ages, "0"), start=1)
    ]
    record(*rows)
    execute(
        "INSERT INTO events_pending (recorded_at, stream, sequence)"
        " SELECT recorded_at, stream, sequence FROM events_event"
    )
    feed.place_pending()


@pytest.fixture
def old(session):  # noqa: F811
    record_old("3 years", "2 years")
    assert list(Placement.objects.order_by("position").values_list("sequence", flat=True)) == [1, 2, 3]


def subscribe(status):
    made, _ = subscriptions.create(kind="webhook", url=f"https://{PUBLIC}/", caller=CALLER)
    execute(f"UPDATE events_subscription SET position = 0, status = '{status}' WHERE id = '{made.id}'")


@pytest.mark.parametrize(("rule", "rows"), SUBSCRIPTIONS)
def test_a_subscription_that_cannot_be_is_refused(rule, rows):
    permission, wrong = rows
    execute(insert("events_subscription", permission))
    with refused_by(rule):
        execute(insert("events_subscription", wrong))


@pytest.mark.parametrize(("rule", "attack"), ATTACKS)
def test_what_would_break_the_feed_is_refused(told, rule, attack):
    with refused_by(rule):
        execute(attack)


def test_what_gives_places_as_the_feed_does_is_not_refused(told):
    execute(place(5, 4, end=5, also=NONE_PENDING))
    assert FeedState.objects.get().last_position == Placement.objects.count() == 5
    execute(insert("events_subscription", WEBHOOK, OTHER, BROKER))


@pytest.mark.parametrize(("rule", "attack"), OLD_ATTACKS)
def test_what_is_old_stays_until_it_is_pruned(old, rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(("rule", "attack"), PRUNED_ATTACKS)
def test_beside_what_was_pruned_the_rest_stays(old, rule, attack):
    execute(PRUNE_ONE)
    with refused_by(rule):
        execute(attack)


def test_what_is_old_and_pruned_goes(old):
    execute(PRUNE_ONE)
    assert execute("DELETE FROM events_event WHERE sequence = 1") == 1
    assert execute("DELETE FROM events_placement WHERE sequence = 1") == 1
    assert feed.prune(days=30) == 1
    assert feed.prune(days=30) == 0
    assert (Event.objects.count(), Placement.objects.get().position) == (1, 3)


def test_what_no_row_tells_stays_for_ever_without_its_place(session):  # noqa: F811
    record_old("3 years", "2 years", kind=KEPT)
    execute(PRUNE_ONE)
    with refused_by("event_is_kept_until_pruned"):
        execute("DELETE FROM events_event WHERE sequence = 1")
    assert feed.prune(days=30) == 2
    assert (Event.objects.count(), Placement.objects.get().sequence) == (3, 3)
    with refused_by("event_is_kept_until_pruned"):
        execute("DELETE FROM events_event")


@pytest.mark.parametrize("status", ["ACTIVE", "PAUSED"])
def test_what_somebody_waits_for_is_not_pruned(old, status):
    subscribe(status)
    with refused_by("feed_goes_forward"):
        execute(PRUNE_ONE)
    assert feed.prune(days=30) == 0
    execute("UPDATE events_subscription SET position = 1")
    execute(PRUNE_ONE)


def test_whoever_is_told_nothing_any_more_holds_up_nothing(old):
    subscribe("DISABLED")
    assert feed.prune(days=30) == 2


@pytest.mark.parametrize(("age", "may_go"), [("29 days 23 hours", False), ("30 days 1 second", True)])
def test_an_event_is_kept_for_thirty_days(session, age, may_go):  # noqa: F811
    record_old(age)
    assert feed.prune(days=30) == may_go
    if not may_go:
        with refused_by("feed_goes_forward"):
            execute(PRUNE_ONE)


@pytest.mark.parametrize("age", ["1 day", "3 years"])
def test_an_event_without_a_place_stays_however_old_it_is(session, age):  # noqa: F811
    record(EVENT | {"recorded_at": f"now() - interval '{age}'"})
    with refused_by("event_is_kept_until_pruned"):
        execute("DELETE FROM events_event")


def test_a_young_event_stays_whoever_has_pruned_it(told):
    """By a hole in the other guards, if there were one."""
    execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE events_feed_state DISABLE TRIGGER feed_goes_forward")
    execute("UPDATE events_feed_state SET pruned_through = 3")
    with refused_by("event_is_kept_until_pruned"):
        execute(
            "DELETE FROM events_event WHERE about IS NOT NULL"
            " AND (stream, sequence) IN (SELECT stream, sequence FROM events_placement)"
        )


# What a table seems to say, if the guards look at the session's own tables first, and what that would allow.
PRUNED = "SELECT 0 AS part, 9 AS pruned_through"
ALL_PRUNED = "SELECT 0 AS part, 9 AS last_position, 8 AS pruned_through"
NOTHING = "SELECT * FROM public.{table} LIMIT 0"
PLACED = "SELECT *, 1 AS position FROM public.events_pending"
REMOVE_OLD = "DELETE FROM public.events_event WHERE about IS NOT NULL AND sequence < 3"
PLACED_FIRST = "SELECT *, 0 AS position FROM public.events_event"
LIES = [
    ("place_is_kept_until_pruned", "events_feed_state", PRUNED, "DELETE FROM public.events_placement"),
    ("event_is_kept_until_pruned", "events_feed_state", PRUNED, REMOVE_OLD),
    ("event_is_kept_until_pruned", "events_placement", PLACED_FIRST, REMOVE_OLD),
    ("pending_event_gets_its_place", "events_placement", PLACED, "DELETE FROM public.events_pending"),
    ("feed_goes_forward", "events_subscription", NOTHING, PRUNE_ONE),
    ("feed_goes_forward", "events_event", NOTHING, PRUNE_ALL),
    ("feed_goes_forward", "events_placement", NOTHING, PRUNE_ALL),
    ("places_have_no_gaps", "events_feed_state", ALL_PRUNED, ALONE),
]


@pytest.mark.parametrize(("rule", "table", "lie", "attack"), LIES)
def test_a_temporary_table_does_not_fool_the_guards(old, petya, rule, table, lie, attack):
    if table == "events_subscription":
        execute(insert("events_subscription", WEBHOOK))
    execute(f"CREATE TEMPORARY TABLE {table} AS {lie.format(table=table)}")
    with refused_by(rule):
        execute(attack)

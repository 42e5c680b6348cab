"""What the audit says in SQL: a row's canonical form, what events are about, and the places of events."""

import json

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.models.tables import HASHERS, Column, Kind, write_canonical
from events import feed
from events.models import Event, Placement
from tests.cast import AccountFactory, deposit
from tests.database import execute
from tests.transactions.test_audit import harm, prove
from tests.transactions.told import read_events_about

pytestmark = pytest.mark.django_db


def ask(expression, value):
    [[answer]] = execute(f"SELECT {expression.replace('?', '%s')}", *[value] * expression.count("?"))
    return answer


EVERY_CHARACTER = "".join(chr(code) for code in range(1, 0x30000) if not 0xD800 <= code < 0xE000)


@pytest.mark.parametrize(
    "value",
    [
        {"a": EVERY_CHARACTER},
        {EVERY_CHARACTER: ""},
        dict.fromkeys(["b", "aa", "a", "B", "é", "\uffff", "\U0001f600", " ", '"', "\\", ""], "x"),
        {},
    ],
    ids=["text", "key", "order", "empty"],
)
def test_the_database_writes_an_object_as_the_chain_does(value):
    written = write_canonical(Column(name="metadata", kind=Kind.OBJECT), "row")
    assert ask(f"(SELECT {written} FROM (SELECT ?::jsonb AS metadata) AS row)", json.dumps(value)) == (
        HASHERS[Kind.OBJECT](value)
    )


def is_of(event):
    return f"stream = '{event.stream}' AND sequence = {event.sequence}"


@pytest.mark.parametrize(
    "change",
    [
        "type = 'transaction.declined'",
        "type = 'transaction.reversed'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "recorded_at = recorded_at - interval '1 microsecond'",
    ],
)
def test_an_event_that_tells_of_a_row_otherwise_is_found(change):
    account = AccountFactory()
    row, after = deposit(account, "10"), deposit(account, "10")
    event, _ = read_events_about([row, after])
    harm(f"UPDATE events_event SET {change} WHERE {is_of(event)}")
    [finding] = [finding for finding in prove().findings if finding.check == "events"]
    assert (finding.table, finding.row) == ("transactions_transaction", str(row.id))
    assert event.id in finding.found


def test_an_event_about_a_row_that_is_not_there_and_a_row_that_none_is_about_are_found():
    row = deposit(AccountFactory(), "10")
    [event] = read_events_about([row])
    harm(f"UPDATE events_event SET about = 777 WHERE {is_of(event)}")
    found = {(finding.table, finding.row) for finding in prove().findings if finding.check == "events"}
    assert found == {("transactions_transaction", str(row.id)), ("events_event", event.id)}


def test_two_events_about_one_row_are_found_by_the_name_of_the_second():
    account = AccountFactory()
    row, after = deposit(account, "10"), deposit(account, "10")
    _, second = read_events_about([row, after])
    harm(
        f"UPDATE events_event SET about = {row.seq}, recorded_at = %s WHERE {is_of(second)}", row.recorded_at
    )
    found = {finding.row: finding.found for finding in prove().findings if finding.check == "events"}
    assert found == {second.id: f"2 about {row.seq}", str(after.id): "none"}


def test_an_event_without_its_one_place_is_found():
    AccountFactory(funds="10")
    other = AccountFactory()
    feed.read()
    event = Event.objects.get(type="transaction.posted")
    opened = Event.objects.get(stream=event.stream, sequence=1)
    own = is_of(event)
    position, first = (
        Placement.objects.get(stream=each.stream, sequence=each.sequence).position for each in (event, opened)
    )
    waiting = "INSERT INTO events_pending (recorded_at, stream, sequence)"
    move = "UPDATE events_placement SET sequence = %s WHERE position = %s;"
    in_the_place_of_the_other = "".join(
        move % step for step in [(777777, first), (opened.sequence, position), (event.sequence, first)]
    )
    for statement, row in [
        (f"DELETE FROM events_placement WHERE {own}", ("events_event", event.id)),
        (
            f"{waiting} SELECT recorded_at, stream, sequence FROM events_event WHERE {own}",
            ("events_event", event.id),
        ),
        (f"{waiting} VALUES (now(), '{event.stream}', 777777)", ("events_pending", f"{event.stream}.777777")),
        (f"{waiting} VALUES (now(), '{event.stream}', {event.sequence})", ("events_pending", event.id)),
        (
            f"UPDATE events_placement SET sequence = 777777 WHERE {own}",
            ("events_placement", str(position)),
        ),
        (
            f"UPDATE events_placement SET stream = '{other.id}' WHERE {own}",
            ("events_placement", str(position)),
        ),
        (in_the_place_of_the_other, ("events_placement", str(first))),
        ("UPDATE events_feed_state SET last_position = last_position + 1", ("events_feed_state", "0")),
    ]:
        with atomic():
            harm(statement)
            found = [finding for finding in prove().findings if finding.check == "places"]
            assert row in {(finding.table, finding.row) for finding in found}, statement
            set_rollback(True)

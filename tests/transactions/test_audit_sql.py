"""What the audit says in SQL: a row's canonical form, what events tell, and the places of events."""

import json

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.models.tables import HASHERS, Column, Kind, write_canonical
from events import feed
from events.models import Event
from tests.cast import AccountFactory, deposit
from tests.database import execute
from tests.transactions.test_audit import harm, prove
from transactions.proof import audit_sql

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


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (number, told)
        for number, texts in {
            "10": ["10", "10.0", "10.00", "10.0000000", "10.00000000"],
            "-0.05": ["-0.05", "-0.050", "-0.05000000"],
            "0": ["0", "0.00"],
            "0.00000001": ["0.00000001"],
        }.items()
        for told in texts
    ],
)
def test_an_event_tells_a_number_in_the_precision_of_its_currency(number, told):
    assert ask(audit_sql._is_told(f"'{number}'::numeric(28,8)", "?::text"), told) is True


@pytest.mark.parametrize(
    "told",
    [
        "",
        "1",
        "-",
        "-10.00",
        "10.",
        "10.01",
        "010.00",
        "+10",
        "1e1",
        " 10",
        "10.000000000",
        "100",
        "NaN",
        None,
    ],
)
def test_an_event_that_tells_another_number_is_found(told):
    assert ask(audit_sql._is_told("'10'::numeric(28,8)", "?::text"), told) is False
    row = deposit(AccountFactory(), "10")
    for name in ("amount", "balance_after"):
        with atomic():
            harm(
                "UPDATE events_event SET data = data || %s WHERE type = 'transaction.posted'",
                json.dumps({name: told}),
            )
            assert [(finding.check, finding.row) for finding in prove().findings] == [("events", str(row.id))]
            set_rollback(True)


def test_an_event_without_its_one_place_is_found():
    AccountFactory(funds="10")
    other = AccountFactory()
    feed.read()
    event = Event.objects.get(type="transaction.posted")
    position = event.placement.position
    waiting = f"INSERT INTO events_pending VALUES ({event.id})"
    for statement, row in [
        (f"DELETE FROM events_placement WHERE event_id = {event.id}", ("events_event", str(event.id))),
        (waiting, ("events_event", str(event.id))),
        (waiting.replace(str(event.id), "777777"), ("events_pending", "777777")),
        (
            f"UPDATE events_placement SET event_id = 777777 WHERE event_id = {event.id}",
            ("events_placement", str(position)),
        ),
        (
            f"UPDATE events_placement SET account_id = '{other.id}' WHERE event_id = {event.id}",
            ("events_placement", str(position)),
        ),
        ("UPDATE events_feed_state SET last_position = last_position + 1", ("events_feed_state", "1")),
    ]:
        with atomic():
            harm(statement)
            found = [finding for finding in prove().findings if finding.check == "places"]
            assert row in {(finding.table, finding.row) for finding in found}, statement
            set_rollback(True)

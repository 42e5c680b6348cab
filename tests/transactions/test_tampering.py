"""More than one column at a time changed behind the ledger's back, with the guards off: all found.

Rows removed, put in, and swapped, with names of what each finding must name. Each change is made to a ledger
with everything in it, audited, and taken back. Every column alone is tests/tampering's; what the audit alone
cannot see is in test_anchors.py.
"""

import random

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic, set_rollback

from events import feed
from events.models import Event
from tests.cast import deposit, new_id
from tests.transactions.test_audit import harm, make_history, prove
from tests.transactions.test_audit_sql import is_of
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
ROWS, EVENTS = "transactions_transaction", "events_event"
RANDOM = random.Random(77)
OTHER_ID = "gen_random_uuid()"
# What a constraint refuses of an event about a row, whoever asks.
REFUSED = {
    "about": "NULL",
    "actor": OTHER_ID,
    "actor_kind": "'staff'",
    "request_id": "''",
    "data": "'{}'",
}


def find_event(row):
    return Event.objects.get(stream=row.account_id, about=row.seq)


def list_tamperings():
    """Of each its title, its statement, and what is named by a finding, one of them at least."""
    posted = list(Transaction.objects.filter(status="POSTED").order_by("recorded_at"))
    told = list(Event.objects.filter(type="transaction.posted"))
    yield from list_removals(posted, told + list_events_with_data())
    yield from list_additions(posted)
    yield from list_swaps(posted)


def list_removals(posted, events):
    for row in RANDOM.sample(posted, 9):
        after = Transaction.objects.filter(account=row.account, recorded_at__gt=row.recorded_at)
        follower = after.earliest("recorded_at").id if after else row.account_id
        names = [follower, find_event(row).id]
        yield f"{row} removed", f"DELETE FROM {ROWS} WHERE id = '{row.id}'", names
    for event in RANDOM.sample(events, 6):
        names = [f"{event.stream}.{event.sequence + 1}", event.stream]
        yield f"{event} removed", f"DELETE FROM {EVENTS} WHERE {is_of(event)}", names
    for event in RANDOM.sample(events, 3):
        columns = ", ".join(field.column for field in Event._meta.concrete_fields)
        forged = columns.replace("sequence", "sequence + 1000")
        yield (
            f"a copy of {event} put in",
            f"INSERT INTO {EVENTS} ({columns}) SELECT {forged} FROM {EVENTS} WHERE {is_of(event)}",
            [f"{event.stream}.{event.sequence + 1000}"],
        )


def list_additions(posted):
    columns = ", ".join(field.column for field in Transaction._meta.concrete_fields if not field.generated)
    for row in RANDOM.sample(posted, 9):
        forged = new_id()
        values = (
            columns.replace("id,", f"'{forged}',", 1)
            .replace("version", "version + 5000")
            .replace("seq", "seq + 5000")
        )
        values = values.replace("recorded_at", "recorded_at + interval '1 microsecond'").replace(
            "reverses", "NULL"
        )
        statement = f"INSERT INTO {ROWS} ({columns}) SELECT {values} FROM {ROWS} WHERE id = '{row.id}'"
        yield f"a copy of {row} put in", statement, [forged]


def list_swaps(posted):
    for first, second in zip(posted[:12:2], posted[1:12:2], strict=True):
        swap = f"CASE id WHEN '{first.id}' THEN {second.amount} + 1 ELSE {first.amount} + 1 END"
        statement = f"UPDATE {ROWS} SET amount = {swap} WHERE id IN ('{first.id}', '{second.id}')"
        yield f"amounts of {first} and {second} swapped", statement, [first.id, second.id]


def test_what_is_removed_put_in_or_swapped_is_found_by_the_name_of_the_row():
    make_history()
    feed.read()
    assert prove().findings == []
    tamperings = list(list_tamperings())
    missed, unnamed = [], []
    for title, statement, names in tamperings:
        with atomic():
            harm(statement)
            found = {finding.row for finding in prove().findings}
            set_rollback(True)
        if not found:
            missed.append(title)
        elif not found & {str(name) for name in names}:
            unnamed.append((title, found))
    assert len(tamperings) >= 30
    assert (missed, unnamed) == ([], [])
    assert prove().findings == []


def list_events_with_data():
    """Those of accounts."""
    return list(Event.objects.filter(about=None).exclude(type__startswith="user."))


def forge_event(stream, type):
    """That waits for its place."""
    return f"""
        WITH forged AS (
            INSERT INTO {EVENTS} (stream, sequence, type, recorded_at, actor_kind, request_id, data, mac)
            VALUES ({stream}, 7, '{type}', now(), 'service', '', '{{}}', 'x')
            RETURNING recorded_at, stream, sequence
        )
        INSERT INTO events_pending (recorded_at, stream, sequence) SELECT * FROM forged"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_user SET event_sequence = event_sequence + 1",
        forge_event("(SELECT id FROM accounts_user LIMIT 1)", "user.changed"),
        forge_event(OTHER_ID, "account.opened"),
        f"DELETE FROM {EVENTS} WHERE type = 'user.created'",
    ],
)
def test_an_event_of_nobody_and_one_that_a_user_does_not_count_are_found(statement):
    make_history()
    harm(statement)
    assert "streams" in {finding.check for finding in prove().findings}


@pytest.mark.parametrize("column", REFUSED)
def test_an_event_about_a_row_can_tell_nothing_else(account, column):
    deposit(account, "1")
    event = Event.objects.get(type="transaction.posted")
    with pytest.raises(IntegrityError, match="event_has_data_or_is_about_a_transaction"), atomic():
        harm(f"UPDATE {EVENTS} SET {column} = {REFUSED[column]} WHERE {is_of(event)}")

"""A hundred ways to change the books behind the ledger's back, as superuser with the triggers off: all found.

Each change is made to a ledger with everything in it, audited, and taken back. What the audit alone cannot
see is in test_anchors.py.
"""

import random

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic, set_rollback

from accounts.models import Hold
from events import feed
from events.models import Event
from tests.cast import deposit, new_id
from tests.transactions.test_audit import harm, make_history, prove
from tests.transactions.test_audit_sql import is_of
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
ROWS, ACCOUNTS, HOLDS, EVENTS = (
    "transactions_transaction",
    "accounts_account",
    "accounts_hold",
    "events_event",
)
RANDOM = random.Random(77)

# How to change each column of a row: an expression over the row, fit for its constraints.
OTHER_ID = "gen_random_uuid()"
FORGED = new_id()
SOON = "interval '1 second'"
COLUMNS = {
    "id": f"'{FORGED}'::uuid",
    "account_id": "(SELECT id FROM accounts_account WHERE status = 'CLOSED')",
    "type": "CASE type WHEN 'DEPOSIT' THEN 'WITHDRAW' ELSE 'DEPOSIT' END",
    "amount": "amount + 0.01",
    "reference": "reference || '!'",
    "metadata": 'metadata || \'{"x": "y"}\'',
    "effective_at_asked": f"coalesce(effective_at_asked, recorded_at) - {SOON}",
    "balance_after": "balance_after + 0.01",
    "seq": "seq + 1000",
    "version": "version + 1000",
    "recorded_at": f"recorded_at + {SOON}",
    "effective_at": f"effective_at - {SOON}",
    "late": "NOT late",
    "transfer": f"CASE WHEN transfer IS NULL THEN {OTHER_ID} END",
    "reverses": f"CASE WHEN reverses IS NULL THEN {OTHER_ID} END",
    "hold": f"CASE WHEN hold IS NULL THEN {OTHER_ID} END",
    "actor": OTHER_ID,
    "actor_kind": "CASE actor_kind WHEN 'staff' THEN 'service' ELSE 'staff' END",
    "request_id": "request_id || '!'",
    "chain_format": "chain_format + 1",
    "chain_hash": "sha256(chain_hash)",
    "decline_reason": "'account_closed'",
    "decline_details": 'decline_details || \'{"x": "y"}\'',
}
OF_ACCOUNTS = {
    "balance": "balance + 0.01",
    "held": "held + 0.01",
    "seq": "seq + 1",
    "version": "version - 1",
    "event_sequence": "event_sequence + 1",
    "last_recorded_at": f"last_recorded_at + {SOON}",
    "last_effective_at": f"last_effective_at - {SOON}",
    "chain_head": "sha256(chain_head)",
    "withdrawn": "withdrawn + 1",
}
# Of an event about a row: it says which, and of what kind and when that was. The row says everything else.
OF_EVENTS = {
    "stream": OTHER_ID,
    "sequence": "sequence + 1000",
    "type": "'transaction.declined'",
    "recorded_at": f"recorded_at + {SOON}",
    "about": "about + 1000",
}
# Of one that has its data itself.
OF_EVENTS_WITH_DATA = {
    "stream": OTHER_ID,
    "sequence": "sequence + 1000",
    "type": "'user.changed'",
    "recorded_at": "recorded_at + interval '1 hour'",
}
# What the audit does not see yet of such a one: no other row says it, and no hash covers it.
NOT_SEEN_YET = {
    "type": "'account.changed'",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "actor": OTHER_ID,
    "actor_kind": "'staff'",
    "request_id": "request_id || '!'",
    "data": 'data || \'{"amount": "1.00", "status": "OPEN"}\'',
}
# What a constraint refuses of an event about a row, whoever asks.
REFUSED = {
    "about": "NULL",
    "actor": OTHER_ID,
    "actor_kind": "'staff'",
    "request_id": "''",
    "data": "'{}'",
}


def change(table, column, expression, id):
    return f"UPDATE {table} SET {column} = {expression} WHERE id = '{id}'"


def change_event(event, column, expression):
    return f"UPDATE {EVENTS} SET {column} = {expression} WHERE {is_of(event)}"


def find_row(event):
    """That it is about."""
    return Transaction.objects.get(account=event.stream, seq=event.about)


def find_event(row):
    return Event.objects.get(stream=row.account_id, about=row.seq)


def list_tamperings(account):
    """Of each its title, its statement, and what is named by a finding, one of them at least."""
    rows = list(Transaction.objects.order_by("recorded_at"))
    posted = [row for row in rows if row.status == "POSTED"]
    declined = [row for row in rows if row.status == "DECLINED"]
    told = list(Event.objects.filter(type="transaction.posted"))
    for column, expression in [*COLUMNS.items()] * 3:
        row = RANDOM.choice(declined if column.startswith("decline") else posted)
        names: list[object] = (
            [row.id, row.account_id] if column in ("account_id", "recorded_at") else [row.id]
        )
        if column == "id":  # the chain knows the old one
            names = [FORGED]
        yield f"{column} of {row}", change(ROWS, column, expression, row.id), names
    last = Transaction.objects.filter(account=account).latest("recorded_at")
    for column, expression in OF_ACCOUNTS.items():
        names = [account.id, last.id]
        yield f"{column} of the account", change(ACCOUNTS, column, expression, account.id), names
    with_data = list_events_with_data()
    for events, columns in ((told, OF_EVENTS), (with_data, OF_EVENTS_WITH_DATA)):
        for column, expression in [*columns.items()] * 2:
            event = RANDOM.choice(events)
            follower, moved = (f"{event.stream}.{event.sequence + number}" for number in (1, 1000))
            names = [find_row(event).id, moved] if event.about else [event.id, event.stream, follower, moved]
            yield f"{column} of {event}", change_event(event, column, expression), names
    yield from list_removals(posted, told + with_data)
    yield from list_additions(posted)
    for placed in Hold.objects.filter(account=account).order_by("created_at")[:2]:
        names = [placed.id, account.id]
        yield f"captured of {placed}", change(HOLDS, "captured", "captured + 0.01", placed.id), names


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
    for first, second in zip(posted[:12:2], posted[1:12:2], strict=True):
        swap = f"CASE id WHEN '{first.id}' THEN {second.amount} + 1 ELSE {first.amount} + 1 END"
        statement = f"UPDATE {ROWS} SET amount = {swap} WHERE id IN ('{first.id}', '{second.id}')"
        yield f"amounts of {first} and {second} swapped", statement, [first.id, second.id]


def test_a_hundred_changes_are_all_found_by_the_name_of_the_row():
    account = make_history()
    feed.read()
    assert prove().findings == []
    tamperings = list(list_tamperings(account))
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
    assert len(tamperings) >= 100
    assert (missed, unnamed) == ([], [])
    assert prove().findings == []


def list_events_with_data():
    """Those of accounts: nobody counts the events of a user yet."""
    return list(Event.objects.filter(about=None).exclude(type__startswith="user."))


def forge_event(stream, type):
    """That waits for its place."""
    return f"""
        WITH forged AS (
            INSERT INTO {EVENTS} (stream, sequence, type, recorded_at, actor_kind, request_id, data)
            VALUES ({stream}, 7, '{type}', now(), 'service', '', '{{}}')
            RETURNING recorded_at, stream, sequence
        )
        INSERT INTO events_pending (recorded_at, stream, sequence) SELECT * FROM forged"""


def test_what_of_events_the_audit_does_not_see_yet():
    """Plainly: whoever changes these behind the ledger's back is not found. One that is belongs above."""
    make_history()
    feed.read()
    changed = Event.objects.filter(type="account.limits_changed")  # not the last of its account
    seen = []
    for column, expression in NOT_SEEN_YET.items():
        with atomic():
            harm(change_event(changed.earliest("stream", "sequence"), column, expression))
            seen += [(column, finding.row) for finding in prove().findings]
            set_rollback(True)
    with atomic():
        harm(f"UPDATE {EVENTS} SET data = '{{}}' WHERE type = 'user.created'")
        seen += [finding.row for finding in prove().findings]
        set_rollback(True)
    assert seen == []


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
        harm(change_event(event, column, REFUSED[column]))


def test_every_column_is_tampered_with():
    columns = {field.column for field in Transaction._meta.concrete_fields if not field.generated}
    assert columns - set(COLUMNS) == {"status"}  # cannot be changed alone: constraints


def test_every_column_of_an_event_is_tampered_with_or_named_as_not_seen_yet():
    columns = {field.column for field in Event._meta.concrete_fields}
    assert columns == {*OF_EVENTS, *REFUSED}
    assert columns - {*OF_EVENTS_WITH_DATA, *NOT_SEEN_YET} == {"about"}  # it would need no data

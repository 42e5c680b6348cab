"""A hundred ways to change the books behind the ledger's back, as superuser with the triggers off: all found.

Each change is made to a ledger with everything in it, audited, and taken back. What the audit alone cannot
see is in test_anchors.py.
"""

import random

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.models import Hold
from events import feed
from events.models import Event
from tests.cast import new_id
from tests.transactions.test_audit import harm, make_history, prove
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
SOON = "interval '1 second'"
COLUMNS = {
    "id": OTHER_ID,
    "account_id": "(SELECT id FROM accounts_account WHERE status = 'CLOSED')",
    "type": "CASE type WHEN 'DEPOSIT' THEN 'WITHDRAW' ELSE 'DEPOSIT' END",
    "amount": "amount + 0.01",
    "reference": "reference || '!'",
    "metadata": 'metadata || \'{"x": "y"}\'',
    "effective_at_asked": f"coalesce(effective_at_asked, recorded_at) - {SOON}",
    "balance_after": "balance_after + 0.01",
    "version": "version + 1000",
    "recorded_at": f"recorded_at + {SOON}",
    "effective_at": f"effective_at - {SOON}",
    "late": "NOT late",
    "transfer": f"CASE WHEN transfer IS NULL THEN {OTHER_ID} END",
    "reverses": f"CASE WHEN reverses IS NULL THEN {OTHER_ID} END",
    "hold": f"CASE WHEN hold IS NULL THEN {OTHER_ID} END",
    "actor": OTHER_ID,
    "request_id": "request_id || '!'",
    "chain_hash": "sha256(chain_hash)",
    "decline_reason": "'account_closed'",
    "decline_details": 'decline_details || \'{"x": "y"}\'',
}
OF_ACCOUNTS = {
    "balance": "balance + 0.01",
    "held": "held + 0.01",
    "version": "version - 1",
    "event_sequence": "event_sequence + 1",
    "last_recorded_at": f"last_recorded_at + {SOON}",
    "last_effective_at": f"last_effective_at - {SOON}",
    "chain_head": "sha256(chain_head)",
    "withdrawn": "withdrawn + 1",
}
OF_EVENTS = {
    "type": "'account.opened'",
    "account_sequence": "account_sequence + 1000",
    "recorded_at": f"recorded_at + {SOON}",
    "data": 'data || \'{"amount": "1.00"}\'',
}


def change(table, column, expression, id):
    return f"UPDATE {table} SET {column} = {expression} WHERE id = '{id}'"


def list_tamperings(account):
    """Of each its title, its statement, and what is named by a finding, one of them at least."""
    rows = list(Transaction.objects.order_by("recorded_at"))
    posted = [row for row in rows if row.status == "POSTED"]
    declined = [row for row in rows if row.status == "DECLINED"]
    told = Event.objects.filter(type="transaction.posted")
    for column, expression in [*COLUMNS.items()] * 3:
        row = RANDOM.choice(declined if column.startswith("decline") else posted)
        names: list[object] = (
            [row.id, row.account_id] if column in ("account_id", "recorded_at") else [row.id]
        )
        if column == "id":  # the event that has lost its transaction knows the old one
            names = [told.get(data__id=str(row.id)).id]
        yield f"{column} of {row}", change(ROWS, column, expression, row.id), names
    last = Transaction.objects.filter(account=account).latest("recorded_at")
    for column, expression in OF_ACCOUNTS.items():
        names = [account.id, last.id]
        yield f"{column} of the account", change(ACCOUNTS, column, expression, account.id), names
    for column, expression in OF_EVENTS.items():
        event = RANDOM.choice(told)
        names = [event.id, event.data["id"]]
        yield f"{column} of {event}", change(EVENTS, column, expression, event.id), names
    yield from list_removals(posted, told)
    yield from list_additions(posted)
    for placed in Hold.objects.filter(account=account).order_by("created_at")[:2]:
        names = [placed.id, account.id]
        yield f"captured of {placed}", change(HOLDS, "captured", "captured + 0.01", placed.id), names


def list_removals(posted, told):
    for row in RANDOM.sample(posted, 9):
        after = Transaction.objects.filter(account=row.account, recorded_at__gt=row.recorded_at)
        follower = after.earliest("recorded_at").id if after else row.account_id
        names = [follower, told.get(data__id=str(row.id)).id]
        yield f"{row} removed", f"DELETE FROM {ROWS} WHERE id = '{row.id}'", names
    for event in RANDOM.sample(list(told), 3):
        names = [event.data["id"], event.id + 1]
        yield f"{event} removed", f"DELETE FROM {EVENTS} WHERE id = {event.id}", names


def list_additions(posted):
    columns = ", ".join(field.column for field in Transaction._meta.concrete_fields)
    for row in RANDOM.sample(posted, 9):
        forged = new_id()
        values = columns.replace("id,", f"'{forged}',", 1).replace("version", "version + 5000")
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


def test_every_column_is_tampered_with():
    columns = {field.column for field in Transaction._meta.concrete_fields}
    assert columns - set(COLUMNS) == {"status"}  # cannot be changed alone: constraints

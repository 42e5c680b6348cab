"""A hundred ways to change the books behind the ledger's back, as superuser with the triggers off: all found.

Each change is made to a ledger with everything in it, audited, and taken back. What the audit alone cannot
see is in test_anchors.py.
"""

import random

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.models import Account, Hold
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


class Tampering:
    """One change: what is done, and what must be named by a finding."""

    def __init__(self, title, statement, *names):
        self.title, self.statement, self.names = title, statement, {str(name) for name in names}


def change(table, column, expression, id):
    return f"UPDATE {table} SET {column} = {expression} WHERE id = '{id}'"


def list_tamperings(account):
    rows = list(Transaction.objects.order_by("recorded_at"))
    posted = [row for row in rows if row.status == "POSTED"]
    declined = [row for row in rows if row.status == "DECLINED"]
    for _ in range(3):
        for column, expression in COLUMNS.items():
            choice = declined if column.startswith("decline") else posted
            row = RANDOM.choice(choice)
            names: list[object] = (
                [row.id, row.account_id] if column in ("account_id", "recorded_at") else [row.id]
            )
            if column == "id":  # the event that has lost its transaction knows the old one
                names = [Event.objects.get(data__id=str(row.id), type__startswith="transaction.").id]
            yield Tampering(f"{column} of {row}", change(ROWS, column, expression, row.id), *names)
    for column, expression in OF_ACCOUNTS.items():
        yield Tampering(
            f"{column} of the account",
            change(ACCOUNTS, column, expression, account.id),
            account.id,
            last(account),
        )
    told = Event.objects.filter(type="transaction.posted")
    for column, expression in OF_EVENTS.items():
        event = RANDOM.choice(told)
        yield Tampering(
            f"{column} of {event}", change(EVENTS, column, expression, event.id), event.id, event.data["id"]
        )
    yield from list_removals(account, posted, told)


def last(account):
    return Transaction.objects.filter(account=account).latest("recorded_at").id


def list_removals(account, posted, told):
    for row in RANDOM.sample(posted, 9):
        after = Transaction.objects.filter(account=row.account, recorded_at__gt=row.recorded_at)
        follower = after.earliest("recorded_at").id if after else row.account_id
        event = told.get(data__id=str(row.id))
        yield Tampering(f"{row} removed", f"DELETE FROM {ROWS} WHERE id = '{row.id}'", follower, event.id)
    for event in RANDOM.sample(list(told), 3):
        yield Tampering(
            f"{event} removed", f"DELETE FROM {EVENTS} WHERE id = {event.id}", event.data["id"], event.id + 1
        )
    for row in RANDOM.sample(posted, 9):
        forged = new_id()
        columns = ", ".join(field.column for field in Transaction._meta.concrete_fields)
        values = columns.replace("id,", f"'{forged}',", 1).replace("version", "version + 5000")
        values = values.replace("recorded_at", "recorded_at + interval '1 microsecond'").replace(
            "reverses", "NULL"
        )
        yield Tampering(
            f"a copy of {row} put in",
            f"INSERT INTO {ROWS} ({columns}) SELECT {values} FROM {ROWS} WHERE id = '{row.id}'",
            forged,
        )
    for first, second in zip(posted[:12:2], posted[1:12:2], strict=True):
        yield Tampering(
            f"amounts of {first} and {second} swapped",
            f"UPDATE {ROWS} SET amount = CASE id WHEN '{first.id}' THEN {second.amount} + 1"
            f" ELSE {first.amount} + 1 END WHERE id IN ('{first.id}', '{second.id}')",
            first.id,
            second.id,
        )
    for placed in Hold.objects.filter(account=account).order_by("created_at")[:2]:
        yield Tampering(
            f"captured of {placed}",
            change(HOLDS, "captured", "captured + 0.01", placed.id),
            placed.id,
            account.id,
        )


def test_a_hundred_changes_are_all_found_by_the_name_of_the_row():
    account = make_history()
    feed.read()
    assert prove().findings == []
    tamperings = list(list_tamperings(account))
    missed, unnamed = [], []
    for tampering in tamperings:
        with atomic():
            harm(tampering.statement)
            found = {finding.row for finding in prove().findings}
            set_rollback(True)
        if not found:
            missed.append(tampering.title)
        elif not found & tampering.names:
            unnamed.append((tampering.title, found))
    assert len(tamperings) >= 100
    assert (missed, unnamed) == ([], [])
    assert prove().findings == []


def test_every_column_is_tampered_with():
    columns = {field.column for field in Transaction._meta.concrete_fields}
    assert columns - set(COLUMNS) == {"status"}  # cannot be changed alone: constraints
    assert Account._meta.get_field("credit_limit_max")

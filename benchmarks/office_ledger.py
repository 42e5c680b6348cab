"""The ledger that the back office is measured on: rows by SQL, past the guards; what is few by the domain."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django.db import connection
from django.utils import timezone

from accounts import operations
from accounts.models import Account, User
from benchmarks.audit import EVENTS, PLACES, TABLES, enable_guards, make_older
from events.models import FeedState, Subscription
from ledger.callers import ActorKind, Caller
from transactions import corrections, posting
from transactions.models import AuditRun, Transaction
from transactions.posting.commands import NewClaim, NewHold, Release, SetStatus, Transfer

SMALL = 100  # transactions of every account but the biggest
DAYS = 60
FEW = 1_000  # holds, of which a part is open, frozen accounts, corrections
LOGGED = 200_000  # entries of the record
BIG = "the biggest"

# Every third one takes out, every 50th was declined, every 100th came three days late.
TRANSACTIONS = f"""
INSERT INTO transactions_transaction (id, account_id, type, amount, reference, metadata, status,
    decline_reason, decline_details, seq, version, balance_after, recorded_at, effective_at, late, actor,
    actor_kind, request_id, chain_format, chain_hash)
SELECT gen_random_uuid(), account_id, CASE WHEN takes THEN 'WITHDRAW' ELSE 'DEPOSIT' END, 10, 'order ' || n,
    '{{"shop": "bench"}}', CASE WHEN declined THEN 'DECLINED' ELSE 'POSTED' END,
    CASE WHEN declined THEN 'insufficient_funds' END,
    CASE WHEN declined THEN '{{"available": "1.00", "required": "10.00"}}'::jsonb END,
    n, CASE WHEN NOT declined THEN n - n / 50 END,
    sum(CASE WHEN declined THEN 0 WHEN takes THEN -10 ELSE 10 END) OVER past,
    recorded_at, CASE WHEN late THEN recorded_at - interval '3 days' ELSE recorded_at END, late, user_id,
    'service', 'bench', 1, sha256(n::text::bytea)
FROM (
    SELECT id AS account_id, user_id, n, n %% 3 = 0 OR n %% 50 = 0 AS takes, n %% 50 = 0 AS declined,
        n %% 100 = 99 AND n > 1000 OR n = 99 AS late,
        now() - interval '{DAYS} days' + n * interval '{DAYS} days' / (rows + 1) AS recorded_at
    FROM (
        SELECT id, user_id, CASE WHEN name = '{BIG}' THEN %(big)s ELSE {SMALL} END AS rows
        FROM accounts_account
    ) AS owners, generate_series(1, rows) AS n
) AS made
WINDOW past AS (PARTITION BY account_id ORDER BY n)
ORDER BY made.recorded_at
"""
UPDATE_ACCOUNTS = """
UPDATE accounts_account SET balance = found.balance, seq = found.seq, version = found.version,
    event_sequence = found.seq + 1, last_recorded_at = found.recorded_at,
    last_effective_at = found.effective_at, chain_head = sha256('0')
FROM (
    SELECT account_id, max(seq) AS seq, max(version) AS version, max(recorded_at) AS recorded_at,
        max(effective_at) AS effective_at, sum(change) AS balance
    FROM transactions_transaction GROUP BY account_id
) AS found WHERE id = account_id
"""
RECORD = ("events_recordentry", "events_recordhead")
ENTRIES = f"""
WITH entry AS (
    INSERT INTO events_recordentry (
        stream, number, recorded_at, actor, actor_kind, request_id, type, action, subject, subject_id, data,
        chain_hash
    )
    SELECT stream, number + n, now(), stream, 'staff', 'bench', 'account.viewed', 'VIEW', 'account',
        gen_random_uuid()::text, '{{}}', sha256('0')
    FROM events_recordhead, generate_series(1, {LOGGED}) AS n WHERE stream = %(boss)s
)
UPDATE events_recordhead SET number = number + {LOGGED}, recorded_at = now(), chain_hash = sha256('0')
WHERE stream = %(boss)s
"""


def make_ledger(transactions: int) -> None:
    """Half of the transactions are one account's, the others are of many users with a hundred each."""
    big = transactions // 2
    users = max(1, (transactions - big) // SMALL)
    first, _ = operations.create_user(id=None, name="bench 0", external_id="bench-0", caller=Caller(None))
    User.objects.create_superuser("bench-boss", "boss@example.com", "unused")
    operations.create_account(user_id=first.id, currency="USD", name=BIG, caller=Caller(None))
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        make_older(cursor, days=DAYS + 1)
        multiply(cursor, users, first.id)
        cursor.execute(TRANSACTIONS, {"big": big})
        cursor.execute(f"{EVENTS} ORDER BY t.recorded_at")
        for statement in (UPDATE_ACCOUNTS, *PLACES):
            cursor.execute(statement)
        enable_guards(cursor)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    make_few(User.objects.get(username="bench-boss"))
    with connection.cursor() as cursor:
        for table in RECORD:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(ENTRIES, {"boss": User.objects.get(username="bench-boss").id})
        enable_guards(cursor, RECORD)
        cursor.execute("VACUUM ANALYZE")


def multiply(cursor: Any, users: int, first: UUID) -> None:
    """As many more users as that, each with an account, after the likeness of the first one's."""
    alike = {
        User: {
            "id": "made.id",
            "username": "made.id::text",
            "name": "'bench ' || n",
            "external_id": "'bench-' || n",
        },
        Account: {"id": "gen_random_uuid()", "user_id": "owner.id"},
    }
    for model, own in alike.items():
        columns = [str(field.column) for field in model._meta.concrete_fields if not field.generated]
        values = ", ".join(own.get(column, f"one.{column}") for column in columns)
        source = (
            "accounts_user AS one, (SELECT gen_random_uuid() AS id, n"
            f" FROM generate_series(1, {users}) AS n) AS made WHERE one.id = %s"
            if model is User
            else "accounts_account AS one, accounts_user AS owner"
            " WHERE one.name = 'main' AND one.user_id = %s AND owner.name LIKE 'bench _%%'"
            " AND owner.id <> one.user_id"
        )
        table = model._meta.db_table
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {source}", [first])


def make_few(boss: User) -> None:
    """Holds, claims, frozen accounts, corrections, transfers, subscriptions, audits: through the domain."""
    big = Account.objects.get(name=BIG)
    others = list(Account.objects.exclude(name=BIG).order_by("id")[:FEW])
    new_id = uuid_utils.compat.uuid7
    for number in range(FEW):
        account = big if number % 4 == 0 else others[number % len(others)]
        ends = timezone.now() + timedelta(days=1, minutes=number)
        new_hold = NewHold(id=new_id(), account_id=account.id, amount=Decimal(1), expires_at=ends)
        posting.post([new_hold], caller=Caller(boss.id, request_id="bench"))
        if number % 3 == 0:
            release = Release(hold_id=new_hold.id, account_id=account.id)
            posting.post([release], caller=Caller(boss.id, request_id="bench"))
        corrections.adjust(
            id=new_id(),
            account_id=account.id,
            type=Transaction.Type.DEPOSIT,
            amount=Decimal(1000 if number % 2 else 1),
            reference=f"ticket {number}",
            reason="bench",
            caller=Caller(boss.id, ActorKind.STAFF, "bench"),
        )
    for account in others[1:100]:
        moving = Transfer(id=new_id(), source_id=big.id, destination_id=account.id, amount=Decimal(1))
        posting.post([moving], caller=Caller(boss.id, request_id="bench"))
    for account in others[::5]:
        frozen = SetStatus(account_id=account.id, status=Account.Status.FROZEN, reason="bench")
        posting.post([frozen], caller=Caller(boss.id, request_id="bench"))
    for account in [*others[1::5], *[big] * 50]:  # open ones, and of the big account some that were collected
        amount = Decimal(1 if account is big else 1_000_000)
        claim = NewClaim(id=new_id(), account_id=account.id, amount=amount, reason="bench")
        posting.post([claim], caller=Caller(boss.id, request_id="bench"))
    state = FeedState.objects.get()
    for number in range(100):
        Subscription.objects.create(
            kind="webhook",
            url=f"https://hooks{number}.example.com/",
            epoch=state.epoch,
            position=state.last_position - number * 1000 if number * 1000 < state.last_position else 0,
            status="ACTIVE" if number % 3 else "PAUSED",
            actor=boss.id,
        )
    for number in range(100):
        at = timezone.now() - timedelta(days=number)
        AuditRun.objects.create(
            started_at=at, finished_at=at, seen_through=at, is_whole=True, accounts=1, rows=1, findings=0
        )

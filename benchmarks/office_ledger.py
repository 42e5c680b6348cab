"""The ledger that the back office is measured on: rows by SQL, past the guards; what is few by the domain."""

from typing import Any
from uuid import UUID

from django.db import connection

from accounts import operations
from accounts.models import Account, User
from benchmarks import office_few
from benchmarks.audit import EVENTS, PLACES, TABLES, enable_guards, make_older
from events.models import FeedState
from ledger.callers import Caller
from transactions import search
from transactions.models import SearchState

SMALL = 100  # transactions of an account that has any, but of the biggest one
DAYS = 60
FEW_MIN, FEW = 60, 2_000  # of what there are few: holds, corrections, notes
LOGGED = 200_000  # entries of the record
BIG = "the biggest"

# Every third one takes out, every 50th was declined, every 1,000th came three days late.
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
        n %% 1000 = 999 OR n = 99 AS late,
        now() - interval '{DAYS} days' + (n + part) * interval '{DAYS} days' / (rows + 1) AS recorded_at
    FROM (
        SELECT a.id, user_id, CASE WHEN a.name = '{BIG}' THEN %(big)s ELSE {SMALL} END AS rows,
            substr(external_id, 7)::float8 / (%(moving)s + 1) AS part  -- of a step: not all at one moment
        FROM accounts_account AS a JOIN accounts_user AS u ON u.id = user_id
        WHERE substr(external_id, 7)::int <= %(moving)s
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
ENTRIES = """
WITH entry AS (
    INSERT INTO events_recordentry (
        stream, number, recorded_at, actor, actor_kind, request_id, type, action, subject, subject_id, data,
        chain_hash
    )
    SELECT stream, number + n, now(), stream, 'staff', 'bench', 'account.viewed', 'VIEW', 'account',
        gen_random_uuid()::text, '{}', sha256('0')
    FROM events_recordhead, generate_series(1, %(logged)s) AS n WHERE stream = %(boss)s
)
UPDATE events_recordhead SET number = number + %(logged)s, recorded_at = now(), chain_hash = sha256('0')
WHERE stream = %(boss)s
"""


def make_ledger(transactions: int, *, users: int) -> None:
    """Half of the transactions are one account's, the others are of accounts with a hundred each, of some of
    the users. All of it is known to the search.
    """
    few = min(FEW, max(FEW_MIN, transactions // 10))
    big = transactions // 2
    moving = max(1, (transactions - big) // SMALL)
    users = max(users, moving, 2)
    first, _ = operations.create_user(id=None, name="bench 0", external_id="bench-0", caller=Caller(None))
    boss = User.objects.create_superuser("bench-boss", "boss@example.com", "unused")
    operations.create_account(user_id=first.id, currency="USD", name=BIG, caller=Caller(None))
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        make_older(cursor, days=DAYS + 1)
        multiply(cursor, users, first.id)
        cursor.execute(TRANSACTIONS, {"big": big, "moving": moving})
        cursor.execute(f"{EVENTS} ORDER BY t.recorded_at")
        for statement in (UPDATE_ACCOUNTS, *PLACES):
            cursor.execute(statement)
        enable_guards(cursor)
        cursor.execute("ANALYZE")
        cursor.execute("SET synchronous_commit = off")
    office_few.make_few(boss, few)
    with connection.cursor() as cursor:
        for table in RECORD:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(ENTRIES, {"boss": boss.id, "logged": min(transactions, LOGGED)})
        enable_guards(cursor, RECORD)
    make_search()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def make_search() -> None:
    """As `rebuild_search` and a relay do it, at the end of a feed that was followed."""
    search.begin_rebuilding()
    SearchState.objects.update(position=FeedState.objects.get().last_position)
    while search.follow_some():
        pass


def multiply(cursor: Any, users: int, first: UUID) -> None:
    """As many more users as that, each with an account, after the likeness of the first one's; a second after
    each other, so that they lie in the order in which they came. Every third one has no name.
    """
    later = "one.created_at + made.n * interval '1 day' / %s" % users  # noqa: UP031, it is for SQL
    alike = {
        User: {
            "id": "made.id",
            "username": "made.id::text",
            "name": "CASE WHEN n %% 3 = 0 THEN '' ELSE 'bench ' || n END",
            "external_id": "'bench-' || n",
            "created_at": later,
        },
        Account: {"id": "gen_random_uuid()", "user_id": "owner.id", "created_at": "owner.created_at"},
    }
    for model, own in alike.items():
        columns = [str(field.column) for field in model._meta.concrete_fields if not field.generated]
        values = ", ".join(own.get(column, f"one.{column}") for column in columns)
        source = (
            "accounts_user AS one, (SELECT gen_random_uuid() AS id, n"
            f" FROM generate_series(1, {users}) AS n) AS made WHERE one.id = %s"
            if model is User
            else "accounts_account AS one, accounts_user AS owner"
            " WHERE one.name = 'main' AND one.user_id = %s AND owner.external_id LIKE 'bench-_%%'"
            " AND owner.id <> one.user_id ORDER BY owner.created_at"
        )
        table = model._meta.db_table
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {source}", [first])

"""What was prepared on a small ledger is as cheap on a large one: nobody analyzes it in between.

A session keeps its plans until autovacuum has been there, and that may be a minute later.
"""

from datetime import timedelta
from decimal import Decimal
from itertools import count, islice

import pytest
from django.db import connection

from accounts.models import Account, User
from events import feed, relay
from events.models import Cursor, Subscription
from ledger.callers import Caller
from ledger_project.database.rights import SETTINGS
from tests import asking
from tests.cast import AccountFactory, OrderFactory, deposit, hold, new_id, transfer, withdraw
from tests.database import execute
from tests.servers import wait_for
from transactions import posting, reading
from transactions.posting.commands import SetLimits, SetMetadata
from transactions.reading import queries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

ROWS = 50_000
ROWS_OF_ONE_ACCOUNT = 10_000
HOLDS = 20_000
ROUNDS = 12  # five until a statement is prepared, five with plans of their own, then one plan is kept
PAGE = 10
# What the service has wherever it runs: how it plans, and that a commit is known at once to be one.
OF_THE_SERVICE = ("enable_seqscan", "random_page_cost", "jit", "synchronous_commit")

READ = """
SELECT coalesce(sum(pg_stat_get_tuples_returned(oid) + pg_stat_get_xact_tuples_returned(oid)), 0)
FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace
"""
UNKNOWN = """
UPDATE pg_class SET relpages = 0, reltuples = -1
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
# With a record of WAL: without one it commits as with `synchronous_commit` off, and until that is flushed,
# no row that was deleted in the last 32 transactions is marked as gone.
NOW = "SELECT pg_current_xact_id()::text FROM pg_logical_emit_message(true, '', '')"
OLDEST_IS_AFTER = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8"
TABLES = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def count_rows_read(action):
    """What the session's scans of tables and indexes gave, those of trigger functions included."""

    def count():
        execute("SELECT pg_stat_force_next_flush()")
        return int(execute(READ)[0][0])

    before = count()
    action()
    return count() - before


def wait_for_older_transactions():
    """An index gives what has gone until nothing older runs, in any database of the server."""
    [[now]] = execute(NOW)
    wait_for(lambda: execute(OLDEST_IS_AFTER, now) == [(True,)], seconds_max=200)


class Ledger:
    """A few accounts, and everything that the service does with them all day."""

    def __init__(self):
        self.one, self.other, self.quiet, *self.others = (AccountFactory() for _ in range(PAGE))
        self.actor, self.numbers = self.one.user_id, count(1)
        self.first = deposit(self.quiet, "1000000")
        self.post([self.one, self.other, *self.others])
        self.held = hold(self.other, "5")
        self.subscription = Subscription.objects.create(
            kind="webhook", url="http://127.0.0.1:1/", epoch=feed.read_state().epoch, position=0,
            status="PAUSED", actor=self.actor,
        )  # fmt: skip
        self.actions = {
            "a deposit": lambda: deposit(self.one, "1"),
            "a decline": lambda: withdraw(self.one, "1000000000"),
            "a withdrawal that arrives late": lambda: withdraw(
                self.quiet, "1", effective_at=self.first.recorded_at
            ),
            "a withdrawal beside a hold": lambda: withdraw(self.other, "1"),
            "a transfer": lambda: transfer(self.one, self.other, "1"),
            "a list": lambda: self.post([self.one, self.other, self.quiet, *self.others]),
            "a replay": self.replay,
            "other metadata and limits": self.change_rules,
            "a hold, placed and released": lambda: asking.release_hold(id=hold(self.other, "1").id),
            "due holds": posting.expire_some,
            "a transaction": lambda: queries.find_transactions([self.first.id]),
            "a reversal looked for": lambda: queries.find_taken_back([self.first.id]),
            "a balance": lambda: reading.read_balance(self.accounts),
            "a balance at a date": lambda: reading.read_balance(self.accounts, at=self.first.recorded_at),
            "a balance as it was known": lambda: reading.read_balance(
                self.accounts,
                at=self.first.recorded_at,
                known_at=self.first.recorded_at + timedelta(seconds=1),
            ),
            "a balance at a date, by itself": lambda: reading.read_balance_at(
                self.one.id, at=self.first.recorded_at, known_at=None
            ),
            "a balance as it was known, by itself": lambda: reading.read_balance_at(
                self.one.id, at=self.first.recorded_at, known_at=self.first.recorded_at + timedelta(seconds=1)
            ),
            "a user": lambda: User.objects.get(id=self.actor),
            "places in the feed": self.place,
            "nothing to place": feed.place_pending,
            "the feed from its start": lambda: self.read(0),
            "the feed from its middle": lambda: self.read(feed.read_state().last_position // 2),
            "the end of the feed": lambda: self.read(feed.read_state().last_position - PAGE),
            "the feed of an account": lambda: self.read(0, streams=[self.one.id]),
            "the feed of quiet accounts": lambda: self.read(PAGE, streams=[self.quiet.id, new_id()]),
            "the feed of a type": lambda: self.read(
                feed.read_state().last_position - PAGE, types=["account.opened"]
            ),
            "the numbers of an account": lambda: feed.read_account(self.one.id, PAGE, limit=PAGE),
            "the relay's look": relay.look,
            "the feed of a user": lambda: self.read(
                PAGE, streams=Subscription(user=self.quiet.user_id).streams
            ),
            "the relay's claim": self.claim,
            "the relay's claim for an account": lambda: self.claim(account=self.quiet.id),
            "the relay's claim for a user": lambda: self.claim(user=self.quiet.user_id),
            "the lag of a subscription": lambda: Subscription.objects.with_lag().get(id=self.subscription.id),
        }

    @property
    def accounts(self):
        return Account.objects.filter(id=self.one.id)

    def post(self, accounts):
        asking.post([OrderFactory(account=account) for account in accounts], caller=Caller(self.actor))

    def replay(self):
        order = OrderFactory(id=self.first.id, account=self.quiet, amount=self.first.amount)
        assert asking.ask(order).replayed

    def change_rules(self):
        account_id, number = self.others[0].id, next(self.numbers)
        limits = {"withdraw_max": Decimal(10**10 + number)}
        asking.post(
            [
                SetMetadata(account_id=account_id, metadata={"number": str(number)}),
                SetLimits(account_id=account_id, limits=limits),
            ],
            caller=Caller(self.actor),
        )

    def place(self):
        deposit(self.one, "1")
        feed.place_pending()
        wait_for_older_transactions()  # or all that follow are given what has gone here

    def read(self, position, **asked):
        after = Cursor(feed.read_state().epoch, max(0, position))
        feed.read(after, limit=PAGE, placed_only=True, **asked)

    def claim(self, **whose):
        """Of one that has got everything but the last event, and is free."""
        state = feed.read_state()
        told = Subscription.objects.filter(id=self.subscription.id)
        told.update(status="ACTIVE", position=state.last_position - 1, types=["account.closed"], **whose)
        assert relay.Relay().claim() == 1
        told.update(status="PAUSED", account=None, user=None)

    def count_rows_read(self):
        """By action; the second time, since rows that were just removed are seen once more, and marked."""
        for _ in range(2):
            rows = {name: count_rows_read(do) for name, do in self.actions.items()}
        return rows

    def grow(self):
        ids = [new_id() for _ in range(2000)]
        users = [User(id=id, username=str(id), name="one of many") for id in ids]
        User.objects.bulk_create(users)
        many = [Account(user=user, name="main", currency="USD") for user in users]
        Account.objects.bulk_create(many)
        execute("ALTER TABLE accounts_hold DISABLE TRIGGER new_holds_have_their_account")
        execute(DECLINED_HOLDS, self.other.id, self.actor, HOLDS)  # nothing tells of them
        execute("ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER new_holds_have_their_account")
        every = ROWS // ROWS_OF_ONE_ACCOUNT
        accounts = (self.one if n % every == 0 else many[n % len(many)] for n in range(ROWS))
        while some := list(islice(accounts, 1000)):
            self.post(some)
        while feed.place_pending():
            pass


DECLINED_HOLDS = """
INSERT INTO accounts_hold (
    id, account_id, amount, amount_asked, captured, status, decline_reason, decline_details, expires_at,
    reference, metadata, created_at, closed_at, actor, request_id, event_sequence
)
SELECT gen_random_uuid(), %s, 1, 1, 0, 'DECLINED', 'insufficient_funds', '{}', now() + interval '1 day', '',
    '{}', now(), now(), %s, '', 1
FROM generate_series(1, %s)
"""


@pytest.fixture(autouse=True)
def _as_in_the_service(transactional_db):
    """Autovacuum, which would come to the rescue now and then, is off. What other tests analyzed, which a
    rollback leaves, and what their session has planned is forgotten."""
    execute(UNKNOWN)
    execute("DELETE FROM pg_statistic WHERE starelid >= 16384")  # of no catalogue
    connection.close()
    tables = [table for [table] in execute(TABLES)]
    for table in tables:
        execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    for setting in OF_THE_SERVICE:
        execute(f"SET {setting} = {SETTINGS['app'][setting]}")
    yield
    for setting in OF_THE_SERVICE:
        execute(f"RESET {setting}")
    for table in tables:
        execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")


@pytest.mark.parametrize("start", ["new", "analyzed"])
def test_what_was_prepared_on_a_small_ledger_reads_no_more_rows_of_a_large_one(start):
    ledger = Ledger()
    for number in range(ROUNDS):
        if number == 1 and start == "analyzed":
            execute("VACUUM ANALYZE")
        for do in ledger.actions.values():
            do()
    before = ledger.count_rows_read()
    ledger.grow()
    wait_for_older_transactions()
    after = ledger.count_rows_read()
    grown = {name: (before[name], after[name]) for name in before if after[name] > 2 * before[name] + PAGE}
    assert grown == {}

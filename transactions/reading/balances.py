"""Balances: those of now, and those at moments of both time axes; and how requests share their reads.

What the API reads most comes from prepared statements: many accounts at once, and without a lock. What is
asked for at the same moment is read by one statement.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import orjson
from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.db.transaction import atomic

from accounts.currencies import find_format
from accounts.errors import AccountNotFound
from accounts.models import Account
from ledger.grouping import Grouping, Waiting
from ledger.sql import fetch
from ledger.values import format_time
from transactions.reading.queries import SETTLED_AFTER, write_balance_at, write_known

READS_MAX = 500  # of a group

Key = TypeVar("Key")
Value = TypeVar("Value")
Reader = Callable[[list[Key]], dict[Key, Value]]  # of what some keys stand for, by key
Read = tuple[Callable[[list[Any]], dict[Any, Any]], Any]  # a reader, with the key that is asked for
OfUser = tuple[UUID, str]  # a user's id and the name of an account
OfThen = tuple[UUID, datetime | None, datetime | None]  # an account, `at` and `known_at`: None is now


class Balance(NamedTuple):
    """What an account held: effective at `at`, as the ledger knew it at `known_at`; amounts in its currency.

    `held` and `available` are of now only; None for a past moment. `version` and `seq` are those of the
    account's last transaction that was known. `balance_now` and `seq_now` are the account's when it was read.
    """

    account_id: UUID
    user_id: UUID
    currency: str
    balance: Decimal
    held: Decimal | None
    available: Decimal | None
    version: int
    at: datetime
    known_at: datetime
    seq: int
    balance_now: Decimal
    seq_now: int

    def to_dict(self) -> dict[str, Any]:
        """The balance as the API shows it."""
        write = find_format(self.currency)
        return {
            "user": str(self.user_id),
            "account": str(self.account_id),
            "currency": self.currency,
            "balance": write(self.balance),
            "held": None if self.held is None else write(self.held),
            "available": None if self.available is None else write(self.available),
            "version": self.version,
            "at": format_time(self.at),
            "known_at": format_time(self.known_at),
        }

    def to_json(self) -> bytes:
        return orjson.dumps(self.to_dict())


def read_current_balances(account_ids: Collection[UUID]) -> dict[UUID, Balance]:
    """What these accounts hold now, by id; there is none for an id that is no account's."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENT_BY_ID, [list(account_ids)])
        return {columns[0]: Balance(*columns) for columns in cursor}


def read_balances_of_users(wanted: Sequence[OfUser]) -> dict[OfUser, dict[str, Balance]]:
    """What the accounts of these users and names hold now, by currency; an empty dict without any."""
    found: dict[OfUser, dict[str, Balance]] = {each: {} for each in wanted}
    with connection.cursor() as cursor:
        cursor.execute(CURRENT_BY_USER, list(map(list, zip(*wanted, strict=True))))
        for name, *columns in cursor:
            balance = Balance(*columns)
            found[balance.user_id, name][balance.currency] = balance
    return found


def read_balance_at(account_id: UUID, *, at: datetime | None, known_at: datetime | None) -> Balance:
    """The balance effective at `at`, as known at `known_at`: both inclusive, None or later than now is now.

    The answer stays true for ever: when somebody may be posting on the account at this moment, it waits for
    them. Raises `AccountNotFound`.
    """
    asked: OfThen = (account_id, at, known_at)
    balance, is_settled = _read_one(asked)
    if not is_settled:
        with atomic():
            fetch("SELECT 1 FROM accounts_account WHERE id = %s FOR SHARE", [account_id])
            balance, _ = _read_one(asked)  # a new statement sees what was posted meanwhile
    return balance


def _read_one(asked: OfThen) -> tuple[Balance, bool]:
    found = read_balances_at([asked])
    if not found:
        raise AccountNotFound("There is no such account.")
    return found[asked]


def read_balances_at(wanted: Sequence[OfThen]) -> dict[OfThen, tuple[Balance, bool]]:
    """Each balance, and whether it stays true for ever; there is none for an id that is no account's."""
    found: dict[OfThen, tuple[Balance, bool]] = {}
    with connection.cursor() as cursor:
        cursor.execute(BALANCES, list(map(list, zip(*wanted, strict=True))))
        for number, is_settled, *columns in cursor:
            found[wanted[number - 1]] = Balance(*columns), is_settled
    return found


def read_balance(
    accounts: QuerySet[Account], *, at: datetime | None = None, known_at: datetime | None = None
) -> Balance:
    """As `read_balance_at`, of the one account in `accounts`. Raises `AccountNotFound` when there is none."""
    id = next(iter(accounts.values_list("id", flat=True)), UUID(int=0))  # which is no account's
    return read_balance_at(id, at=at, known_at=known_at)


def share(read: Reader[Key, Value], key: Key) -> "Future[Value | None]":
    """What the reader finds for the key, or None: read together with what else is asked for at this moment.

    Before `sharing` is started, which a server does, each key is read at once and alone.
    """
    if sharing.thread:
        return sharing.ask((read, key))
    waiting: Waiting[Read, Any] = Waiting((read, key))
    _serve([waiting])
    return waiting.answer


def _serve(group: list[Waiting[Read, Any]]) -> None:
    by_reader: dict[Any, list[Waiting[Read, Any]]] = {}
    for waiting in group:
        by_reader.setdefault(waiting.asked[0], []).append(waiting)
    for read, some in by_reader.items():
        try:
            found = _read(read, list({waiting.asked[1] for waiting in some}))
        except Exception as error:
            for waiting in some:
                waiting.answer.set_exception(error)
        else:
            for waiting in some:
                waiting.answer.set_result(found.get(waiting.asked[1]))


def _read(read: Reader[Any, Any], keys: list[Any]) -> dict[Any, Any]:
    """What is found. A connection that has ended meanwhile is noticed by asking, and then replaced."""
    try:
        return read(keys)
    except (InterfaceError, OperationalError):
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return read(keys)


# Its thread reads for all requests of the process, from `start` to `stop`.
sharing: Grouping[Read, Any] = Grouping("reads", _serve, weight_max=READS_MAX)

# A hold that is due counts no more, whether or not its end is written yet: `Account.held_now`.
HELD_NOW = """account.held - CASE WHEN account.held = 0 THEN 0 ELSE (
        SELECT coalesce(sum(hold.amount - hold.captured), 0) FROM accounts_hold AS hold
        WHERE hold.account_id = account.id AND hold.status = 'OPEN' AND hold.expires_at <= clock_timestamp()
    ) END"""
COLUMNS = f"""account.id, account.user_id, account.currency, account.balance, {HELD_NOW} AS held,
        account.credit_limit, account.version, account.seq, clock_timestamp() AS clock"""
FIELDS = """id, user_id, currency, balance, held, balance - held + credit_limit, version, clock, clock,
    seq, balance, seq"""
# Columns are the fields of `Balance` in their order, in `BALANCES` those behind the second. Each account is
# looked up by itself: OFFSET keeps the planner from joining, for which it would want to know how large the
# table is. So the plan is the look-up by index, even if prepared while the table was empty.
CURRENT_BY_ID = f"""
SELECT {FIELDS} FROM unnest(%s::uuid[]) AS asked(account_id), LATERAL (
    SELECT {COLUMNS} FROM accounts_account AS account WHERE account.id = asked.account_id OFFSET 0
) AS account
"""  # noqa: S608
CURRENT_BY_USER = f"""
SELECT asked.name, {FIELDS} FROM unnest(%s::uuid[], %s::text[]) AS asked(owner_id, name), LATERAL (
    SELECT {COLUMNS} FROM accounts_account AS account
    WHERE account.user_id = asked.owner_id AND account.name = asked.name OFFSET 0
) AS account
"""  # noqa: S608
# Who posts locks the account's row first, then reads the clock for `recorded_at`, and the lock stands in the
# row as its `xmax`. Here the clock is read first, then the row. So what is recorded up to that clock and not
# seen can only be of a transaction that is in `xmax` and had not ended when the snapshot was taken. There is
# none if `xmax` is 0, or the transaction that made this version of the row, or older than all that had not
# ended. But it may be the number of a group of lockers, and those are counted apart: such a number is lower
# than the next one of a group, `mxid_age` of it is not negative, and nothing is concluded.
IS_SETTLED = f"""
    moment.known_at < clock - interval '{SETTLED_AFTER.total_seconds()} seconds'
    OR current_setting('transaction_isolation') = 'read committed' AND (
        locker = 0 OR mxid_age(locker) < 0 AND (
            locker = maker OR age(locker) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)
        )
    )"""
# OFFSET keeps the parts apart, and `clock IS NOT NULL` the row behind the clock.
BALANCES = f"""
SELECT number, {IS_SETTLED}, asked.id, user_id, currency,
    ({write_balance_at("asked.id", "moment.at", "last.seq")}),
    CASE WHEN is_now THEN held END, CASE WHEN is_now THEN balance - held + credit_limit END,
    last.version, moment.at, moment.known_at, last.seq, balance, asked.seq
FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[])
    WITH ORDINALITY AS wanted (id, at, known_at, number)
, LATERAL (
    SELECT clock, least(wanted.at, clock) AS at, least(wanted.known_at, clock) AS known_at
    FROM (SELECT clock_timestamp() AS clock OFFSET 0) AS now
) AS moment, LATERAL (
    SELECT id, user_id, currency, balance, version, seq, last_recorded_at, credit_limit,
        {HELD_NOW} AS held, xmin AS maker, xmax AS locker
    FROM accounts_account AS account WHERE id = wanted.id AND moment.clock IS NOT NULL OFFSET 0
) AS asked LEFT JOIN LATERAL (
    SELECT * FROM ({write_known("asked.id", "moment.known_at")}
    ) AS known WHERE moment.known_at < last_recorded_at OFFSET 0
) AS known ON true, LATERAL (
    SELECT CASE WHEN moment.known_at < last_recorded_at THEN coalesce(known.version, 0) ELSE asked.version END
            AS version,
        CASE WHEN moment.known_at < last_recorded_at THEN coalesce(known.seq, 0) ELSE asked.seq END AS seq,
        least(moment.at, moment.known_at) = clock AS is_now OFFSET 0
) AS last
"""  # noqa: S608, of names, never of values

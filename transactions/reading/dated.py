"""Balances at moments of both time axes, read by one prepared statement and without a lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from accounts.errors import AccountNotFound
from accounts.models import Account
from accounts.models.columns import make_row
from transactions.reading.current import HELD_NOW
from transactions.reading.queries import SETTLED_AFTER, Balance, write_balance_at, write_known_version

OfThen = tuple[UUID, datetime | None, datetime | None]  # an account, `at` and `known_at`: None is now


def read_balance_at(account_id: UUID, *, at: datetime | None, known_at: datetime | None) -> Balance:
    """The balance effective at `at`, as known at `known_at`: both inclusive, None or later than now is now.

    The answer stays true for ever: when somebody may be posting on the account at this moment, it waits for
    them. Raises `AccountNotFound`.
    """
    asked: OfThen = (account_id, at, known_at)
    balance, is_settled = _read_one(asked)
    if not is_settled:
        with atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM accounts_account WHERE id = %s FOR SHARE", [account_id])
            balance, _ = _read_one(asked)  # a new statement sees what was posted meanwhile
    return balance


def _read_one(asked: OfThen) -> tuple[Balance, bool]:
    found = read_balances_at([asked]).get(asked)
    if found is None:
        raise AccountNotFound("There is no such account.")
    return found


def read_balances_at(wanted: Sequence[OfThen]) -> dict[OfThen, tuple[Balance, bool]]:
    """Each balance, and whether it stays true for ever; there is none for an id that is no account's."""
    found: dict[OfThen, tuple[Balance, bool]] = {}
    with connection.cursor() as cursor:
        cursor.execute(BALANCES, list(map(list, zip(*wanted, strict=True))))
        for number, is_settled, account_id, user_id, currency, *columns in cursor.fetchall():
            known = {"id": account_id, "user_id": user_id, "currency": currency}
            account = make_row(Account, known, is_stored=True)
            at, known_at, version, balance, held, available = columns
            found[wanted[number - 1]] = (
                Balance(
                    account=account,
                    balance=balance,
                    held=held,
                    available=available,
                    version=version,
                    at=at,
                    known_at=known_at,
                ),
                is_settled,
            )
    return found


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
SELECT number, {IS_SETTLED}, asked.id, user_id, currency, moment.at, moment.known_at, last.version,
    ({write_balance_at("asked.id", "moment.at", "last.version")}),
    CASE WHEN is_now THEN held END, CASE WHEN is_now THEN balance - held + credit_limit END
FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[])
    WITH ORDINALITY AS wanted (id, at, known_at, number)
, LATERAL (
    SELECT clock, least(wanted.at, clock) AS at, least(wanted.known_at, clock) AS known_at
    FROM (SELECT clock_timestamp() AS clock OFFSET 0) AS now
) AS moment, LATERAL (
    SELECT id, user_id, currency, balance, version, last_recorded_at, credit_limit,
        {HELD_NOW} AS held, xmin AS maker, xmax AS locker
    FROM accounts_account AS account WHERE id = wanted.id AND moment.clock IS NOT NULL OFFSET 0
) AS asked, LATERAL (
    SELECT CASE WHEN moment.known_at < last_recorded_at THEN {
    write_known_version("asked.id", "moment.known_at")
} ELSE version END AS version, least(moment.at, moment.known_at) = clock AS is_now OFFSET 0
) AS last
"""  # noqa: S608, of names, never of values

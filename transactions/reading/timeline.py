"""The balance of an account at a moment beside that of now, what makes the difference, and its course.

Rows are cut by version, not by a clock: what is posted while they are read is in none of the parts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Account
from ledger.sql import fetch
from transactions.models import SIGNED_AMOUNT, Transaction
from transactions.reading.balances import Balance, read_balance

ROWS_MAX = 50  # that are shown of each part
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
# The condition on `late` is written out, so that each arm walks an index of its own from its first row.
EFFECTIVE_LATER = f"""
SELECT * FROM (
    (
        SELECT * FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late
            AND effective_at > %(at)s AND version <= %(version)s
        ORDER BY effective_at, version LIMIT {ROWS_MAX + 1}
    ) UNION ALL (
        SELECT * FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND late
            AND effective_at > %(at)s AND version <= %(version)s
        ORDER BY effective_at, version LIMIT {ROWS_MAX + 1}
    )
) AS row ORDER BY effective_at, version LIMIT {ROWS_MAX + 1}
"""  # noqa: S608, no value is in the text
# Rows in order have the order of both axes: those recorded after the last known one stand behind it.
RECORDED_LATER = f"""
SELECT * FROM (
    (
        SELECT * FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late
            AND (effective_at, version) > (%(last_moment)s, %(last_version)s)
            AND effective_at <= %(at)s AND version <= %(version)s
        ORDER BY effective_at, version LIMIT {ROWS_MAX + 1}
    ) UNION ALL (
        SELECT * FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND late
            AND version > %(known_version)s AND version <= %(version)s AND effective_at <= %(at)s
        ORDER BY version LIMIT {ROWS_MAX + 1}
    )
) AS row ORDER BY version LIMIT {ROWS_MAX + 1}
"""  # noqa: S608
LAST_IN_ORDER = """
SELECT effective_at, version FROM transactions_transaction
WHERE account_id = %s AND status = 'POSTED' AND NOT late AND version <= %s
ORDER BY version DESC LIMIT 1
"""
FIRST_EFFECT = """
SELECT least((
    SELECT min(effective_at) FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late
), (
    SELECT min(effective_at) FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'POSTED' AND late
))
"""
# `balances.BALANCES` for many moments in their order, which is also that of the versions of their bases. A
# late row counts from the first moment not before its effect to the last one whose base is older than it: two
# look-ups in short arrays. So the late rows are read once, and not once for each moment.
COURSE = f"""
WITH known AS (
    SELECT coalesce((
        SELECT version FROM transactions_transaction
        WHERE account_id = %(account)s AND recorded_at <= %(known_at)s AND status = 'POSTED'
        ORDER BY recorded_at DESC LIMIT 1
    ), 0) AS version
), last AS (
    SELECT version, balance_after FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late
        AND version <= (SELECT version FROM known)
    ORDER BY version DESC LIMIT 1
), base AS MATERIALIZED (
    SELECT number, moment, coalesce(CASE
        WHEN row.version <= last.version THEN row.version WHEN row.version > 0 THEN last.version
    END, 0) AS version, coalesce(CASE
        WHEN row.version <= last.version THEN row.balance_after WHEN row.version > 0 THEN last.balance_after
    END, 0) AS balance
    FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS point (moment, number)
    LEFT JOIN LATERAL (
        SELECT version, balance_after FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late AND effective_at <= point.moment
        ORDER BY effective_at DESC, version DESC LIMIT 1
    ) AS row ON true
    LEFT JOIN last ON true
), late AS MATERIALIZED (
    SELECT width_bucket(effective_at - interval '1 microsecond', %(moments)s::timestamptz[]) + 1 AS first,
        width_bucket(version - 1, (SELECT array_agg(version ORDER BY number) FROM base)) AS final,
        sum({SIGNED_AMOUNT}) AS change
    FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'POSTED' AND late
        AND version > (SELECT min(version) FROM base) AND version <= (SELECT version FROM known)
        AND effective_at <= (SELECT max(moment) FROM base)
    GROUP BY 1, 2
)
SELECT moment, balance + coalesce((SELECT sum(change) FROM late WHERE number BETWEEN first AND final), 0)
FROM base ORDER BY number
"""  # noqa: S608, no value is in the text


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a difference: what it adds up to, and its first rows."""

    sum: Decimal
    rows: list[Transaction]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`now` = `then.balance` + `recorded_later.sum` + `effective_later.sum`, exactly.

    `effective_later` is what was effective after the moment, as known now; `recorded_later` what was
    effective by then, but recorded after the moment of knowledge: None when that is now.
    """

    then: Balance
    now: Decimal
    effective_later: Part
    recorded_later: Part | None

    @property
    def difference(self) -> Decimal:
        return self.now - self.then.balance


def compare(
    accounts: QuerySet[Account], *, at: datetime | None = None, known_at: datetime | None = None
) -> Comparison:
    """The balance of the one account in `accounts` at a moment, with what has changed it until now.

    Raises `AccountNotFound`.
    """
    then = read_balance(accounts, at=at, known_at=known_at)
    known_now = then if known_at is None else read_balance(accounts, at=then.at)
    now = known_now.balance_now
    bounds: dict[str, Any] = {"account": then.account_id, "at": then.at, "version": known_now.version_now}
    effective_later = _read_part(now - known_now.balance, EFFECTIVE_LATER, bounds)
    recorded_later = None
    if known_at is not None:
        last_moment, last_version = find_last_in_order(then.account_id, then.version) or (LONG_AGO, 0)
        bounds |= {"last_moment": last_moment, "last_version": last_version, "known_version": then.version}
        recorded_later = _read_part(known_now.balance - then.balance, RECORDED_LATER, bounds)
    return Comparison(then, now, effective_later, recorded_later)


def _read_part(sum: Decimal, query: str, bounds: dict[str, Any]) -> Part:
    rows = list(Transaction.objects.raw(query, bounds))
    return Part(sum, rows[:ROWS_MAX], len(rows) > ROWS_MAX)


def find_last_in_order(account_id: UUID, version: int) -> tuple[datetime, int] | None:
    """When the last row in order up to that version was effective, and its own version.

    Nothing up to that version was effective later: what is late is earlier than a row before it.
    """
    return next(iter(fetch(LAST_IN_ORDER, [account_id, version])), None)


def find_first_effect(account_id: UUID) -> datetime | None:
    """When something was effective on the account for the first time."""
    moment: datetime | None = fetch(FIRST_EFFECT, {"account": account_id})[0][0]
    return moment


def read_course(
    account_id: UUID, moments: Iterable[datetime], *, known_at: datetime
) -> list[tuple[datetime, Decimal]]:
    """The balances at these moments, as known at one, in one statement."""
    return fetch(COURSE, {"account": account_id, "known_at": known_at, "moments": sorted(moments)})

"""An account's history: its balance at a moment beside that of now, what makes the difference, its course.
And its transactions from the newest back: posted with running balances, and declined.

Rows are cut by their number, not by a clock: what is posted while they are read is in none of the parts. A
page of transactions is found from the place where the one before it ended, however far back that is.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Account
from ledger.sql import fetch
from transactions.models import COLUMNS, Transaction
from transactions.reading.balances import Balance, read_balance
from transactions.reading.queries import TAKEN_BACK_OF_ROW

PAGE_SIZE = 50  # rows of a page, and of each part of a difference
EFFECTS_MAX = 500  # of which a course tells every turn
LONG_AGO, FOREVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
SEQ_MAX = 2**63 - 1


def _write_page(in_order: str, late: str, order: str, size: int = PAGE_SIZE) -> str:
    """SQL: a page of posted rows and one row more, out of those in order and those that are late, sorted.

    Each arm is a condition and its own order. `late` is written out, so that each walks an index of its own.
    """
    arms = [
        f"""(
        SELECT * FROM transactions_transaction WHERE account_id = %(account)s AND status = 'POSTED'
            AND {arm} LIMIT {size + 1}
    )"""  # noqa: S608, no value is in the text
        for arm in (f"NOT late AND {in_order}", f"late AND {late}")
    ]
    rows = " UNION ALL ".join(arms)
    return f"SELECT {COLUMNS} FROM ({rows}) AS row ORDER BY {order} LIMIT {size + 1}"  # noqa: S608


BEFORE = """(effective_at, seq) < (%(moment)s, %(seq)s) AND seq <= %(known_seq)s
            ORDER BY effective_at DESC, seq DESC"""
AFTER = "effective_at > %(at)s AND seq <= %(seq)s ORDER BY effective_at, seq"
LINES = f"""
SELECT {COLUMNS}, taken.reversed, taken.reversed_by
FROM ({_write_page(BEFORE, BEFORE, "effective_at DESC, seq DESC")}) AS row,
    LATERAL {TAKEN_BACK_OF_ROW} AS taken
ORDER BY effective_at DESC, seq DESC
"""  # noqa: S608, no value is in the text
IN_RANGE = BEFORE.replace("ORDER BY", "AND effective_at >= %(since)s ORDER BY")
EFFECTS = f"""
SELECT effective_at, change
FROM ({_write_page(IN_RANGE, IN_RANGE, "effective_at DESC, seq DESC", EFFECTS_MAX)}) AS row
ORDER BY effective_at DESC, seq DESC
"""  # noqa: S608
DECLINES = f"""
SELECT {COLUMNS} FROM transactions_transaction
WHERE account_id = %(account)s AND status = 'DECLINED' AND recorded_at < %(before)s
ORDER BY recorded_at DESC LIMIT {PAGE_SIZE + 1}
"""  # noqa: S608
EFFECTIVE_LATER = _write_page(AFTER, AFTER, "effective_at, seq")
# Rows in order have the order of both axes: those recorded after the last known one stand behind it.
RECORDED_LATER = _write_page(
    """(effective_at, seq) > (%(last_moment)s, %(last_seq)s)
            AND effective_at <= %(at)s AND seq <= %(seq)s
        ORDER BY effective_at, seq""",
    """seq > %(known_seq)s AND seq <= %(seq)s AND effective_at <= %(at)s
        ORDER BY seq""",
    "seq",
)
LAST_IN_ORDER = """
SELECT effective_at, seq FROM transactions_transaction
WHERE account_id = %s AND status = 'POSTED' AND NOT late AND seq <= %s
ORDER BY seq DESC LIMIT 1
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
# `balances.BALANCES` for many moments in their order, which is also that of the numbers of their bases. A
# late row counts from the first moment not before its effect to the last one whose base is older than it: two
# look-ups in short arrays. So the late rows are read once, and not once for each moment.
COURSE = """
WITH known AS (
    SELECT coalesce((
        SELECT seq FROM transactions_transaction
        WHERE account_id = %(account)s AND recorded_at <= %(known_at)s AND status = 'POSTED'
        ORDER BY recorded_at DESC LIMIT 1
    ), 0) AS seq
), last AS (
    SELECT seq, balance_after FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late
        AND seq <= (SELECT seq FROM known)
    ORDER BY seq DESC LIMIT 1
), base AS MATERIALIZED (
    SELECT number, moment, coalesce(CASE
        WHEN row.seq <= last.seq THEN row.seq WHEN row.seq > 0 THEN last.seq
    END, 0) AS seq, coalesce(CASE
        WHEN row.seq <= last.seq THEN row.balance_after WHEN row.seq > 0 THEN last.balance_after
    END, 0) AS balance
    FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS point (moment, number)
    LEFT JOIN LATERAL (
        SELECT seq, balance_after FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late AND effective_at <= point.moment
        ORDER BY effective_at DESC, seq DESC LIMIT 1
    ) AS row ON true
    LEFT JOIN last ON true
), late AS MATERIALIZED (
    SELECT width_bucket(effective_at - interval '1 microsecond', %(moments)s::timestamptz[]) + 1 AS first,
        width_bucket(seq - 1, (SELECT array_agg(seq ORDER BY number) FROM base)) AS final,
        sum(change) AS change
    FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'POSTED' AND late
        AND seq > (SELECT min(seq) FROM base) AND seq <= (SELECT seq FROM known)
        AND effective_at <= (SELECT max(moment) FROM base)
    GROUP BY 1, 2
)
SELECT moment, balance + coalesce((SELECT sum(change) FROM late WHERE number BETWEEN first AND final), 0)
FROM base ORDER BY number
"""


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
    bounds: dict[str, Any] = {"account": then.account_id, "at": then.at, "seq": known_now.seq_now}
    effective_later = _read_part(now - known_now.balance, EFFECTIVE_LATER, bounds)
    recorded_later = None
    if known_at is not None:
        last_moment, last_seq = find_last_in_order(then.account_id, then.seq) or (LONG_AGO, 0)
        bounds |= {"last_moment": last_moment, "last_seq": last_seq, "known_seq": then.seq}
        recorded_later = _read_part(known_now.balance - then.balance, RECORDED_LATER, bounds)
    return Comparison(then, now, effective_later, recorded_later)


def _read_part(sum: Decimal, query: str, bounds: dict[str, Any]) -> Part:
    rows = list(Transaction.objects.raw(query, bounds))
    return Part(sum, rows[:PAGE_SIZE], len(rows) > PAGE_SIZE)


def find_last_in_order(account_id: UUID, seq: int) -> tuple[datetime, int] | None:
    """When the last row in order up to that number was effective, and its own number.

    Nothing up to that number was effective later: what is late is earlier than a row before it.
    """
    return next(iter(fetch(LAST_IN_ORDER, [account_id, seq])), None)


def find_first_effect(account_id: UUID) -> datetime | None:
    """When something was effective on the account for the first time."""
    moment: datetime | None = fetch(FIRST_EFFECT, {"account": account_id})[0][0]
    return moment


def read_course(
    account_id: UUID, moments: Iterable[datetime], *, known_at: datetime
) -> list[tuple[datetime, Decimal]]:
    """The balances at these moments, as known at one, in one statement."""
    return fetch(COURSE, {"account": account_id, "known_at": known_at, "moments": sorted(moments)})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of lines begins: with the newest row before (`moment`, `seq`) in the order of effect.

    `balance` is the one after that row, out of what was known up to `known_seq`.
    """

    moment: datetime
    seq: int
    balance: Decimal
    known_seq: int


@dataclass(frozen=True, slots=True)
class Line:
    """A posted transaction, and the balance after it in the order of effect."""

    row: Transaction
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[Line]
    next: Place | None


def begin_now(account: Account) -> Place:
    """The newest line of an account that has just been read."""
    return Place(FOREVER, SEQ_MAX, account.balance, account.seq)


def begin_at(balance: Balance) -> Place:
    """The newest line that makes up a balance of the past."""
    start = (balance.at, SEQ_MAX)
    if balance.seq < balance.seq_now:  # else the rows recorded since would be walked through
        last = find_last_in_order(balance.account_id, balance.seq)
        start = min(start, (last[0], last[1] + 1)) if last else (LONG_AGO, 0)
    return Place(*start, balance.balance, balance.seq)


def read_newest_effects(
    account_id: UUID, place: Place, *, since: datetime
) -> tuple[list[tuple[datetime, Decimal]], bool]:
    """The balances right after each of the newest transactions since a moment, by effect, oldest first; and
    whether these are all of them, or only the newest `EFFECTS_MAX`.
    """
    rows = fetch(EFFECTS, {"account": account_id, "since": since, **asdict(place)})
    effects, balance = [], place.balance
    for effective_at, change in rows[:EFFECTS_MAX]:
        effects.append((effective_at, balance))
        balance -= change
    return effects[::-1], len(rows) <= EFFECTS_MAX


def read_lines(account_id: UUID, place: Place) -> Page:
    """A page of posted transactions with running balances, newest effect first."""
    rows = list(Transaction.objects.raw(LINES, {"account": account_id, **asdict(place)}))
    lines, balance = [], place.balance
    for row in rows[:PAGE_SIZE]:
        lines.append(Line(row, balance))
        balance -= row.change
    if len(rows) <= PAGE_SIZE:
        return Page(lines, None)
    last = lines[-1].row
    return Page(lines, Place(last.effective_at, last.seq, balance, place.known_seq))


def read_declines(account_id: UUID, before: datetime | None = None) -> tuple[list[Transaction], bool]:
    """The newest declined transactions, or those before a moment, and whether there are more."""
    rows = list(Transaction.objects.raw(DECLINES, {"account": account_id, "before": before or FOREVER}))
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE

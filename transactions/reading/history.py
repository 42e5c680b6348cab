"""An account's transactions from the newest back: posted with running balances, and declined.

A page is found from the place where the one before it ended, however far back that is.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Account
from transactions.models import Transaction
from transactions.reading import balances, timeline

PAGE_SIZE = 50
LOOK_BACK_MAX = 200  # rows that are looked at for the balance before a declined one
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
VERSION_MAX = 2**63 - 1
# The rows compared as pairs and the condition on `late` written out: see `transactions.reading.statements`.
LINES = f"""
SELECT row.*, (
    SELECT id FROM transactions_transaction AS other WHERE other.reverses = row.id AND other.status = 'POSTED'
) AS reversed_by
FROM (
    (
        SELECT * FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late
            AND (effective_at, version) < (%(moment)s, %(version)s) AND version <= %(known_version)s
        ORDER BY effective_at DESC, version DESC LIMIT {PAGE_SIZE + 1}
    ) UNION ALL (
        SELECT * FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND late
            AND (effective_at, version) < (%(moment)s, %(version)s) AND version <= %(known_version)s
        ORDER BY effective_at DESC, version DESC LIMIT {PAGE_SIZE + 1}
    )
) AS row ORDER BY effective_at DESC, version DESC LIMIT {PAGE_SIZE + 1}
"""  # noqa: S608, no value is in the text
# No index has the posted rows by `recorded_at`: the last one is looked for among the rows just before.
DECLINES = f"""
SELECT row.*, coalesce((
    SELECT balance_after FROM (
        SELECT status, recorded_at, balance_after FROM transactions_transaction AS earlier
        WHERE earlier.account_id = row.account_id AND earlier.recorded_at < row.recorded_at
        ORDER BY earlier.recorded_at DESC LIMIT {LOOK_BACK_MAX}
    ) AS near WHERE status = 'POSTED' ORDER BY recorded_at DESC LIMIT 1
), (
    SELECT 0 WHERE NOT EXISTS (
        SELECT FROM transactions_transaction AS first
        WHERE first.account_id = row.account_id AND first.version = 1 AND first.recorded_at < row.recorded_at
    )
)) AS balance_then
FROM (
    SELECT * FROM transactions_transaction
    WHERE account_id = %(account)s AND status = 'DECLINED' AND recorded_at < %(before)s
    ORDER BY recorded_at DESC LIMIT {PAGE_SIZE + 1}
) AS row ORDER BY recorded_at DESC
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of lines begins: with the newest row before (`moment`, `version`) in the order of effect.

    `balance` is the one after that row, out of what was known up to `known_version`.
    """

    moment: datetime
    version: int
    balance: Decimal
    known_version: int


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
    return Place(FOREVER, VERSION_MAX, account.balance, account.version)


def begin_at(balance: balances.Balance) -> Place:
    """The newest line that makes up a balance of the past."""
    start = (balance.at, VERSION_MAX)
    if balance.version < balance.version_now:  # else the rows recorded since would be walked through
        last = timeline.find_last_in_order(balance.account_id, balance.version)
        start = min(start, (last[0], last[1] + 1)) if last else (timeline.LONG_AGO, 0)
    return Place(*start, balance.balance, balance.version)


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
    return Page(lines, Place(last.effective_at, last.version or 0, balance, place.known_version))


def read_declines(account_id: UUID, before: datetime | None = None) -> tuple[list[Transaction], bool]:
    """The newest declined transactions, or those before a moment, and whether there are more.

    Each with `balance_then`, the balance when it was declined; None when that is too far back to look.
    """
    rows = list(Transaction.objects.raw(DECLINES, {"account": account_id, "before": before or FOREVER}))
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE

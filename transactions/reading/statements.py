"""Statements: what was effective on an account over some days, and the balances at both ends."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.currencies import format_amount
from accounts.models import Account
from ledger.values import MICROSECOND, format_time
from transactions.models import COLUMNS, Transaction
from transactions.reading.balances import Balance, read_balance, read_balance_at
from transactions.reading.history import Line

LINE = ("transaction", "type", "amount", "balance", "effective_at", "recorded_at", "reference")
PAGE_SIZE = 1000
# A page beyond a position. The rows compared as pairs and the condition on `late` written out: that is what
# lets PostgreSQL walk an index in order instead of sorting all that is left.
LINES = {
    is_late: f"""
SELECT {COLUMNS} FROM transactions_transaction
WHERE account_id = %(account)s AND status = 'POSTED' AND {"late" if is_late else "NOT late"}
    AND (effective_at, seq) > (%(moment)s, %(seq)s) AND effective_at < %(beyond)s
    AND recorded_at <= %(known_at)s
ORDER BY effective_at, seq LIMIT %(size)s
"""  # noqa: S608, no value is in the text
    for is_late in (False, True)
}


class Position(NamedTuple):
    """Behind a line: when its row was effective, the number of the row, and the balance after it."""

    moment: datetime
    seq: int
    balance: Decimal


@dataclass(kw_only=True)
class Statement:
    """As the ledger knew it at one moment, so that it stays right however long it takes to read.

    `opening` is the balance before the first day; `closing`, which the lines lead to, is right once they have
    been read. Days begin and end in `zone`: they have 23 or 25 hours where its clocks change.
    """

    opening: Balance
    closing: Decimal
    first_day: date
    last_day: date
    zone: tzinfo

    def as_opening(self) -> dict[str, str]:
        return {
            "account": str(self.opening.account_id),
            "currency": self.opening.currency,
            "from": self.first_day.isoformat(),
            "to": self.last_day.isoformat(),
            "tz": str(self.zone),
            "opening_balance": format_amount(self.opening.balance, self.opening.currency),
        }

    def as_closing(self) -> dict[str, str]:
        return {"closing_balance": format_amount(self.closing, self.opening.currency)}

    def read_lines(self) -> Iterator[dict[str, str]]:
        """The lines by `effective_at`, each with the balance after it. To be read once."""
        for line in self.read_rows():
            row, self.closing = line.row, line.balance
            yield {
                "transaction": str(row.id),
                "type": row.type,
                "amount": format_amount(row.amount, self.opening.currency),
                "balance": format_amount(self.closing, self.opening.currency),
                "effective_at": format_time(row.effective_at),
                "recorded_at": format_time(row.recorded_at),
                "reference": row.reference,
            }

    def read_page(self, after: Position | None, size: int) -> tuple[list[Line], Position | None]:
        """So many lines behind a position, or from the first one; and the position of those that follow."""
        lines = list(islice(self.read_rows(after, size + 1), size + 1))
        if len(lines) <= size:
            return lines, None
        last = lines[size - 1]
        return lines[:size], Position(last.row.effective_at, last.row.seq, last.balance)

    def read_rows(self, after: Position | None = None, size: int = PAGE_SIZE) -> Iterator[Line]:
        """The transactions by `effective_at`, each with the balance after it; `size` of them at a time."""
        start = after or Position(find_start(self.first_day, self.zone), 0, self.opening.balance)
        balance = start.balance
        for row in heapq.merge(
            *(self._read_rows(late, start, size) for late in (False, True)),
            key=attrgetter("effective_at", "seq"),
        ):
            balance += row.change
            yield Line(row, balance)

    def read_closing(self) -> Decimal:
        """The balance at the end of the last day, which the lines lead to, before they are read."""
        end = find_start(self.last_day + timedelta(days=1), self.zone) - MICROSECOND
        return read_balance_at(self.opening.account_id, at=end, known_at=self.opening.known_at).balance

    def _read_rows(self, late: bool, start: Position, size: int) -> Iterator[Transaction]:
        """The rows by effect, page after page; those that are late have an index of their own."""
        bounds = {
            "account": self.opening.account_id,
            "moment": start.moment,
            "seq": start.seq,
            "beyond": find_start(self.last_day + timedelta(days=1), self.zone),
            "known_at": self.opening.known_at,
            "size": size,
        }
        while True:
            page = list(Transaction.objects.raw(LINES[late], bounds))
            yield from page
            if len(page) < size:
                return
            bounds |= {"moment": page[-1].effective_at, "seq": page[-1].seq}


def read_statement(
    accounts: QuerySet[Account],
    *,
    first_day: date,
    last_day: date,
    zone: tzinfo | None = None,
    known_at: datetime | None = None,
) -> Statement:
    """The statement of the one account in `accounts`, both days inclusive, as known at a moment or now.

    Raises `AccountNotFound`.
    """
    zone = zone or UTC
    opening = read_balance(accounts, at=find_start(first_day, zone) - MICROSECOND, known_at=known_at)
    return Statement(
        first_day=first_day,
        last_day=last_day,
        zone=zone,
        opening=opening,
        closing=opening.balance,
    )


def find_start(day: date, zone: tzinfo) -> datetime:
    """The first instant of the day in that zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)

"""Statements: what was effective on an account over some days, and the balances at both ends."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from operator import attrgetter

from django.db.models import QuerySet

from accounts.currencies import format_amount
from accounts.models import Account
from ledger.values import MICROSECOND, format_time
from transactions.models import COLUMNS, Transaction
from transactions.reading.balances import Balance, read_balance

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
ORDER BY effective_at, seq LIMIT {PAGE_SIZE}
"""  # noqa: S608, no value is in the text
    for is_late in (False, True)
}


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
        for row in heapq.merge(
            self._read_rows(late=False),
            self._read_rows(late=True),
            key=attrgetter("effective_at", "seq"),
        ):
            self.closing += row.change
            yield {
                "transaction": str(row.id),
                "type": row.type,
                "amount": format_amount(row.amount, self.opening.currency),
                "balance": format_amount(self.closing, self.opening.currency),
                "effective_at": format_time(row.effective_at),
                "recorded_at": format_time(row.recorded_at),
                "reference": row.reference,
            }

    def _read_rows(self, *, late: bool) -> Iterator[Transaction]:
        """The rows by effect, page after page; those that are late have an index of their own."""
        bounds = {
            "account": self.opening.account_id,
            "moment": find_start(self.first_day, self.zone),
            "seq": 0,
            "beyond": find_start(self.last_day + timedelta(days=1), self.zone),
            "known_at": self.opening.known_at,
        }
        while True:
            page = list(Transaction.objects.raw(LINES[late], bounds))
            yield from page
            if len(page) < PAGE_SIZE:
                return
            bounds |= {"moment": page[-1].effective_at, "seq": page[-1].seq}


def read_statement(
    accounts: QuerySet[Account], *, first_day: date, last_day: date, zone: tzinfo | None = None
) -> Statement:
    """The statement of the one account in `accounts`, both days inclusive. Raises `AccountNotFound`."""
    zone = zone or UTC
    opening = read_balance(accounts, at=find_start(first_day, zone) - MICROSECOND)
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

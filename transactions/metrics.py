"""What moves, is owed, waits and was proven; the relay serves it (`ledger_project.metrics`)."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Any

from prometheus_client.core import Metric

from ledger.figures import DatabaseCollector, counters, gauge, gauges
from ledger.sql import fetch
from transactions import audits, search
from transactions.models import Figures, Transaction

TOTALS = """
SELECT currency, type, outcome, sum(count)::bigint, sum(amount), sum(late)::bigint
FROM transactions_hourlytotal
WHERE hour >= coalesce(%(since)s::timestamptz, '-infinity')
    AND hour < coalesce(%(until)s::timestamptz, 'infinity')
GROUP BY currency, type, outcome
"""
WAITING = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(made_at)), 0)
FROM transactions_correction WHERE status = 'WAITING'
"""
KEY = ("currency", "type", "outcome")
Totals = dict[tuple[str, str, str], tuple[int, Decimal, int]]


class MoneyMetrics(DatabaseCollector):
    """Sums of what the relays count in the background (`transactions.reading.statistics`): of hours that are
    over they are kept, so that a scrape reads the rows of two hours, however old the ledger is."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.until: datetime | None = None
        self.past: Totals = {}

    def read(self) -> Iterator[Metric]:
        figures = Figures.objects.first()
        totals = self._read_totals(figures.counted_through if figures else None)
        counts = [(*key, count) for key, (count, _, _) in totals.items()]
        yield counters(
            "ledger_transactions", "Transactions recorded, by outcome: posted, or why not.", KEY, counts
        )
        amounts = [(*key, amount) for key, (_, amount, _) in totals.items()]
        yield counters("ledger_transactions_amount", "The sum of their amounts.", KEY, amounts)
        owed: Counter[str] = Counter()
        late: Counter[str] = Counter()
        for (currency, type, outcome), (_, amount, count) in totals.items():
            late[currency] += count
            if outcome == "posted":
                owed[currency] += amount if type == Transaction.Type.DEPOSIT else -amount  # type: ignore[assignment]
        yield counters("ledger_transactions_late", "Posted into the past.", KEY[:1], late.items())
        yield gauges("ledger_liabilities", "The sum of all balances.", KEY[:1], owed.items())
        held: dict[str, Any] = figures.held if figures else {}
        text = "What all holds have set aside, ten minutes old at most."
        yield gauges("ledger_held", text, KEY[:1], held.items())
        counted = figures.counted_through.timestamp() if figures and figures.counted_through else 0
        yield gauge("ledger_figures_timestamp_seconds", "Up to when the sums of money are counted.", counted)

    def _read_totals(self, counted_through: datetime | None) -> Totals:
        """Of all hours. Those before the last that was counted never change again."""
        with self.lock:
            if counted_through is not None:
                hour = counted_through.replace(minute=0, second=0, microsecond=0)
                if self.until is None or hour > self.until:
                    self.past = add(self.past, _fetch_totals(self.until, hour))
                    self.until = hour
            return add(self.past, _fetch_totals(self.until, None))


def _fetch_totals(since: datetime | None, until: datetime | None) -> Totals:
    rows = fetch(TOTALS, {"since": since, "until": until})
    return {(currency, type, outcome): tuple(sums) for currency, type, outcome, *sums in rows}


def add(one: Totals, other: Totals) -> Totals:
    nothing = (0, Decimal(0), 0)
    sums: Totals = {}
    for key in one | other:
        (count, amount, late), more = one.get(key, nothing), other.get(key, nothing)
        sums[key] = count + more[0], amount + more[1], late + more[2]
    return sums


class CorrectionMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        [[count, seconds]] = fetch(WAITING)
        yield gauge("ledger_corrections_waiting", "Corrections that wait for a second person.", count)
        yield gauge("ledger_corrections_oldest_waiting_seconds", "For how long the first of them.", seconds)


class SearchMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        known = search.read_knowledge()
        text = "Age of the oldest event that the search does not know of."
        yield gauge("ledger_search_behind_seconds", text, known.behind_seconds)
        yield gauge(
            "ledger_search_behind_events",
            "Events with a place that it does not know of.",
            known.behind_events,
        )
        yield gauge("ledger_search_rebuilding", "1 while it is made anew.", known.is_rebuilding)


class AuditMetrics(DatabaseCollector):
    """What the last audits found, and when everything was last proven: 0, as long as it never was."""

    def read(self) -> Iterator[Metric]:
        standing = audits.find_standing()
        clean = standing.clean
        text = "Of the last audit of everything, or of one of a part since."
        yield gauge("ledger_audit_findings", text, standing.findings)
        yield gauge(
            "ledger_audit_clean_timestamp_seconds",
            "When an audit of everything last found nothing, in Unix time; 0: never.",
            clean.finished_at.timestamp() if clean else 0,
        )

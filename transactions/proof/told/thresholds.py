"""The audit of thresholds: what their events have told, in its order, and what then is left of them.

A threshold is set, then crossed to the other side and back any number of times, and perhaps removed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.models import THRESHOLD_TABLE, Account, Threshold
from ledger.values import format_time

if TYPE_CHECKING:
    from transactions.proof.told import Telling

Wrong = tuple[UUID | None, str, str, str, str]
TYPES = ("threshold.", "balance.")  # how those of its events begin
SET, REMOVED = "threshold.set", "threshold.removed"
SIDES = {"balance.fell_below": True, "balance.rose_above": False}

# That an account's figures are where its thresholds say, and its `nearest` are these.
THRESHOLDS = """
WITH sides AS (
    SELECT account_id,
        max(amount) FILTER (WHERE "of" = 'balance' AND NOT below) AS low,
        min(amount) FILTER (WHERE "of" = 'balance' AND below) AS high,
        max(amount) FILTER (WHERE "of" = 'available' AND NOT below) AS low_available,
        min(amount) FILTER (WHERE "of" = 'available' AND below) AS high_available
    FROM accounts_threshold WHERE account_id BETWEEN %(first)s AND %(last)s GROUP BY account_id
)
SELECT id, 'accounts_account', id::text,
    concat('nearest ', CASE WHEN account_id IS NULL THEN 'none'
        ELSE ARRAY[low, high, low_available, high_available]::text END),
    concat('nearest ', coalesce(nearest::text, 'none'))
FROM accounts_account AS account LEFT JOIN sides ON account_id = id
WHERE id BETWEEN %(first)s AND %(last)s AND nearest IS DISTINCT FROM
    CASE WHEN account_id IS NOT NULL THEN ARRAY[low, high, low_available, high_available] END
UNION ALL
SELECT account_id, 'accounts_threshold', threshold.id::text,
    concat('below ', figure < amount, ': ', "of", ' ', figure), concat('below ', below)
FROM accounts_threshold AS threshold
LEFT JOIN LATERAL (
    SELECT CASE "of" WHEN 'balance' THEN balance ELSE balance - held + credit_limit END AS figure
    FROM accounts_account WHERE id = account_id OFFSET 0
) AS account ON true
WHERE account_id BETWEEN %(first)s AND %(last)s AND below IS DISTINCT FROM figure < amount
"""


@dataclass
class Told:
    """Of an account's thresholds: the events by which those that are left were set, and their last ones."""

    set: "dict[str, Telling]" = field(default_factory=dict)
    last: "dict[str, Telling]" = field(default_factory=dict)
    wrong: list[tuple[str, str, str]] = field(
        default_factory=list
    )  # the event, what is expected, what is there

    def add(self, event: "Telling") -> None:
        type, data = event.sealed.type, event.sealed.data
        id = data["id"] if type in (SET, REMOVED) else data["threshold"]
        last = self.last.get(id)
        if type == SET and last is None:
            self.set[id] = self.last[id] = event
            return
        if type == SET or last is None:
            self._find(event, "a threshold that is set once, before anything else is told of it", type)
            return
        was_below = last.sealed.data["below"]
        if type == REMOVED:
            if data["below"] != was_below:
                self._find(event, f"below {was_below}, as it was told last", f"below {data['below']}")
            del self.set[id], self.last[id]
            return
        is_below = Decimal(data[data["of"]]) < Decimal(data["amount"])
        if (SIDES.get(type), data["below"], is_below) != (not was_below,) * 3:
            self._find(
                event,
                f"below {not was_below}, since it was told otherwise before",
                f"{type}, below {data['below']}",
            )
        self.last[id] = event

    def _find(self, event: "Telling", expected: str, found: str) -> None:
        self.wrong.append((f"{event.sealed.stream}.{event.sealed.sequence}", expected, found))

    def compare(self, account: Account, thresholds: Iterable[Threshold]) -> Iterator[Wrong]:
        """What is wrong with the events, and with the rows of the account."""
        for name, expected, found in self.wrong:
            yield account.id, "events_event", name, expected, found
        rows = {str(each.id): each for each in thresholds}
        for id in sorted(self.last.keys() - rows.keys()):
            sequence = self.last[id].sealed.sequence
            yield account.id, "accounts_threshold", id, f"a threshold, as event {sequence} tells", "none"
        for id, row in rows.items():
            if id not in self.last:
                yield account.id, "accounts_threshold", id, "the event by which it was set", "none"
                continue
            wanted, there = self._expect(id), _describe(row, account.currency)
            if wrong := [name for name in there if there[name] != wanted[name]]:
                yield (
                    account.id,
                    "accounts_threshold",
                    id,
                    ", ".join(f"{name} {wanted[name]}" for name in wrong),
                    ", ".join(f"{name} {there[name]}" for name in wrong),
                )

    def _expect(self, id: str) -> dict[str, Any]:
        begun, last = self.set[id].sealed, self.last[id].sealed
        return {
            **begun.data,
            "amount": Decimal(begun.data["amount"]),
            "below": last.data["below"],
            "since": format_time(last.recorded_at),
            "created_at": format_time(begun.recorded_at),
            "actor": begun.actor,
            "request_id": begun.request_id,
            "event_sequence": last.sequence,
        }


def _describe(row: Threshold, currency: str) -> dict[str, Any]:
    return THRESHOLD_TABLE.to_dict(row, currency) | {
        "amount": row.amount,  # an event has it in the precision of its currency, which may come to less
        "actor": row.actor,
        "request_id": row.request_id,
        "event_sequence": row.event_sequence,
    }

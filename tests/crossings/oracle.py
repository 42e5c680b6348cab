"""What the events of an account say that should have been told of its thresholds, and what was told.

Nothing of the product decides here: figures are worked out from what the feed tells, unit by unit, and where
a unit has left the account on the other side of a threshold there must be one event, and no other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

FELL, ROSE = "balance.fell_below", "balance.rose_above"
Event = dict[str, Any]  # an envelope of the feed, as far as it is used here


@dataclass
class Watched:
    """A threshold, and on which side of it the account was at the end of the last unit."""

    id: str
    of: str
    amount: Decimal
    below: bool


@dataclass
class Oracle:
    balance: Decimal = Decimal(0)
    credit_limit: Decimal = Decimal(0)
    holds: dict[str, Decimal] = field(default_factory=dict)  # what each open one has left
    thresholds: dict[str, Watched] = field(default_factory=dict)
    crossings: int = 0

    def judge(self, events: Iterable[tuple[object, Event]]) -> Iterator[str]:
        """What is wrong with the events of one account, which are all that it has, in their order, each with
        its unit."""
        for unit, told in groupby(events, key=lambda each: each[0]):
            yield from self._judge_unit(unit, [event for _, event in told])

    @property
    def figures(self) -> dict[str, Decimal]:
        held = sum(self.holds.values(), Decimal(0))
        return {
            "balance": self.balance,
            "held": held,
            "available": self.balance - held + self.credit_limit,
        }

    def _judge_unit(self, unit: object, events: list[Event]) -> Iterator[str]:
        causes = [event for event in events if event["type"] not in (FELL, ROSE)]
        told = [event for event in events if event["type"] in (FELL, ROSE)]
        if events != causes + told:
            yield f"{unit}: a crossing is told before the end of its unit"
        if any(event["request_id"] != events[0]["request_id"] for event in told):
            yield f"{unit}: a crossing is told of another request"
        for event in causes:
            yield from self._take(event)
        expected = list(self._list_crossings())
        self.crossings += len(expected)
        found = [(event["type"], event["data"]["threshold"], read_figures(event["data"])) for event in told]
        if found != expected:
            yield f"{unit}: {[event['type'] for event in causes]} should tell {expected}, and told {found}"

    def _list_crossings(self) -> Iterator[tuple[str, str, dict[str, Decimal]]]:
        crossed = [each for each in self.thresholds.values() if self._is_below(each) != each.below]
        fell = sorted((each for each in crossed if not each.below), key=lambda each: (-each.amount, each.of))
        rose = sorted((each for each in crossed if each.below), key=lambda each: (each.amount, each.of))
        for threshold in [*fell, *rose]:
            threshold.below = not threshold.below
            yield FELL if threshold.below else ROSE, threshold.id, self.figures

    def _is_below(self, threshold: Watched) -> bool:
        return self.figures[threshold.of] < threshold.amount

    def _take(self, event: Event) -> Iterator[str]:
        data = event["data"]
        match event["type"].split("."):
            case ["account", _]:
                self.credit_limit = Decimal(data["credit_limit"])
            case ["transaction", "posted"]:
                self.balance = Decimal(data["balance_after"])
            case ["hold", _]:
                self.holds[data["id"]] = Decimal(data["remaining"])
            case ["threshold", "set"]:
                threshold = Watched(data["id"], data["of"], Decimal(data["amount"]), data["below"])
                if threshold.id in self.thresholds or self._is_below(threshold) != threshold.below:
                    yield f"{event['id']}: {data} is set, with {self.figures}"
                self.thresholds[threshold.id] = threshold
            case ["threshold", "removed"]:
                if self.thresholds.pop(data["id"]).below != data["below"]:
                    yield f"{event['id']}: {data} is removed, on the other side"


class Units:
    """Which unit each event is of: the request, or, before it, the end of a hold, which is one of its own.

    `events` are those of each account, in their order. A crossing is of the unit that it follows, and so is a
    collection; but what a payee gets is of the unit in which it was taken. That is so of histories in which
    every request is one command, or one list with an id.
    """

    def __init__(self, events: Mapping[Any, Sequence[Event]]) -> None:
        self.events = events
        self.taken = {
            event["data"]["transfer"]: (account, place)
            for account, told in events.items()
            for place, event in enumerate(told)
            if is_collection(event) and event["data"]["type"] == "WITHDRAW"
        }
        self.units: dict[tuple[Any, int], object] = {}

    def split(self, account: Any) -> Iterator[tuple[object, Event]]:
        for place, event in enumerate(self.events[account]):
            yield self._find(account, place), event

    def _find(self, account: Any, place: int) -> object:
        if (account, place) not in self.units:
            self.units[account, place] = self._look(account, place)
        return self.units[account, place]

    def _look(self, account: Any, place: int) -> object:
        event = self.events[account][place]
        if event["type"] == "hold.expired":
            return "end of", event["data"]["id"]
        taken = is_collection(event) and self.taken.get(event["data"]["transfer"])
        if taken and event["data"]["type"] == "DEPOSIT":
            return self._find(*taken)
        follows = event["type"] in (FELL, ROSE, "claim.collected") or is_collection(event)
        if follows and place and self.events[account][place - 1]["request_id"] == event["request_id"]:
            return self._find(account, place - 1)
        return "request", event["request_id"]


def is_collection(event: Event) -> bool:
    return event["type"] == "transaction.posted" and event["data"].get("claim") is not None


def read_figures(data: dict[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(data[name]) for name in ("balance", "held", "available")}

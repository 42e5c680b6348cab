"""The part of the reference ledger that knows at which amounts somebody wants to be told."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tests.reference_commands import Refusal, format_amount

THRESHOLDS_MAX = 20
FELL, ROSE = "balance.fell_below", "balance.rose_above"


@dataclass(kw_only=True)
class Threshold:
    id: UUID
    account: UUID
    of: str
    amount: Decimal
    below: bool


class ReferenceThresholds:
    def __init__(self):
        self.thresholds: dict[UUID, Threshold] = {}

    def list_thresholds(self, account):
        return [each for each in self.thresholds.values() if each.account == account]

    def find_threshold(self, account, of, amount):
        found = [each for each in self.list_thresholds(account) if (each.of, each.amount) == (of, amount)]
        return found[0] if found else None

    def find_threshold_refusal(self, account, of, amount, expected, clock):
        """Why none can be set, or None. What is set already is answered, whatever sequence is expected."""
        if not self.has_scale(amount, account):
            return Refusal("amount_scale")
        if self.find_threshold(account, of, amount):
            return None
        if self.accounts[account].status == "CLOSED":
            return Refusal("account_closed")
        if expected not in (None, self.find_sequence(account, clock)):
            return Refusal("sequence_mismatch")
        return Refusal("limit_reached") if len(self.list_thresholds(account)) == THRESHOLDS_MAX else None

    def set_threshold(self, id, account, of, amount, clock):
        """`id` is what the ledger calls a new one."""
        self.expire(account, clock)
        if not (threshold := self.find_threshold(account, of, amount)):
            threshold = Threshold(id=id, account=account, of=of, amount=amount, below=False)
            threshold.below = self.is_below(threshold, clock)
            self.thresholds[id] = threshold
            self.events[account].append(("threshold.set", self.describe_threshold(threshold)))
        return threshold

    def remove_threshold(self, id, clock):
        threshold = self.thresholds[id]
        self.expire(threshold.account, clock)
        self.events[threshold.account].append(("threshold.removed", self.describe_threshold(threshold)))
        del self.thresholds[id]

    def tell_crossings(self, accounts, clock):
        """At the end of a unit: who has come to the other side of an amount is told of once."""
        for account in accounts:
            every = self.list_thresholds(account)
            crossed = [each for each in every if each.below != self.is_below(each, clock)]
            fell = [each for each in crossed if not each.below]
            rose = [each for each in crossed if each.below]
            fell.sort(key=lambda each: (-each.amount, each.of))
            rose.sort(key=lambda each: (each.amount, each.of))
            for threshold in [*fell, *rose]:
                threshold.below = not threshold.below
                told = self.describe_threshold(threshold)
                told = {"threshold": told.pop("id"), **told, **self._format_figures(account, clock)}
                self.events[account].append((FELL if threshold.below else ROSE, told))

    def is_below(self, threshold, clock):
        return self._find_figures(threshold.account, clock)[threshold.of] < threshold.amount

    def count_crossings_due(self, account, clock):
        """How many are crossed by the ends of holds that nobody has told yet."""
        due = sum((self.find_rest(hold) for hold in self.find_untold(account, clock)), Decimal(0))
        available = self._find_figures(account, clock)["available"]
        amounts = [each.amount for each in self.list_thresholds(account) if each.of == "available"]
        return sum(1 for amount in amounts if available < amount <= available + due)

    def describe_threshold(self, threshold):
        """As it is told, but for the times."""
        currency = self.accounts[threshold.account].currency
        return {
            "id": str(threshold.id),
            "account": str(threshold.account),
            "of": threshold.of,
            "amount": format_amount(threshold.amount, currency),
            "below": threshold.below,
        }

    def _find_figures(self, account, clock):
        """What is written: a hold is held until its end is told."""
        due = sum((self.find_rest(hold) for hold in self.find_untold(account, clock)), Decimal(0))
        balance, held = self.sum_balance(account), self.sum_held(account, clock) + due
        return {
            "balance": balance,
            "held": held,
            "available": balance - held + self.accounts[account].credit_limit,
        }

    def _format_figures(self, account, clock):
        currency = self.accounts[account].currency
        figures = self._find_figures(account, clock)
        return {name: format_amount(amount, currency) for name, amount in figures.items()}

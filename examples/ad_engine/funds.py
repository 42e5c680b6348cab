"""What an account may spend, worked out from its events alone, in their order."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass
class Funds:
    """Amounts are decimals from the ledger's strings, never floats. `holds`: what each open hold has left."""

    balance: Decimal = Decimal(0)
    credit_limit: Decimal = Decimal(0)
    status: str = "UNKNOWN"
    holds: dict[str, Decimal] = field(default_factory=dict)

    @property
    def available(self) -> Decimal:
        return self.balance - sum(self.holds.values(), Decimal(0)) + self.credit_limit

    @property
    def may_be_spent(self) -> bool:
        """A frozen account lets nothing out, whatever it has."""
        return self.status == "ACTIVE" and self.available > 0

    def apply(self, event: dict[str, Any]) -> None:
        """The account's next event. Types that the engine does not know change nothing it knows."""
        data = event["data"]
        match event["type"].split("."):
            case ["account", _]:
                self.balance = Decimal(data["balance"])
                self.credit_limit = Decimal(data["credit_limit"])
                self.status = data["status"]
            case ["transaction", "posted"]:
                self.balance = Decimal(data["balance_after"])
                if data["hold"]:
                    # The hold.captured of the same commit comes next. Until then the money would be counted
                    # twice, as gone and as held, and the campaign would stop for a moment.
                    self._keep_hold(data["hold"], self.holds[data["hold"]] - Decimal(data["amount"]))
            case ["hold", _]:
                self._keep_hold(data["id"], Decimal(data["remaining"]))

    def _keep_hold(self, id: str, remaining: Decimal) -> None:
        self.holds[id] = remaining
        if not remaining:
            del self.holds[id]

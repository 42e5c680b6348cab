"""Whether a campaign may run, by what the ledger tells of its account: all that is the engine's own trade."""

from dataclasses import dataclass
from typing import Any

# At least this must be available. Whoever opens a campaign sets it: POST /accounts/{id}/thresholds
ENOUGH = {"of": "available", "amount": "0.01"}


@dataclass
class Funds:
    status: str = "UNKNOWN"
    is_enough: bool = False

    @property
    def may_be_spent(self) -> bool:
        """A frozen account lets nothing out, whatever it has."""
        return self.status == "ACTIVE" and self.is_enough

    def apply(self, event: dict[str, Any]) -> None:
        """The account's next event. Types that the engine does not know change nothing it knows."""
        data = event["data"]
        match event["type"].split("."):
            case ["account", _]:
                self.status = data["status"]
            case ["threshold", "removed"] if ENOUGH.items() <= data.items():
                self.is_enough = False
            case ["threshold" | "balance", _] if ENOUGH.items() <= data.items():
                self.is_enough = not data["below"]

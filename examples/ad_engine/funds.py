"""Whether a campaign may run, by what the ledger tells of its account: all that is the engine's own trade."""

from dataclasses import dataclass
from typing import Literal

from ledger_client import Event
from ledger_client.resources import Account, Threshold
from ledger_client.telling import Crossing

# At least this must be available. Whoever opens a campaign sets it: POST /accounts/{id}/thresholds
OF: Literal["available"] = "available"
AMOUNT = "0.01"


@dataclass
class Funds:
    status: str = "UNKNOWN"
    is_enough: bool = False

    @property
    def may_be_spent(self) -> bool:
        """A frozen account lets nothing out, whatever it has."""
        return self.status == "ACTIVE" and self.is_enough

    def apply(self, event: Event) -> None:
        """The account's next event. Types that the engine does not know change nothing it knows."""
        match event.resource:
            case Account(status=status):
                self.status = status
            case Threshold(of=of, amount=amount, below=below) | Crossing(of=of, amount=amount, below=below):
                if (of, str(amount)) == (OF, AMOUNT):
                    self.is_enough = event.type != "threshold.removed" and not below

"""Taking back what was posted: the opposite transaction with the full amount, or the opposite transfer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ledger.callers import Caller
from ledger.errors import gettext_noop
from transactions import errors
from transactions.models import Transaction, derive_destination_id
from transactions.posting.asked import require_asked
from transactions.posting.commands.transfer import decide_legs, find_differences, needs_of
from transactions.posting.legs import Leg
from transactions.posting.state import Culprit, Decision, Needs, State

OPPOSITE = {"DEPOSIT": Transaction.Type.WITHDRAW, "WITHDRAW": Transaction.Type.DEPOSIT}


@dataclass(slots=True, kw_only=True)
class Reversal:
    """Takes back `rows`: a posted transaction, or both legs of a transfer. With `if_left` it makes nothing of
    what was taken back before, and is no decline. `expected_version` is a condition, not a part of the
    command: of the account of its first leg, which of a transfer is the one that the money leaves again.
    Raises `NotReversible`, and what `require_asked` does.
    """

    id: UUID
    reason: str
    rows: Sequence[Transaction]
    if_left: bool = False
    expected_version: int | None = None
    legs: tuple[Leg, ...] = field(init=False)
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        if any(row.status != Transaction.Status.POSTED or row.reverses for row in self.rows):
            raise errors.NotReversible(
                gettext_noop("Only a posted transaction that is not itself a reversal can be taken back.")
            )
        if any(row.claim for row in self.rows):
            raise errors.NotReversible(
                gettext_noop("What was collected for a claim stays collected: it was owed.")
            )
        legs = map(self._make_leg, self.rows)  # WITHDRAW first, as in a transfer
        self.legs = tuple(sorted(legs, key=lambda leg: leg.type, reverse=True))
        self.legs[0].expected_version = self.expected_version
        self.needs = needs_of(self.legs)

    def _make_leg(self, row: Transaction) -> Leg:
        transfer = self.id if len(self.rows) > 1 else None
        return Leg(
            id=derive_destination_id(self.id) if transfer and row.type == "WITHDRAW" else self.id,
            account_id=row.account_id,
            type=OPPOSITE[row.type],
            amount=row.amount,
            metadata={"reason": self.reason},
            transfer=transfer,
            reverses=row.id,
        )

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        differs = find_differences(self.legs, before)
        return ["reason" if name == "metadata" else name for name in differs]

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        if self.if_left and any(leg.reverses in state.reversed_by for leg in self.legs):
            return ()
        return decide_legs(self.legs, state, caller, culprit)

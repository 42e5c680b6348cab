"""Withdrawing what a hold has set aside."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import cast
from uuid import UUID

from accounts.models import Hold, replace_row
from ledger.callers import Caller
from ledger.text import MetadataInvalid, require_metadata
from transactions.models import TABLE, Transaction
from transactions.posting.asked import require_amount, require_asked
from transactions.posting.commands.hold import tell
from transactions.posting.legs import Leg, decide_leg, explain
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State

NOT_FINAL = {"final": "false"}


class Remaining(Enum):
    """An amount that only the hold knows."""

    ALL = "all that the hold has left"


@dataclass(slots=True, kw_only=True)
class Capture:
    """A withdrawal from the hold; what then remains is given back, unless `final` is False.

    That it is not final stands in the row's metadata, so that a repetition is compared: the key is taken.
    `expected_version`, of the hold's account, is a condition, not a part of the command. Raises what
    `require_amount` and `require_asked` do.
    """

    id: UUID
    hold_id: UUID
    account_id: UUID
    amount: Decimal | Remaining = Remaining.ALL
    final: bool = True
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    expected_version: int | None = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.amount is not Remaining.ALL:
            require_amount(self.amount)
        require_asked(self)
        if NOT_FINAL.keys() & self.metadata.keys():
            raise MetadataInvalid("The key final is what a capture itself says: name yours otherwise.")
        if not self.final:
            require_metadata(self.metadata | NOT_FINAL)
        self.needs = Needs((self.account_id,), (self.id,), holds=(self.hold_id,))

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        row = before[self.id]
        amount = row.amount if self.amount is Remaining.ALL else self.amount
        differs = TABLE.find_differences(self._make_leg(amount), row)
        if "metadata" in differs:
            differs.remove("metadata")
            sent = {name: text for name, text in row.metadata.items() if name not in NOT_FINAL}
            was_final = not NOT_FINAL.keys() & row.metadata.keys()
            differs += ["final"] * (was_final != self.final) + ["metadata"] * (sent != self.metadata)
        return differs

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        hold = state.get_hold(self.hold_id, self.account_id)
        amount = self.amount
        leg = self._make_leg((hold.remaining or hold.amount) if amount is Remaining.ALL else amount)
        decline = explain(leg, culprit) if culprit else None
        decision = decide_leg(leg, state, caller, decline=decline, hold=hold)
        row, account = cast(Transaction, decision.row), cast(AccountState, decision.account)
        if row.decline_reason:
            return (decision,)
        before, hold = hold, replace_row(hold, captured=hold.captured + row.amount)
        held = account.held - row.amount
        if self.final or hold.remaining == 0:
            held -= hold.remaining
            hold = replace_row(hold, status=Hold.Status.CAPTURED, closed_at=row.recorded_at)
        captured = tell("hold.captured", hold, account, held=held, before=before)
        return (captured._replace(made=row, row=row, events=decision.events + captured.events),)

    def _make_leg(self, amount: Decimal) -> Leg:
        return Leg(
            id=self.id,
            account_id=self.account_id,
            type=Transaction.Type.WITHDRAW,
            amount=amount,
            reference=self.reference,
            metadata=self.metadata if self.final else self.metadata | NOT_FINAL,
            expected_version=self.expected_version,
            hold=self.hold_id,
        )

"""Taking back what was posted, whole or in parts: the opposite transaction, or the opposite transfer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Claim
from ledger.callers import Caller
from ledger.errors import gettext_noop
from ledger.text import TypeInvalid
from ledger.values import format_time
from transactions import errors
from transactions.models import Transaction, derive_destination_id
from transactions.posting.asked import require_amount, require_asked
from transactions.posting.commands.parts import Side, find_part
from transactions.posting.commands.transfer import decide_legs, find_differences, needs_of
from transactions.posting.legs import Leg
from transactions.posting.state import Culprit, Decision, Needs, State
from transactions.reading.queries import NOTHING, TakenBack

OPPOSITE = {"DEPOSIT": Transaction.Type.WITHDRAW, "WITHDRAW": Transaction.Type.DEPOSIT}


@dataclass(slots=True, kw_only=True)
class Reversal:
    """Takes back `amount` of `rows`, a posted transaction or both legs of a transfer.

    `amount` is of the row `transaction_id`, by default of the first one; None: all that is left. It is
    effective when it is recorded, or at `effective_at`, which is not before what is taken back was. With
    `if_left` it makes nothing of what has nothing left, and is no decline. `expected_version` is a condition,
    not a part of the command: of the account of its first leg, which of a transfer is the one that the money
    leaves again. Raises `NotReversible`, `EffectiveAtTooEarly`, and what `require_amount` and `require_asked`
    do.
    """

    id: UUID
    reason: str
    rows: Sequence[Transaction]
    amount: Decimal | None = None
    transaction_id: UUID | None = None
    effective_at: datetime | None = None
    if_left: bool = False
    expected_version: int | None = None
    legs: tuple[Leg, ...] = field(init=False)  # as if all of the original were taken
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        if self.amount is not None:
            require_amount(self.amount)
        if any(row.status != Transaction.Status.POSTED or row.reverses for row in self.rows):
            raise errors.NotReversible(
                gettext_noop("Only a posted transaction that is not itself a reversal can be taken back.")
            )
        if any(row.claim for row in self.rows):
            raise errors.NotReversible(
                gettext_noop("What was collected for a claim stays collected: it was owed.")
            )
        earliest = max(row.effective_at for row in self.rows)
        if self.effective_at is not None and self.effective_at < earliest:
            raise errors.EffectiveAtTooEarly(
                gettext_noop("Nothing is taken back before it moved."), earliest=format_time(earliest)
            )
        if self.transaction_id is None:
            self.transaction_id = self.rows[0].id
        legs = map(self._make_leg, self.rows)  # WITHDRAW first, as in a transfer
        self.legs = tuple(sorted(legs, key=lambda leg: leg.type, reverse=True))
        if all(leg.reverses != self.transaction_id for leg in self.legs):
            error = TypeInvalid("Not the id of one of the rows.")
            error.field = "transaction_id"
            raise error
        self.legs[0].expected_version = self.expected_version
        self.needs = needs_of(self.legs)._replace(claim=self.id)  # it may have been asked as a claim

    def _make_leg(self, row: Transaction) -> Leg:
        transfer = self.id if len(self.rows) > 1 else None
        return Leg(
            id=derive_destination_id(self.id) if transfer and row.type == "WITHDRAW" else self.id,
            account_id=row.account_id,
            type=OPPOSITE[row.type],
            amount=row.amount,
            effective_at=self.effective_at,
            metadata={"reason": self.reason},
            transfer=transfer,
            reverses=row.id,
            amount_asked=self.amount if row.id == self.transaction_id else None,
        )

    def find_differences(self, before: Claim | dict[UUID, Transaction]) -> list[str]:
        """Of what was asked, and not of what that came to."""
        if isinstance(before, Claim):
            return ["claim"]
        as_taken = [replace(leg, amount=before[leg.id].amount) for leg in self.legs if leg.id in before]
        differs = find_differences(tuple(as_taken), before)
        return ["reason" if name == "metadata" else name for name in differs]

    def find_legs(
        self, taken_back: Mapping[UUID, TakenBack], currencies: Mapping[UUID, str]
    ) -> tuple[Leg, ...]:
        """With what each of them takes, or why it cannot. `currencies` are the accounts', by their ids."""
        before = {row.id: taken_back.get(row.id, NOTHING) for row in self.rows}
        sides = [
            Side(row.amount, row.amount - before[row.id].amount, currencies[row.account_id])
            for row in sorted(self.rows, key=lambda row: row.id != self.transaction_id)
        ]
        named, other = sides[0], sides[-1]
        part = find_part(self.amount, named, other)
        decline = part.decline
        if decline and decline[0] == errors.ALREADY_REVERSED:
            by = next(before[leg.reverses].by for leg in self.legs if leg.reverses)
            decline = errors.ALREADY_REVERSED, {"reversed_by": str(by)} if by else {}
        amounts = {
            leg.id: part.named if leg.reverses == self.transaction_id else part.other for leg in self.legs
        }
        return tuple(replace(leg, amount=amounts[leg.id], decline=decline) for leg in self.legs)

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        currencies = {leg.account_id: state.accounts[leg.account_id].currency for leg in self.legs}
        legs = self.find_legs(state.taken_back, currencies)
        if self.if_left and legs[0].decline and legs[0].decline[0] == errors.ALREADY_REVERSED:
            return ()
        return decide_legs(legs, state, caller, culprit)

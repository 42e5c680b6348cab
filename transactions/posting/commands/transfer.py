"""Money from one account to another: a withdrawal and a deposit, posted together or not at all."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ledger.callers import Caller
from transactions import errors
from transactions.models import Transaction, derive_destination_id
from transactions.posting.legs import Leg, decide_leg, explain, find_moment, require_account
from transactions.posting.state import Decision, Needs, State

NAMES = {"WITHDRAW": "source", "DEPOSIT": "destination"}  # of the legs' accounts


@dataclass(slots=True, kw_only=True)
class Transfer:
    """The WITHDRAW leg has the transfer's id; that of the DEPOSIT leg is derived from it.

    Raises `SameAccount`, `Amount…`, `Text…` and `EffectiveAtTooEarly`.
    """

    id: UUID
    source_id: UUID
    destination_id: UUID
    amount: Decimal
    effective_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    legs: tuple[Leg, ...] = field(init=False)
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.source_id == self.destination_id:
            raise errors.SameAccount("A transfer goes from one account to another.")
        withdrawal = self._make_leg(self.id, self.source_id, Transaction.Type.WITHDRAW)
        destination = derive_destination_id(self.id)
        deposit = self._make_leg(destination, self.destination_id, Transaction.Type.DEPOSIT)
        self.legs = (withdrawal, deposit)
        self.needs = needs_of(self.legs)

    def _make_leg(self, id: UUID, account_id: UUID, type: Transaction.Type) -> Leg:
        return Leg(
            id=id,
            account_id=account_id,
            type=type,
            amount=self.amount,
            effective_at=self.effective_at,
            reference=self.reference,
            metadata=self.metadata,
            transfer=self.id,
        )

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        return find_differences(self.legs, before)

    def decide(
        self, state: State, caller: Caller, culprit: Transaction | None = None
    ) -> tuple[Decision, ...]:
        return decide_legs(self.legs, state, caller, culprit)


def needs_of(legs: tuple[Leg, ...]) -> Needs:
    return Needs(
        tuple(leg.account_id for leg in legs),
        tuple(leg.id for leg in legs),
        reverses=tuple(leg.reverses for leg in legs if leg.reverses),
    )


def find_differences(legs: tuple[Leg, ...], before: dict[UUID, Transaction]) -> list[str]:
    """Of the first leg that is not as it was."""
    for leg in legs:
        if leg.id in before:
            names = leg.find_differences(before)
            if names:
                return [NAMES[leg.type] if name == "account" and leg.transfer else name for name in names]
    return []


def decide_legs(
    legs: tuple[Leg, ...], state: State, caller: Caller, culprit: Transaction | None
) -> tuple[Decision, ...]:
    """All posted or all declined, recorded at one moment, on accounts of one currency."""
    if len(legs) == 1:
        return legs[0].decide(state, caller, culprit)
    require_account(legs[0], state)
    accounts = [state.accounts[leg.account_id] for leg in legs if leg.account_id in state.accounts]
    if len({account.currency for account in accounts}) > 1:
        raise errors.CurrencyMismatch("The accounts of a transfer have the same currency.")
    moment = max(find_moment(account, state.clock) for account in accounts)
    if culprit is None:
        decisions = tuple(decide_leg(leg, state, caller, recorded_at=moment) for leg in legs)
        rows = [decision.row for decision in decisions if decision.row]
        culprit = next((row for row in rows if row.decline_reason), None)
        if culprit is None:
            return decisions
    return tuple(
        decide_leg(leg, state, caller, recorded_at=moment, decline=explain(leg, culprit)) for leg in legs
    )

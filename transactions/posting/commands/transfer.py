"""Money from one account to another: a withdrawal and a deposit, posted together or not at all.

Between two currencies both amounts are named: the rate is theirs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ledger.callers import Caller
from transactions import errors
from transactions.models import Transaction, derive_destination_id
from transactions.posting.asked import require_asked
from transactions.posting.legs import Leg, decide_leg, explain, find_moment, require_account
from transactions.posting.state import Culprit, Decision, Needs, State

# What a caller calls the account and the amount of a leg.
NAMES = {
    "WITHDRAW": {"account": "source"},
    "DEPOSIT": {"account": "destination", "amount": "destination_amount"},
}


@dataclass(slots=True, kw_only=True)
class Transfer:
    """The WITHDRAW leg has the transfer's id; that of the DEPOSIT leg is derived from it.

    `amount` is in the source's currency, `destination_amount` in the destination's; None: the same. The
    currencies and the expected versions, of the source and of the destination, are conditions, not parts of
    the command. Raises `SameAccount`, and what a leg does.
    """

    id: UUID
    source_id: UUID
    destination_id: UUID
    amount: Decimal
    destination_amount: Decimal | None = None
    currency: str | None = None
    destination_currency: str | None = None
    effective_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    expected_version: int | None = None
    expected_destination_version: int | None = None
    legs: tuple[Leg, ...] = field(init=False)
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        if self.source_id == self.destination_id:
            raise errors.SameAccount("A transfer goes from one account to another.")
        received = self.amount if self.destination_amount is None else self.destination_amount
        self.legs = (
            self._make_leg(
                self.id, self.source_id, "WITHDRAW", self.amount, self.currency, self.expected_version
            ),
            self._make_leg(
                derive_destination_id(self.id),
                self.destination_id,
                "DEPOSIT",
                received,
                self.destination_currency,
                self.expected_destination_version,
            ),
        )
        self.needs = needs_of(self.legs)

    def _make_leg(
        self,
        id: UUID,
        account_id: UUID,
        type: str,
        amount: Decimal,
        currency: str | None,
        expected_version: int | None,
    ) -> Leg:
        return Leg(
            id=id,
            account_id=account_id,
            type=Transaction.Type(type),
            amount=amount,
            currency=currency,
            effective_at=self.effective_at,
            reference=self.reference,
            metadata=self.metadata,
            expected_version=expected_version,
            transfer=self.id,
        )

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        return find_differences(self.legs, before)

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        source = require_account(self.legs[0], state)
        if source.currency == state.accounts[self.destination_id].currency:
            if self.destination_amount not in (None, self.amount):
                raise errors.AmountsDiffer("Within one currency as much arrives as was sent.")
        elif self.destination_amount is None:
            raise errors.CurrencyMismatch(
                "The accounts have two currencies: name the destination_amount."
            ).about("destination_amount")
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
                return [NAMES[leg.type].get(name, name) if leg.transfer else name for name in names]
    return []


def decide_legs(
    legs: tuple[Leg, ...], state: State, caller: Caller, culprit: Culprit | None
) -> tuple[Decision, ...]:
    """All posted or all declined, recorded at one moment."""
    if len(legs) == 1:
        return legs[0].decide(state, caller, culprit)
    moment = max(find_moment(require_account(leg, state), state.clock) for leg in legs)
    if culprit is None:
        decisions = tuple(decide_leg(leg, state, caller, recorded_at=moment) for leg in legs)
        rows = [decision.row for decision in decisions if decision.row]
        culprit = next((row for row in rows if row.decline_reason), None)
        if culprit is None:
            return decisions
    return tuple(
        decide_leg(leg, state, caller, recorded_at=moment, decline=explain(leg, culprit)) for leg in legs
    )

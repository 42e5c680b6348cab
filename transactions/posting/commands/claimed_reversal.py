"""Taking back money that came in, as a claim: what is not there any more is owed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from accounts.models import CLAIM_TABLE, Claim
from ledger.callers import Caller
from ledger.errors import gettext_noop
from transactions import errors
from transactions.models import Transaction
from transactions.posting.commands.claim import NewClaim, explain
from transactions.posting.commands.reversal import Reversal
from transactions.posting.state import Culprit, Decision, Needs, State


@dataclass(slots=True, kw_only=True)
class ClaimedReversal:
    """A claim of `amount` of `rows`, a posted deposit or both legs of a transfer; None: of all that is left.

    It is on the account that the money came to, of a transfer in favour of the one that it came from, and
    counts as taken back from the beginning, whatever is collected of it. Raises `NotReversible`,
    `NotClaimable`, and what `require_amount` and `require_asked` do.
    """

    id: UUID
    reason: str
    rows: Sequence[Transaction]
    amount: Decimal | None = None
    reference: ClassVar[str] = ""
    account_id: UUID = field(init=False)
    destination: UUID | None = field(init=False)
    reverses: UUID = field(init=False)
    reversal: Reversal = field(init=False, repr=False, compare=False)
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        received = [row for row in self.rows if row.type == Transaction.Type.DEPOSIT]
        if not received:
            raise errors.NotClaimable(
                gettext_noop("A withdrawal is taken back by money that comes in: nothing of it is owed.")
            )
        [row] = received
        self.reversal = Reversal(
            id=self.id, reason=self.reason, rows=self.rows, amount=self.amount, transaction_id=row.id
        )
        self.account_id = row.account_id
        self.destination = next((leg.account_id for leg in self.rows if leg is not row), None)
        self.reverses = row.transfer or row.id
        # Looked up under the id as a row, too: a reversal may have it.
        self.needs = self.reversal.needs._replace(rows=(self.id,), claim=self.id)

    def find_differences(self, before: Claim | dict[UUID, Transaction]) -> list[str]:
        return CLAIM_TABLE.find_differences(self, before) if isinstance(before, Claim) else ["claim"]

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `NotClaimable`, `AmountScale`."""
        currencies = {leg.account_id: state.accounts[leg.account_id].currency for leg in self.reversal.legs}
        self.require_one_currency(currencies)
        leg = self.reversal.find_legs(state.taken_back, currencies)[0]
        claim = NewClaim(
            id=self.id,
            account_id=self.account_id,
            amount=leg.amount,
            reason=self.reason,
            destination=self.destination,
            reverses=self.reverses,
        )
        decline = explain(claim, culprit) if culprit else leg.decline
        return claim.open(state, caller, decline, self.amount)

    def require_one_currency(self, currencies: Mapping[UUID, str]) -> None:
        """`currencies` are those of the rows' accounts. Raises `NotClaimable`."""
        if len(set(currencies.values())) > 1:
            raise errors.NotClaimable(gettext_noop("What is owed is paid in the currency it is owed in."))

"""A command to move money."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from transactions.errors import (
    AmountInvalid,
    AmountNotPositive,
    AmountTooLarge,
    EffectiveAtTooEarly,
)
from transactions.models import AMOUNT_MAX, EFFECTIVE_AT_MIN, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One DEPOSIT or WITHDRAW to be posted. Raises the refusals that need no look at the account.

    `amount` is in the account's currency, `effective_at` is aware or None (the moment of recording).
    `currency` and `expected_version` are conditions, not parts of the command.
    """

    id: UUID
    account_id: UUID
    type: Transaction.Type
    amount: Decimal
    effective_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    transfer: UUID | None = None
    reverses: UUID | None = None
    hold: UUID | None = None
    currency: str | None = None
    expected_version: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise AmountInvalid("An amount is a finite decimal number.")
        if self.amount <= 0:
            raise AmountNotPositive("An amount is more than zero; the type says which way the money goes.")
        if self.amount > AMOUNT_MAX:
            raise AmountTooLarge(f"An amount is at most {AMOUNT_MAX}.", limit=str(AMOUNT_MAX))
        if self.effective_at is not None and self.effective_at < EFFECTIVE_AT_MIN:
            raise EffectiveAtTooEarly("Nothing is effective before 1970-01-01T00:00:00Z.")

    def find_differences(self, before: Transaction) -> Iterator[str]:
        """The parts of the command that are not as they were when `before` was asked for."""
        if self.account_id != before.account_id:
            yield "account"
        if self.effective_at != before.effective_at_asked:
            yield "effective_at"
        for name in ("type", "amount", "reference", "metadata", "transfer", "reverses", "hold"):
            if getattr(self, name) != getattr(before, name):
                yield name

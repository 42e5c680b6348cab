"""Setting and removing the thresholds of an account: the amounts at which somebody wants to be told."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import uuid_utils.compat

from accounts.errors import AccountClosed, AmountTooLarge, ThresholdNotFound, TooManyThresholds
from accounts.models import BALANCE_MAX, THRESHOLDS_MAX, Account, Threshold, make_row
from events import outbox
from ledger.callers import Caller
from transactions.posting.asked import require_asked, require_finite
from transactions.posting.legs import require_scale
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State


@dataclass(slots=True, kw_only=True)
class OfThresholds:
    """A command about a threshold of one account. It has no identity: it asks for a state.

    To change anything, the account's last event must have the number `expected_sequence`, if it is given.
    Raises what `require_asked` does.
    """

    account_id: UUID
    expected_sequence: int | None = None
    id: ClassVar[None] = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        self.needs = Needs((self.account_id,))


@dataclass(slots=True, kw_only=True)
class SetThreshold(OfThresholds):
    """From now on it is told when what the account has falls below the amount, or rises to it or above.

    The amount, which may be zero or negative, and `of` identify it: one that is set already is answered as it
    is. `threshold_id` is that of a new one.
    """

    amount: Decimal
    of: Threshold.Of
    threshold_id: UUID = field(default_factory=uuid_utils.compat.uuid7)

    def __post_init__(self) -> None:
        OfThresholds.__post_init__(self)
        require_finite(self.amount)
        if abs(self.amount) > BALANCE_MAX:
            raise AmountTooLarge(f"A balance is at most {BALANCE_MAX}.", limit=str(BALANCE_MAX))

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `AccountNotFound`, `AmountScale`, `AccountClosed`, `SequenceMismatch`,
        `TooManyThresholds`."""
        account = state.accounts[self.account_id]
        require_scale(self.amount, account.currency)
        before = state.get_thresholds(account)
        for threshold in before:
            if (threshold.of, threshold.amount) == (self.of, self.amount):
                return (Decision(threshold),)
        if account.status == Account.Status.CLOSED:
            raise AccountClosed("The account is closed.")
        account.require_sequence(self.expected_sequence)
        if len(before) >= THRESHOLDS_MAX:
            raise TooManyThresholds(f"An account has at most {THRESHOLDS_MAX} thresholds.")
        now = max(account.last_recorded_at, state.clock)  # as the event that tells it
        threshold = make_row(
            Threshold,
            {
                "id": self.threshold_id,
                "account_id": account.id,
                "of": self.of.value,
                "amount": self.amount + 0,  # zero has no sign
                "since": now,
                "created_at": now,
                "actor": caller.actor,
                "request_id": caller.request_id,
                "event_sequence": account.event_sequence + 1,
                "currency": account.currency,
            },
            is_stored=False,
        )
        threshold.below = threshold.is_missed(balance=account.balance, available=account.available)
        return (_tell("threshold.set", threshold, account, threshold),)


@dataclass(slots=True, kw_only=True)
class RemoveThreshold(OfThresholds):
    """Nobody is told of it any more. It is answered as it was."""

    threshold_id: UUID

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `AccountNotFound`, `ThresholdNotFound`, `SequenceMismatch`."""
        account = state.accounts[self.account_id]
        for threshold in state.get_thresholds(account):
            if threshold.id == self.threshold_id:
                account.require_sequence(self.expected_sequence)
                return (_tell("threshold.removed", threshold, account, None),)
        raise ThresholdNotFound("There is no such threshold.")


def _tell(type: str, threshold: Threshold, account: AccountState, after: Threshold | None) -> Decision:
    """The event of that type, and what then is instead of the threshold."""
    account = account._replace(event_sequence=account.event_sequence + 1)
    told = outbox.Told(threshold.to_dict(), None, "", account.user_id, ())
    return Decision(threshold, account, ((type, told),), thresholds={threshold.id: after})

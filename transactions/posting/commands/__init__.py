"""What can be posted: a module for each command, which says what it needs and decides without a database."""

from typing import Protocol
from uuid import UUID

from ledger.callers import Caller
from transactions.posting.asked import require_amount, require_begun
from transactions.posting.commands.capture import Capture, Part, Remaining
from transactions.posting.commands.claim import NewClaim, WaiveClaim
from transactions.posting.commands.claimed_reversal import ClaimedReversal
from transactions.posting.commands.expiry import Expiry
from transactions.posting.commands.hold import NewHold
from transactions.posting.commands.hold_change import ChangeHold
from transactions.posting.commands.release import Release
from transactions.posting.commands.reversal import Reversal
from transactions.posting.commands.rules import SetLimits, SetMetadata, SetStatus
from transactions.posting.commands.threshold import RemoveThreshold, SetThreshold
from transactions.posting.commands.transaction import NewTransaction
from transactions.posting.commands.transfer import Transfer
from transactions.posting.legs import require_scale
from transactions.posting.state import Culprit, Decision, Needs, State

__all__ = [
    "Capture",
    "ChangeHold",
    "ClaimedReversal",
    "Command",
    "Expiry",
    "NewClaim",
    "NewHold",
    "NewTransaction",
    "Part",
    "Release",
    "Remaining",
    "RemoveThreshold",
    "Reversal",
    "SetLimits",
    "SetMetadata",
    "SetStatus",
    "SetThreshold",
    "Transfer",
    "WaiveClaim",
    "require_amount",
    "require_begun",
    "require_scale",
]


class Command(Protocol):
    """`needs` is what is locked and looked up for it.

    `id` is its identity: decided once, it is answered from what it made. Such a command also has
    `find_differences(before)`: the parts of it, by name, that are not as they were then. None: what it asks
    for is a state, and asked for again it changes nothing.
    """

    @property
    def id(self) -> UUID | None: ...

    @property
    def needs(self) -> Needs: ...

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """What it makes, a decision for each account. A pure function of values: nothing is written.

        `culprit` is the declined transaction because of which it is declined too. Raises `LedgerError`.
        """

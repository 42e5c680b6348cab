"""Giving back what a hold has left."""

from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from accounts.errors import HoldNotOpen
from accounts.models import Hold, replace_row
from ledger.callers import Caller
from ledger.errors import gettext_noop
from transactions.posting.asked import require_asked
from transactions.posting.commands.hold import tell
from transactions.posting.state import Culprit, Decision, Needs, State


@dataclass(slots=True, kw_only=True)
class Release:
    """A hold that was released before is answered as it is; with `if_open` whatever is not open any more, and
    what is declined with all of its list. Of one that is open `expected_sequence` is asked: the number of the
    account's last event. Raises what `require_asked` does.
    """

    hold_id: UUID
    account_id: UUID
    reason: str = ""
    if_open: bool = False
    expected_sequence: int | None = None
    id: ClassVar[None] = None  # the same hold is released once
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        self.needs = Needs((self.account_id,), holds=(self.hold_id,))

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `HoldNotFound`, `HoldNotOpen`, `SequenceMismatch`."""
        hold = state.get_hold(self.hold_id, self.account_id)
        if culprit or hold.status == Hold.Status.RELEASED or (self.if_open and not hold.remaining):
            return (Decision(hold),)
        if hold.remaining == 0:
            raise HoldNotOpen(gettext_noop("The hold is not open any more."), hold_status=hold.status)
        account = state.accounts[hold.account_id]
        account.require_sequence(self.expected_sequence)
        held = account.held - hold.remaining
        closed_at = max(state.clock, account.last_recorded_at)  # after what the same list has captured
        released = replace_row(hold, status=Hold.Status.RELEASED, closed_at=closed_at)
        return (tell("hold.released", released, account, held=held, before=hold, reason=self.reason),)

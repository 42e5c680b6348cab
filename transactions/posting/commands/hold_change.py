"""Changing how much an open hold sets aside, and until when."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from accounts.currencies import format_amount
from accounts.errors import AmountCaptured, ExpiresAtInvalid, HoldNotOpen
from accounts.models import HOLD_TABLE, Hold, replace_row
from accounts.operations import require_etag
from events import outbox
from ledger.callers import Caller
from ledger.errors import gettext_noop
from transactions.posting.asked import require_amount, require_asked
from transactions.posting.commands.hold import PERSONAL, find_decline, tell
from transactions.posting.legs import require_scale
from transactions.posting.limits import Decline
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State


@dataclass(slots=True, kw_only=True)
class ChangeHold:
    """Sets `amount`, all of it with what was captured, and `expires_at`, None for never, where `changes` has
    them. It asks for a state: what is so already is answered as it is.

    What makes the amount larger must be available. If it is not, or the account is frozen, the change is
    declined: that is told by an event, and the hold stays as it was. To change anything the hold must be as
    one of the ETags `if_match` says, and the account's last event must have the number `expected_sequence`,
    if they are given. Raises what `require_amount` and `require_asked` do.
    """

    hold_id: UUID
    account_id: UUID
    changes: Mapping[str, Any]
    if_match: Collection[str] | None = None
    expected_sequence: int | None = None
    id: ClassVar[None] = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        if "amount" in self.changes:
            require_amount(self.changes["amount"])
        self.needs = Needs((self.account_id,), holds=(self.hold_id,))

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `HoldNotFound`, `HoldNotOpen`, `AmountScale`, `AmountCaptured`, `ExpiresAtInvalid`,
        `SequenceMismatch`, `EtagMismatch`."""
        hold = state.get_hold(self.hold_id, self.account_id)
        account = state.accounts[hold.account_id]
        if culprit:  # all of its list is declined
            decline = self._explain(culprit, account) if hold.status == Hold.Status.OPEN else None
            return (self._decline(hold, account, decline) if decline else Decision(hold),)
        if hold.status != Hold.Status.OPEN:
            raise HoldNotOpen(gettext_noop("The hold is not open any more."), hold_status=hold.status)
        changes = {name: value for name, value in self.changes.items() if value != getattr(hold, name)}
        amount: Decimal = self.changes.get("amount", hold.amount)
        require_scale(amount, account.currency)
        if amount <= hold.captured:
            captured = format_amount(hold.captured, account.currency)
            raise AmountCaptured("So much of it was captured: release it to end it.", captured=captured)
        expires_at: datetime | None = changes.get("expires_at")
        if expires_at is not None and expires_at <= state.clock:
            raise ExpiresAtInvalid("A hold expires later than now.")
        if not changes:
            return (Decision(hold),)
        account.require_sequence(self.expected_sequence)
        require_etag(hold, self.if_match)
        more = amount - hold.amount
        if more > 0 and (decline := find_decline(more, account)):
            return (self._decline(hold, account, decline),)
        changed = replace_row(hold, **changes)
        return (tell("hold.changed", changed, account, held=account.held + more, before=hold),)

    def _explain(self, culprit: Culprit, account: AccountState) -> Decline | None:
        """Why it was declined itself, if this is what all of its list is declined for."""
        details = culprit.decline_details or {}
        if culprit.id != self.hold_id or "amount" not in self.changes:
            return None
        is_own = details.get("amount") == format_amount(self.changes["amount"], account.currency)
        return (culprit.decline_reason or "", details) if is_own else None

    def _decline(self, hold: Hold, account: AccountState, decline: Decline) -> Decision:
        """The event tells the hold as it is, why it was not changed, and the amount that was asked for."""
        reason, details = decline
        asked = format_amount(self.changes["amount"], account.currency)
        told = replace_row(hold, decline_reason=reason, decline_details={**details, "amount": asked})
        data = HOLD_TABLE.to_dict(told, account.currency)
        account = account._replace(event_sequence=account.event_sequence + 1)
        event = outbox.Told(data, None, "", account.user_id, PERSONAL)
        return Decision(told, account, (("hold.change_declined", event),))

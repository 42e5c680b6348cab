"""Setting funds aside, until withdrawals capture them, or they are released or expire."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.currencies import format_amount
from accounts.errors import (
    ACCOUNT_CLOSED,
    ACCOUNT_FROZEN,
    BATCH_DECLINED,
    INSUFFICIENT_FUNDS,
    LIMIT_EXCEEDED,
    SEQUENCE_MISMATCH,
    ExpiresAtInvalid,
)
from accounts.models import BALANCE_MAX, HOLD_TABLE, Account, Hold, make_row, replace_row
from events import outbox
from ledger.callers import Caller
from ledger.values import find_changes
from transactions.errors import CurrencyMismatch
from transactions.posting.asked import require_amount, require_asked
from transactions.posting.legs import require_scale
from transactions.posting.limits import Decline
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State

PERSONAL = ("reason",)  # references and metadata of money are bookkeeping


@dataclass(slots=True, kw_only=True)
class NewHold:
    """Holds `amount`, in the account's currency, until `expires_at`; None: until it is captured or released.

    `currency` and `expected_sequence`, the number of the account's last event, are conditions, not parts of
    the command. Raises what `require_amount` and `require_asked` do.
    """

    id: UUID
    account_id: UUID
    amount: Decimal
    expires_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    currency: str | None = None
    expected_sequence: int | None = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_amount(self.amount)
        require_asked(self)
        self.needs = Needs((self.account_id,), hold=self.id)

    def find_differences(self, before: Hold) -> list[str]:
        return HOLD_TABLE.find_differences(self, before)

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        account = state.accounts[self.account_id]
        if self.currency not in (None, account.currency):
            raise CurrencyMismatch(f"The account is in {account.currency}, not in {self.currency}.")
        require_scale(self.amount, account.currency)
        if self.expires_at is not None and self.expires_at <= state.clock:
            raise ExpiresAtInvalid("A hold expires later than now.")
        decline = explain(self, culprit) if culprit else self._find_decline(account)
        reason, details = decline or (None, None)
        hold = make_row(
            Hold,
            {
                "id": self.id,
                "account_id": account.id,
                "amount": self.amount,
                "amount_asked": self.amount,
                "captured": Decimal(0),
                "status": Hold.Status.DECLINED if reason else Hold.Status.OPEN,
                "decline_reason": reason,
                "decline_details": details,
                "expires_at": self.expires_at,
                "expires_at_asked": self.expires_at,
                "reference": self.reference,
                "metadata": self.metadata,
                "created_at": state.clock,
                "closed_at": state.clock if reason else None,
                "actor": caller.actor,
                "request_id": caller.request_id,
                "batch": caller.batch,
                "event_sequence": 0,  # of `tell`
                "clock": state.clock,
                "currency": account.currency,
            },
            is_stored=False,
        )
        if reason:
            return (tell("hold.declined", hold, account, held=account.held),)
        return (tell("hold.placed", hold, account, held=account.held + self.amount),)

    def _find_decline(self, account: AccountState) -> Decline | None:
        if self.expected_sequence not in (None, account.event_sequence):
            return SEQUENCE_MISMATCH, {
                "expected_sequence": self.expected_sequence,
                "sequence": account.event_sequence,
            }
        return find_decline(self.amount, account)


def find_decline(amount: Decimal, account: AccountState) -> Decline | None:
    """Why the account cannot set so much aside, beside what it holds, or None."""
    if account.status == Account.Status.CLOSED:
        return ACCOUNT_CLOSED, {}
    if account.status == Account.Status.FROZEN:
        return ACCOUNT_FROZEN, {}
    required = format_amount(amount, account.currency)
    if account.held + amount > BALANCE_MAX:
        limit = format_amount(BALANCE_MAX, account.currency)
        return LIMIT_EXCEEDED, {"rule": "held", "limit": limit, "required": required}
    if amount > account.available:
        available = format_amount(account.available, account.currency)
        return INSUFFICIENT_FUNDS, {"available": available, "required": required}
    return None


def explain(hold: NewHold, culprit: Culprit) -> Decline:
    """Why the hold is declined, when all of its list is because of the culprit."""
    if isinstance(culprit, Hold) and culprit.id == hold.id:
        return culprit.decline_reason or "", culprit.decline_details or {}
    return BATCH_DECLINED, {"culprit": str(culprit.id)}


def tell(
    type: str,
    hold: Hold,
    account: AccountState,
    *,
    held: Decimal,
    before: Hold | None = None,
    reason: str = "",
) -> Decision:
    """The hold as it has become, the account with what it then holds, and the event of that type."""
    account = account._replace(held=held, event_sequence=account.event_sequence + 1)
    hold = replace_row(hold, event_sequence=account.event_sequence)
    data = HOLD_TABLE.to_dict(hold, account.currency)
    was = find_changes(HOLD_TABLE.to_dict(before, account.currency), data)[0] if before else None
    told = outbox.Told(data, was, reason, account.user_id, PERSONAL)
    return Decision(hold, account, ((type, told),), hold=hold)

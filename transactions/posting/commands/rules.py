"""Changing the rules of an account: its limits, and whether money may leave it or move at all.

Each change is told by an event. A command that asks for what is already so changes nothing and writes no
event.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from accounts.currencies import format_amount
from accounts.errors import (
    AccountClosed,
    AccountNotEmpty,
    AccountOwes,
    AmountNotPositive,
    AmountTooLarge,
    CreditLimitInUse,
)
from accounts.models import BALANCE_MAX, Account, replace_row
from accounts.operations import require_etag
from events import outbox
from ledger.callers import Caller
from ledger.errors import LedgerError, gettext_noop
from ledger.values import find_changes
from transactions.posting.asked import require_asked
from transactions.posting.legs import require_scale
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State

Made = TypeVar("Made")
EVENTS = {
    Account.Status.ACTIVE: "account.unfrozen",
    Account.Status.FROZEN: "account.frozen",
    Account.Status.CLOSED: "account.closed",
}


@dataclass(slots=True, kw_only=True)
class OfRules:
    """A command about the rules of one account. It has no identity: it asks for a state.

    What is so already is answered as it is. To change anything, the account's last event must have the number
    `expected_sequence`, if it is given. Raises what `require_asked` does.
    """

    account_id: UUID
    expected_sequence: int | None = None
    id: ClassVar[None] = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        self.needs = Needs((self.account_id,), rules=True)


@dataclass(slots=True, kw_only=True)
class SetLimits(OfRules):
    """Sets `credit_limit`, `withdraw_max` and `withdraw_day_max` where `limits` has them; None takes one of
    the last two away."""

    limits: Mapping[str, Decimal | None]
    reason: str = ""

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `AccountNotFound`, `AccountClosed`, `AmountNotPositive`, `AmountTooLarge`, `AmountScale`,
        `SequenceMismatch`, `CreditLimitInUse`."""
        account = state.accounts[self.account_id]
        if account.status == Account.Status.CLOSED:
            raise AccountClosed("The account is closed.")
        changes: dict[str, Any] = {
            name: limit for name, limit in self.limits.items() if limit != getattr(account, name)
        }
        for name, limit in self.limits.items():
            if limit is not None:
                _require_limit(name, limit, account.currency)
        if changes:
            account.require_sequence(self.expected_sequence)
        changed = account._replace(**changes)
        if changed.available < 0:
            raise CreditLimitInUse(
                gettext_noop("The account has used more credit than that."),
                used=format_amount(account.held - account.balance, account.currency),
            )
        highest = max(state.rules[account.id].credit_limit_max, changed.credit_limit)
        event = "account.limits_changed" if changes else ""
        return (_change(account, event, state, changes, reason=self.reason, credit_limit_max=highest),)


@dataclass(slots=True, kw_only=True)
class SetStatus(OfRules):
    """FROZEN: no money out and no new holds. ACTIVE: again as before. CLOSED: nothing any more, for ever."""

    status: Account.Status
    reason: str

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `AccountNotFound`, `AccountClosed`, `SequenceMismatch`, `AccountNotEmpty`,
        `AccountOwes`."""
        account = state.accounts[self.account_id]
        if account.status == self.status:
            return (_change(account, "", state),)
        if account.status == Account.Status.CLOSED:
            raise AccountClosed("The account is closed.")
        account.require_sequence(self.expected_sequence)
        if self.status == Account.Status.CLOSED and (account.balance or account.held):
            raise AccountNotEmpty(
                gettext_noop("An account is closed when its balance and what it holds are zero."),
                balance=format_amount(account.balance, account.currency),
                held=format_amount(account.held, account.currency),
            )
        if self.status == Account.Status.CLOSED and account.owed:
            raise AccountOwes(
                gettext_noop(
                    "An account is closed when nothing is owed: waive its claims, or let them be collected."
                ),
                owed=format_amount(account.owed, account.currency),
            )
        changes = {"status": self.status}
        reason = self.reason
        event = EVENTS[self.status]
        return (_change(account, event, state, changes, reason=reason, status_reason=reason),)


@dataclass(slots=True, kw_only=True)
class SetMetadata(OfRules):
    """Replaces the account's metadata, of a closed one too. With `if_match` it must be as one of these ETags
    says."""

    metadata: dict[str, str]
    if_match: Collection[str] | None = None

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `AccountNotFound`, `SequenceMismatch`, `EtagMismatch`."""
        account = state.accounts[self.account_id]
        before = state.rules[account.id]
        if before.metadata == self.metadata:
            return (_change(account, "", state),)
        account.require_sequence(self.expected_sequence)
        require_etag(before, self.if_match)
        return (_change(account, "account.changed", state, metadata=self.metadata),)


def _change(
    account: AccountState,
    event: str,
    state: State,
    changes: Mapping[str, Any] | None = None,
    *,
    reason: str = "",
    **others: Any,
) -> Decision:
    """The account with the `changes`, and with `others` that no other command depends on. Without an event
    it is as it was."""
    before = replace_row(state.rules[account.id], **_get_shown(account))
    if not event:
        return Decision(before)
    account = account._replace(**(changes or {}), event_sequence=account.event_sequence + 1)
    rules = replace_row(before, **_get_shown(account), **others)
    data = rules.to_dict()
    was, _ = find_changes(before.to_dict(), data)
    del was["event_sequence"]  # the event's own number
    told = outbox.Told(data, was, reason, account.user_id)
    return Decision(rules, account, ((event, told),), rules=rules)


def show_now(made: Made, state: State) -> Made:
    """An account as it is after what has followed of its command; whatever else was made, as it is."""
    if isinstance(made, Account):
        made = replace_row(made, **_get_shown(state.accounts[made.id]))
    return made


def _get_shown(account: AccountState) -> dict[str, Any]:
    """What a row of the account shows that commands of the same posting may have changed."""
    values = account._asdict()
    return {name: value for name, value in values.items() if not name.endswith("_text")} | {
        "held_due": Decimal(0),
        "holds_due": 0,
    }


def _require_limit(name: str, limit: Decimal, currency: str) -> None:
    try:
        if limit.is_signed():
            raise AmountNotPositive("A limit is zero or more, without a sign.")
        if limit > BALANCE_MAX:
            raise AmountTooLarge(f"A limit is at most {BALANCE_MAX}.", limit=str(BALANCE_MAX))
        require_scale(limit, currency)
    except LedgerError as error:
        error.field = name
        raise

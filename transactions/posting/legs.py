"""What a command moves on one account: whether the money may move, and the row that says so."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

import orjson

from accounts.currencies import AMOUNT_MAX, format_amount, get_decimals
from accounts.errors import (
    ACCOUNT_CLOSED,
    ACCOUNT_FROZEN,
    AmountScale,
)
from accounts.models import BALANCE_MAX, REFERENCE_LENGTH_MAX, Account, Hold, make_row
from ledger.callers import Caller
from ledger.text import is_plain
from ledger.values import MICROSECOND
from transactions import errors
from transactions.models import EFFECTIVE_AT_MIN, TABLE, Transaction
from transactions.posting import limits
from transactions.posting.asked import CLOCK_SKEW_MAX, require_amount, require_asked, require_begun
from transactions.posting.limits import Decline
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State

DEPOSIT = Transaction.Type.DEPOSIT
EVENTS: dict[str, str] = {status: f"transaction.{status.value.lower()}" for status in Transaction.Status}


_write_actor = lru_cache(str)  # one, who is the same in many rows


@dataclass(slots=True, kw_only=True)
class Leg:
    """A deposit or withdrawal of `amount`, in the account's currency, effective at an aware moment.

    `effective_at` None is the moment of recording, and so is a day (`LastMoment`) that is not over yet.
    `currency` and `expected_version` are conditions, not parts of the command. Raises what `require_amount`
    and `require_asked` do, and `EffectiveAtTooEarly`.
    """

    id: UUID
    account_id: UUID
    type: Transaction.Type
    amount: Decimal
    effective_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    currency: str | None = None
    expected_version: int | None = None
    transfer: UUID | None = None
    reverses: UUID | None = None
    hold: UUID | None = None
    final: bool | None = None
    claim: UUID | None = None
    amount_asked: Decimal | None = None
    decline: Decline | None = None  # why what it belongs to cannot be done, unless the account says no before
    change: Decimal = field(init=False, repr=False, compare=False)  # what it adds to the balance, if posted
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # As it mostly is, and then it costs no call.
        if not (
            type(self.amount) is Decimal
            and self.amount.is_finite()
            and 0 < self.amount <= AMOUNT_MAX
            and type(self.id) is type(self.account_id) is UUID
            and type(self.type) is Transaction.Type
            and type(self.reference) is str
            and len(self.reference) <= REFERENCE_LENGTH_MAX
            and is_plain(self.reference)
            and type(self.metadata) is dict
            and not self.metadata
            and self.effective_at is None
            and self.currency is None
            and self.expected_version is None
        ):
            require_amount(self.amount)
            require_asked(self)
        if self.effective_at is not None and self.effective_at < EFFECTIVE_AT_MIN:
            raise errors.EffectiveAtTooEarly("Nothing is effective before 1970-01-01T00:00:00Z.")
        self.change = self.amount if self.type == DEPOSIT else -self.amount
        self.needs = Needs((self.account_id,), (self.id,))

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        return TABLE.find_differences(self, before[self.id])

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        decline = explain(self, culprit) if culprit else None
        return (decide_leg(self, state, caller, decline=decline),)


def require_scale(amount: Decimal, currency: str) -> None:
    """Refuse an amount with more decimals than its currency has. Raises `AmountScale`, `CurrencyUnknown`."""
    if amount != round(amount, get_decimals(currency)):
        raise AmountScale(f"The amount has more decimals than {currency} has.")


def require_account(leg: Leg, state: State) -> AccountState:
    """The leg's account. Raises what is refused whatever the account holds."""
    account = state.accounts[leg.account_id]
    if leg.currency not in (None, account.currency):
        raise errors.CurrencyMismatch(f"The account is in {account.currency}, not in {leg.currency}.")
    require_scale(leg.amount, account.currency)
    if leg.effective_at is not None and leg.effective_at > state.clock + CLOCK_SKEW_MAX:
        require_begun(leg.effective_at, state.clock)
    return account


def find_moment(account: AccountState, clock: datetime) -> datetime:
    """When the account's next row is recorded: now, but after all that was before."""
    return max(clock, account.last_recorded_at + MICROSECOND)


def explain(leg: Leg, culprit: Culprit) -> Decline:
    """Why the leg is declined, when all it belongs to is because of the culprit."""
    reason = errors.BATCH_DECLINED
    if isinstance(culprit, Transaction):
        if leg.id == culprit.id:
            return culprit.decline_reason or "", culprit.decline_details or {}
        if leg.transfer is not None and leg.transfer == culprit.transfer:
            reason = errors.TRANSFER_DECLINED
    return reason, {"culprit": str(culprit.id)}


def decide_leg(
    leg: Leg,
    state: State,
    caller: Caller,
    *,
    decline: Decline | None = None,
    hold: Hold | None = None,
    recorded_at: datetime | None = None,
) -> Decision:
    """The new row and what it makes of its account. `decline` is why it cannot be posted, if that is known;
    `hold` is what it captures, `recorded_at` when another leg is recorded too."""
    account = require_account(leg, state)
    recorded_at = recorded_at or find_moment(account, state.clock)
    effective_at = min(leg.effective_at or recorded_at, recorded_at)
    late = account.last_effective_at is not None and effective_at < account.last_effective_at
    day, late_at = recorded_at.date(), effective_at if late else None
    if decline is None and leg.claim is None:  # what is collected is there
        decline = find_decline(leg, account, state, day=day, late_at=late_at, hold=hold)
    if decline:
        account = account._replace(
            seq=account.seq + 1, event_sequence=account.event_sequence + 1, last_recorded_at=recorded_at
        )
    else:
        withdrawn, withdrawn_on = account.withdrawn, account.withdrawn_on
        if leg.type != DEPOSIT and not (leg.reverses or leg.claim):
            withdrawn, withdrawn_on = limits.find_withdrawn(account, day) + leg.amount, day
        account = account._replace(
            balance=account.balance + leg.change,
            withdrawn_on=withdrawn_on,
            withdrawn=withdrawn,
            seq=account.seq + 1,
            version=account.version + 1,
            event_sequence=account.event_sequence + 1,
            last_recorded_at=recorded_at,
            last_effective_at=max(account.last_effective_at or effective_at, effective_at),
        )
    row = _make_row(leg, account, caller, decline, recorded_at, effective_at, late)
    return Decision(row, account, ((EVENTS[row.status], None),), row)


def _make_row(
    leg: Leg,
    account: AccountState,
    caller: Caller,
    decline: Decline | None,
    recorded_at: datetime,
    effective_at: datetime,
    late: bool,
) -> Transaction:
    """The row of a leg that has made of its account what it is now."""
    reason, details = decline or (None, None)
    row = make_row(
        Transaction,
        {
            "id": leg.id,
            "account_id": account.id,
            "type": leg.type,
            "amount": leg.amount,
            "reference": leg.reference,
            "metadata": leg.metadata,
            "effective_at_asked": leg.effective_at,
            "status": Transaction.Status.DECLINED if decline else Transaction.Status.POSTED,
            "decline_reason": reason,
            "decline_details": details,
            "seq": account.seq,
            "version": None if decline else account.version,
            "balance_after": account.balance,
            "change": None if decline else leg.change,
            "recorded_at": recorded_at,
            "effective_at": effective_at,
            "late": late,
            "transfer": leg.transfer,
            "batch": caller.batch,
            "reverses": leg.reverses,
            "reversed_by": [],
            "hold": leg.hold,
            "final": leg.final,
            "claim": leg.claim,
            "amount_asked": leg.amount_asked,
            "actor": caller.actor,
            "actor_kind": caller.actor_kind,
            "request_id": caller.request_id,
            "id_text": str(leg.id),
            "account_id_text": account.id_text,
            "user_id": account.user_id,
            "user_id_text": account.user_id_text,
            "currency": account.currency,
            "actor_text": _write_actor(caller.actor),
        },
        is_stored=False,
    )
    row.as_json = orjson.dumps(TABLE.to_dict(row, account.currency))
    return row


def find_decline(
    leg: Leg, account: AccountState, state: State, *, day: date, late_at: datetime | None, hold: Hold | None
) -> Decline | None:
    """Why the leg cannot be posted, or None: the rules that depend on the state of the account or the hold.

    `day` is the UTC day of recording, `late_at` the moment of a backdated leg, `hold` the one that it
    captures.
    """
    if leg.expected_version is not None and leg.expected_version != account.version:
        return errors.VERSION_MISMATCH, {
            "expected_version": leg.expected_version,
            "version": account.version,
        }
    if account.status == Account.Status.CLOSED:
        return ACCOUNT_CLOSED, {}
    if leg.decline:
        return leg.decline
    if leg.type == DEPOSIT:
        if account.balance + leg.amount > BALANCE_MAX:
            return errors.BALANCE_LIMIT_EXCEEDED, {
                "balance": format_amount(account.balance, account.currency),
                "limit": format_amount(BALANCE_MAX, account.currency),
            }
        return None
    if hold and hold.status != Hold.Status.OPEN:
        return errors.HOLD_NOT_OPEN, {"hold_status": hold.status}
    if account.status == Account.Status.FROZEN:
        return ACCOUNT_FROZEN, {}
    return limits.find_limit(leg, account, day, hold) or limits.find_lack_of_funds(
        leg, account, state, late_at, hold
    )

"""Moving money on one account: a deposit or a withdrawal, and every leg of what is made of these."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

import orjson

from accounts.currencies import require_amount, require_scale
from accounts.models import Hold, make_row
from ledger.values import MICROSECOND
from transactions import errors
from transactions.models import EFFECTIVE_AT_MIN, TABLE, Transaction
from transactions.posting import chain
from transactions.posting.declines import Decline, find_decline, find_withdrawn
from transactions.posting.state import AccountState, Caller, Decision, Needs, State, describe_event

CLOCK_SKEW_MAX = timedelta(minutes=5)
WITHDRAW = Transaction.Type.WITHDRAW

_write_actor = lru_cache(str)  # one, who is the same in many rows


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransaction:
    """A deposit or withdrawal of `amount`, in the account's currency, effective at an aware moment.

    `effective_at` None is the moment of recording. `currency` and `expected_version` are conditions, not
    parts of the command. Raises `Amount…` and `EffectiveAtTooEarly`.
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
    # Of a leg:
    transfer: ClassVar[UUID | None] = None
    reverses: ClassVar[UUID | None] = None
    hold: ClassVar[UUID | None] = None

    def __post_init__(self) -> None:
        require_amount(self.amount)
        if self.effective_at is not None and self.effective_at < EFFECTIVE_AT_MIN:
            raise errors.EffectiveAtTooEarly("Nothing is effective before 1970-01-01T00:00:00Z.")

    def needs(self) -> Needs:
        return Needs((self.account_id,), (self.id,))

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        return TABLE.find_differences(self, before[self.id])

    def decide(
        self, state: State, caller: Caller, culprit: Transaction | None = None
    ) -> tuple[Decision, ...]:
        decline = explain(self, culprit) if culprit else None
        return (decide_leg(self, state, caller, decline=decline),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(NewTransaction):
    """What a transfer, a reversal or a capture does on one account."""

    transfer: UUID | None = None  # type: ignore[misc]
    reverses: UUID | None = None  # type: ignore[misc]
    hold: UUID | None = None  # type: ignore[misc]


def explain(leg: NewTransaction, culprit: Transaction) -> Decline:
    """Why the leg is declined, when all it belongs to is because of the culprit."""
    if leg.id == culprit.id:
        return culprit.decline_reason or "", culprit.decline_details or {}
    same_transfer = leg.transfer is not None and leg.transfer == culprit.transfer
    reason = errors.TRANSFER_DECLINED if same_transfer else errors.BATCH_DECLINED
    return reason, {"culprit": str(culprit.id)}


def require_account(leg: NewTransaction, state: State) -> AccountState:
    """The leg's account. Raises what is refused whatever the account holds."""
    account = state.get_account(leg.account_id)
    if leg.currency not in (None, account.currency):
        raise errors.CurrencyMismatch(f"The account is in {account.currency}, not in {leg.currency}.")
    require_scale(leg.amount, account.currency)
    if leg.effective_at is not None and leg.effective_at > state.clock + CLOCK_SKEW_MAX:
        raise errors.EffectiveAtInFuture("Money cannot move later than now.")
    return account


def find_moment(account: AccountState, clock: datetime) -> datetime:
    """When the account's next row is recorded: now, but after its last one."""
    if account.last_recorded_at is None:
        return clock
    return max(clock, account.last_recorded_at + MICROSECOND)


def decide_leg(
    leg: NewTransaction,
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
    row = _make_row(leg, account, caller, recorded_at or find_moment(account, state.clock))
    decline = decline or find_decline(row, account, state, hold=hold, expected_version=leg.expected_version)
    if decline:
        row.status = Transaction.Status.DECLINED
        row.decline_reason, row.decline_details = decline
        account = account._replace(
            event_sequence=account.event_sequence + 1,
            last_recorded_at=row.recorded_at,
            chain_head=chain.link(row, account.chain_head),
        )
    else:
        row.status = Transaction.Status.POSTED
        row.balance_after = account.balance + row.change
        row.version = account.version + 1
        withdrawn, withdrawn_on = account.withdrawn, account.withdrawn_on
        if leg.type == WITHDRAW and not leg.reverses:
            withdrawn_on = row.recorded_at.date()
            withdrawn = find_withdrawn(account, withdrawn_on) + leg.amount
        account = account._replace(
            balance=row.balance_after,
            withdrawn_on=withdrawn_on,
            withdrawn=withdrawn,
            version=row.version,
            event_sequence=account.event_sequence + 1,
            last_recorded_at=row.recorded_at,
            last_effective_at=max(account.last_effective_at or row.effective_at, row.effective_at),
            chain_head=chain.link(row, account.chain_head),
        )
    event = describe_event(
        EVENTS[row.status],
        account,
        clock=row.recorded_at,
        request_id=caller.request_id,
        data=orjson.Fragment(row.to_json()),
    )
    return Decision(row, account, (event,), row)


def _make_row(
    leg: NewTransaction, account: AccountState, caller: Caller, recorded_at: datetime
) -> Transaction:
    """What was asked, not decided yet."""
    effective_at = min(leg.effective_at or recorded_at, recorded_at)
    return make_row(
        Transaction,
        {
            "id": leg.id,
            "account_id": account.id,
            "type": leg.type,
            "amount": leg.amount,
            "reference": leg.reference,
            "metadata": leg.metadata,
            "effective_at_asked": leg.effective_at,
            "decline_reason": None,
            "decline_details": None,
            "version": None,
            "balance_after": None,
            "recorded_at": recorded_at,
            "effective_at": effective_at,
            "late": account.last_effective_at is not None and effective_at < account.last_effective_at,
            "transfer": leg.transfer,
            "reverses": leg.reverses,
            "hold": leg.hold,
            "actor": caller.actor,
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


EVENTS = {status: f"transaction.{status.value.lower()}" for status in Transaction.Status}

"""What the ledger shows. Amounts are `Decimal`, in the currency beside them, with its own decimals.

Texts that are one of a list, a `status` or a `type`, are plain texts here: new ones may come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger_client.wire import Resource

Metadata = Mapping[str, str]
Details = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Account(Resource):
    id: UUID
    user: UUID
    name: str
    currency: str
    status: str  # ACTIVE, FROZEN, CLOSED
    balance: Decimal
    held: Decimal
    available: Decimal  # balance - held + credit_limit
    owed: Decimal  # of open claims
    credit_limit: Decimal
    withdraw_max: Decimal | None
    withdraw_day_max: Decimal | None
    version: int  # posted transactions so far
    event_sequence: int
    metadata: Metadata
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class User(Resource):
    id: UUID
    external_id: str | None
    name: str
    metadata: Metadata
    created_at: datetime
    erased_at: datetime | None
    accounts: tuple[Account, ...]


@dataclass(frozen=True, kw_only=True)
class Balance(Resource):
    user: UUID
    account: UUID
    currency: str
    balance: Decimal
    held: Decimal | None  # this and the next are of the present only
    available: Decimal | None
    version: int
    at: datetime
    known_at: datetime


@dataclass(frozen=True, kw_only=True)
class Collection(Resource):
    """What was taken for a claim of the money that had come."""

    claim: UUID
    transaction: UUID
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Transaction(Resource):
    id: UUID
    account: UUID
    user: UUID
    type: str  # DEPOSIT, WITHDRAW
    amount: Decimal
    currency: str
    status: str  # POSTED, DECLINED
    decline_reason: str | None
    decline_details: Details | None
    version: int | None
    balance_after: Decimal
    effective_at: datetime
    recorded_at: datetime
    late: bool
    reference: str
    metadata: Metadata
    transfer: UUID | None
    batch: UUID | None
    reverses: UUID | None
    reversed: Decimal  # so much of it was taken back
    reversed_by: tuple[UUID, ...]
    hold: UUID | None
    final: bool | None
    claim: UUID | None
    request_id: str
    collected: tuple[Collection, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer(Resource):
    id: UUID
    source: Transaction
    destination: Transaction
    collected: tuple[Collection, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Leg(Resource):
    """A transaction of a transfer as either holder sees it. What is None may be the other's."""

    id: UUID
    account: UUID
    type: str
    amount: Decimal
    currency: str
    status: str
    effective_at: datetime
    recorded_at: datetime
    transfer: UUID | None
    user: UUID | None = None
    decline_reason: str | None = None
    balance_after: Decimal | None = None
    reference: str | None = None
    metadata: Metadata | None = None


@dataclass(frozen=True, kw_only=True)
class SeenTransfer(Resource):
    id: UUID
    source: Leg
    destination: Leg


@dataclass(frozen=True, kw_only=True)
class SplitCapture(Resource):
    """A capture into several accounts."""

    id: UUID
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, kw_only=True)
class Hold(Resource):
    id: UUID
    account: UUID
    amount: Decimal
    captured: Decimal
    remaining: Decimal
    status: str  # OPEN, CAPTURED, RELEASED, EXPIRED, DECLINED
    decline_reason: str | None
    decline_details: Details | None
    expires_at: datetime | None
    reference: str
    metadata: Metadata
    batch: UUID | None
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Claim(Resource):
    id: UUID
    account: UUID
    amount: Decimal
    collected: Decimal
    remaining: Decimal
    status: str  # OPEN, COLLECTED, WAIVED, DECLINED
    decline_reason: str | None
    decline_details: Details | None
    reason: str
    reference: str
    destination: UUID | None
    reverses: UUID | None
    waived_reason: str | None
    batch: UUID | None
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Threshold(Resource):
    id: UUID
    account: UUID
    of: str  # available, balance
    amount: Decimal
    below: bool
    since: datetime
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class StatementLine(Resource):
    transaction: UUID
    type: str
    amount: Decimal
    balance: Decimal
    effective_at: datetime
    recorded_at: datetime
    reference: str


@dataclass(frozen=True, kw_only=True)
class Statement(Resource):
    account: UUID
    currency: str
    from_: date
    to: date
    tz: str
    opening_balance: Decimal
    lines: tuple[StatementLine, ...]
    closing_balance: Decimal


@dataclass(frozen=True, kw_only=True)
class Result(Resource):
    """What a command of a batch has come to: a status, and what was made or the problem."""

    status: int
    transaction: Transaction | None = None
    transfer: Transfer | None = None
    transfers: tuple[Transfer, ...] = ()
    hold: Hold | None = None
    claim: Claim | None = None
    problem: Details | None = None


@dataclass(frozen=True, kw_only=True)
class DecidedBatch(Resource):
    id: UUID
    atomic: bool
    results: tuple[Result, ...]
    collected: tuple[Collection, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Batch(Resource):
    """A list, and all that was made of it."""

    id: UUID
    atomic: bool
    reference: str
    metadata: Metadata
    recorded_at: datetime
    request_id: str
    transactions: tuple[Transaction, ...]
    holds: tuple[Hold, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, kw_only=True)
class Me(Resource):
    """Who the token is of, and what it may."""

    user: UUID
    name: str
    kind: str
    permissions: tuple[str, ...]
    token: "OwnToken"


@dataclass(frozen=True, kw_only=True)
class OwnToken(Resource):
    prefix: str
    created_at: datetime
    expires_at: datetime | None

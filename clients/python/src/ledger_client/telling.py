"""What the ledger tells: events, pages of the feed, subscriptions. `docs/notifications.md` explains them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger_client.resources import Account, Claim, Hold, Threshold, Transaction, User
from ledger_client.wire import Resource, read


@dataclass(frozen=True, kw_only=True)
class Actor(Resource):
    id: UUID | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class Crossing(Resource):
    """An account has come to the other side of a threshold."""

    threshold: UUID
    account: UUID
    of: str
    amount: Decimal
    below: bool
    balance: Decimal
    held: Decimal
    available: Decimal


BY_NOUN: dict[str, type[Resource]] = {
    "user": User,
    "account": Account,
    "transaction": Transaction,
    "hold": Hold,
    "claim": Claim,
    "threshold": Threshold,
    "balance": Crossing,
}


@dataclass(frozen=True, kw_only=True)
class Event(Resource):
    """The envelope, the same by feed, webhook and broker. Of a type that you do not know, do nothing."""

    id: str
    stream: UUID  # the account, or the user where it is of no account
    sequence: int  # of the stream, without gaps
    epoch: UUID
    type: str
    recorded_at: datetime
    data: Mapping[str, Any]
    account: UUID | None = None
    position: int | None = None
    request_id: str = ""
    actor: Actor | None = None
    before: Mapping[str, Any] | None = None
    reason: str | None = None

    @property
    def resource(self) -> Resource | None:
        """`data`, typed; None for a noun that this client does not know."""
        kind = BY_NOUN.get(self.type.partition(".")[0])
        return None if kind is None else read(kind, self.data)


@dataclass(frozen=True, kw_only=True)
class EventPage(Resource):
    events: tuple[Event, ...]
    cursor: str
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class Lag(Resource):
    events: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Subscription(Resource):
    id: UUID
    kind: str  # webhook, broker
    url: str | None
    types: tuple[str, ...]
    status: str  # ACTIVE, PAUSED, DISABLED
    cursor: str
    lag: Lag
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    secret: str | None = None  # shown once, to who has made it


@dataclass(frozen=True, kw_only=True)
class Delivery(Resource):
    """What came of a `subscription.test`."""

    delivered: bool
    error: str | None

"""Commands to move money: one DEPOSIT or WITHDRAW each, and what is made of these two."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.currencies import require_amount
from accounts.identity import make_uuid8
from accounts.models import Hold
from events.errors import gettext_noop
from transactions.errors import EffectiveAtTooEarly, NotReversible, SameAccount
from transactions.models import EFFECTIVE_AT_MIN, Transaction

LEGS = 2  # of a transfer
NOT_FINAL = {"final": "false"}  # the metadata of a capture that leaves its hold open


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One DEPOSIT or WITHDRAW to be posted. Raises the refusals that need no look at the account.

    `amount` is in the account's currency; None, for a capture only, is all that its hold has left.
    `effective_at` is aware or None (the moment of recording). `currency` and `expected_version` are
    conditions, not parts of the command.
    """

    id: UUID
    account_id: UUID
    type: Transaction.Type
    amount: Decimal | None
    effective_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    transfer: UUID | None = None
    reverses: UUID | None = None
    hold: UUID | None = None
    currency: str | None = None
    expected_version: int | None = None

    def __post_init__(self) -> None:
        if self.amount is not None or self.hold is None:
            require_amount(self.amount)
        if self.effective_at is not None and self.effective_at < EFFECTIVE_AT_MIN:
            raise EffectiveAtTooEarly("Nothing is effective before 1970-01-01T00:00:00Z.")

    def find_differences(self, before: Transaction) -> Iterator[str]:
        """The parts of the command that are not as they were when `before` was asked for."""
        if self.account_id != before.account_id:
            legs = {"WITHDRAW": "source", "DEPOSIT": "destination"}
            yield legs[self.type] if self.transfer else "account"
        if self.effective_at != before.effective_at_asked:
            yield "effective_at"
        if self.amount not in (None, before.amount):
            yield "amount"
        for name in ("type", "reference", "metadata", "transfer", "reverses", "hold"):
            if getattr(self, name) != getattr(before, name):
                yield name


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingRequest:
    """What one caller wants posted. No id stands twice in it.

    A refusal of one order refuses all of them; with `each`, it is the answer to that order only. Declined is
    an order alone, or a transfer with both legs; `together`, everything or nothing is posted.
    """

    orders: Sequence[Order]
    actor: UUID
    request_id: str = ""
    together: bool = False
    each: bool = False

    def __post_init__(self) -> None:
        if len(self.orders) > 1 and len({order.id for order in self.orders}) < len(self.orders):
            raise ValueError("An id stands twice in one posting.")

    def group(self, orders: Sequence[Order]) -> list[list[Order]]:
        """What of `orders` is posted or declined together: everything, or the two legs of each transfer."""
        if len(orders) == 1 and orders[0].transfer is None:
            return [list(orders)]
        legs = Counter((order.transfer, order.amount) for order in orders if order.transfer)
        if any(count != LEGS for count in legs.values()):
            raise ValueError("A transfer has two legs with the same amount.")
        groups: dict[UUID, list[Order]] = {}
        for order in orders:
            groups.setdefault(order.transfer or order.id, []).append(order)
        if self.together:  # the legs of a transfer one after the other, at the same moment
            return [[order for group in groups.values() for order in group]]
        return list(groups.values())


def order_transfer(
    *, id: UUID, source_id: UUID, destination_id: UUID, amount: Decimal, **asked: Any
) -> list[Order]:
    """The two legs of a transfer, which are posted together or not at all. Raises `SameAccount`.

    The WITHDRAW leg has the transfer's id; that of the DEPOSIT leg is derived from it.
    """
    if source_id == destination_id:
        raise SameAccount("A transfer goes from one account to another.")
    return [
        Order(
            id=id,
            account_id=source_id,
            type=Transaction.Type.WITHDRAW,
            amount=amount,
            transfer=id,
            **asked,
        ),
        Order(
            id=derive_destination_id(id),
            account_id=destination_id,
            type=Transaction.Type.DEPOSIT,
            amount=amount,
            transfer=id,
            **asked,
        ),
    ]


def derive_destination_id(transfer_id: UUID) -> UUID:
    """The id of the DEPOSIT leg."""
    return make_uuid8(str(transfer_id).encode() + b"\x00destination")


def order_reversal(*, id: UUID, reason: str, rows: Sequence[Transaction]) -> list[Order]:
    """What takes `rows` back: a transaction, or both legs of a transfer. Raises `NotReversible`.

    A reversal is the opposite transaction with the full amount; that of a transfer is a transfer.
    """
    if any(row.status != Transaction.Status.POSTED or row.reverses for row in rows):
        raise NotReversible(
            gettext_noop("Only a posted transaction that is not itself a reversal can be taken back.")
        )
    transfer = id if len(rows) > 1 else None
    opposite = {"DEPOSIT": Transaction.Type.WITHDRAW, "WITHDRAW": Transaction.Type.DEPOSIT}
    orders = [
        Order(
            id=derive_destination_id(id) if transfer and row.type == "WITHDRAW" else id,
            account_id=row.account_id,
            type=opposite[row.type],
            amount=row.amount,
            metadata={"reason": reason},
            transfer=transfer,
            reverses=row.id,
        )
        for row in rows
    ]
    return sorted(orders, key=lambda order: order.type, reverse=True)  # WITHDRAW first, as in a transfer


def order_capture(*, id: UUID, hold: Hold, amount: Decimal | None, final: bool = True) -> Order:
    """The withdrawal of held funds; `amount` None is all that is left. What then remains is given back,
    unless `final` is False."""
    return Order(
        id=id,
        account_id=hold.account_id,
        type=Transaction.Type.WITHDRAW,
        amount=amount,
        metadata={} if final else dict(NOT_FINAL),
        hold=hold.id,
    )

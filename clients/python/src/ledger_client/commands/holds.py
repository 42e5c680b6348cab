"""Funds set aside, and what becomes of them."""

from collections.abc import Mapping
from typing import Any, Unpack
from uuid import UUID

from ledger_client.commands.command import CaptureParts, Command, Metadata
from ledger_client.resources import Hold, SplitCapture, Transaction, Transfer
from ledger_client.wire import Amount, Id, Moment, R, write_amount, write_body


def hold(
    *,
    id: Id,
    amount: Amount,
    account: Id | None = None,
    user: Id | None = None,
    currency: str | None = None,
    expires_at: Moment | None = None,
    reference: str | None = None,
    metadata: Metadata | None = None,
    expected_sequence: int | None = None,
) -> Command[Hold]:
    """Set funds aside, of an account or of a user's main account."""
    body = write_body(
        id=id,
        amount=amount,
        account=account,
        user=user,
        currency=currency,
        expires_at=expires_at,
        reference=reference,
        metadata=metadata,
        expected_sequence=expected_sequence,
    )
    return Command(path="/holds", body=body, kind=Hold, name="hold")


def change_hold(*, hold: Id, amount: Amount | None = None, expires_at: Moment | None = None) -> Command[Hold]:
    """Another amount, or another end, of an open hold: totals, so that the same twice changes no more."""
    body = write_body(amount=amount, expires_at=expires_at)
    return Command(path=f"/holds/{hold}", body=body, kind=Hold, method="PATCH")


def capture(
    *, id: Id, hold: Id, amount: Amount | None = None, **parts: Unpack[CaptureParts]
) -> Command[Transaction]:
    """Withdraw from a hold: all that is left, or `amount`. The rest is given back unless `final` is False."""
    return _capture(Transaction, hold, id=id, amount=amount, **parts)


def capture_to(
    *, id: Id, hold: Id, destination: Id, amount: Amount | None = None, **parts: Unpack[CaptureParts]
) -> Command[Transfer]:
    """A capture that goes to another account."""
    return _capture(Transfer, hold, id=id, destination=destination, amount=amount, **parts)


def capture_split(
    *,
    id: Id,
    hold: Id,
    destinations: Mapping[UUID, Amount] | Mapping[str, Amount],
    **parts: Unpack[CaptureParts],
) -> Command[SplitCapture]:
    """A capture that goes to several accounts, each with its amount: all are paid or none."""
    each = [{"destination": account, "amount": write_amount(part)} for account, part in destinations.items()]
    return _capture(SplitCapture, hold, id=id, destinations=each, **parts)


def _capture(kind: type[R], hold: Id, **members: Any) -> Command[R]:
    return Command(
        path=f"/holds/{hold}/capture",
        body=write_body(**members),
        kind=kind,
        name="capture",
        about={"hold": str(hold)},
    )


def release(*, hold: Id, reason: str | None = None, expected_sequence: int | None = None) -> Command[Hold]:
    """Give back what is left of a hold."""
    return Command(
        path=f"/holds/{hold}/release",
        body=write_body(reason=reason, expected_sequence=expected_sequence),
        kind=Hold,
        name="release",
        about={"hold": str(hold)},
    )

"""Captures as they are sent: to the outside, or into accounts, which may be said by their users."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from ledger.errors import LedgerError
from rest.errors import FieldError, InvalidRequest
from transactions.models import derive_destination_id, derive_part_id
from transactions.posting.commands import Capture, Part
from transactions.rest.views import take_account

SAID_BY_EACH = ("amount", "destination", "destination_user")


def find_destination_users(asked: dict[str, Any]) -> Iterator[UUID]:
    """The users whose main accounts a `CaptureRequest` means."""
    for part in (asked, *asked.get("destinations", ())):
        if "destination_user" in part:
            yield part["destination_user"]


def make_capture(
    id: UUID,
    asked: dict[str, Any],
    accounts: dict[UUID, dict[str, UUID]],
    *,
    hold_id: UUID,
    account_id: UUID,
    currency: str | None,
    at: str = "",
) -> Capture:
    """The command of a `CaptureRequest`. `accounts` as in `make_transaction`; `currency` is the hold's, None
    if nobody has looked: then a user with several main accounts is refused."""
    parts = asked.pop("destinations", None)
    where: dict[str, Any] = {}
    if parts is not None:
        for name in SAID_BY_EACH:
            if name in asked:
                detail = "Each of the destinations says its own."
                raise InvalidRequest(FieldError(f"{at}/{name}", "conflicting_fields", detail))
        where["destinations"] = [
            Part(
                _take_part(id, number, dict(part), accounts, currency=currency, at=at),
                part["amount"],
            )
            for number, part in enumerate(parts)
        ]
    elif "destination" in asked or "destination_user" in asked:
        where["destination_id"] = _take_destination(id, asked, accounts, currency=currency, at=at)
    return Capture(id=id, hold_id=hold_id, account_id=account_id, **where, **asked)


def _take_part(
    id: UUID,
    number: int,
    part: dict[str, Any],
    accounts: dict[UUID, dict[str, UUID]],
    *,
    currency: str | None,
    at: str,
) -> UUID:
    """The account of one of the destinations."""
    where = f"destinations/{number}"
    try:
        return _take_destination(
            derive_part_id(id, number), part, accounts, currency=currency, at=f"{at}/{where}"
        )
    except LedgerError as error:
        raise error.about(f"{where}/{error.field}") from None


def _take_destination(
    id: UUID, asked: dict[str, Any], accounts: dict[UUID, dict[str, UUID]], *, currency: str | None, at: str
) -> UUID:
    """Of the transfer `id`."""
    return take_account(
        derive_destination_id(id),
        asked,
        accounts,
        "destination",
        "destination_user",
        currency=currency,
        at=at,
    )

"""What a caller is bound to: the commands that lead beyond it are refused before anything is locked.

What is read here still counts when a command is decided: the name of an account never changes, and what a
hold has left never grows.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.currencies import write_exactly
from accounts.models import Account, Hold
from ledger.callers import Bounds
from transactions import errors
from transactions.models import Transaction
from transactions.posting.commands import (
    Capture,
    Command,
    NewHold,
    NewTransaction,
    Release,
    Remaining,
    RemoveThreshold,
    Reversal,
    SetLimits,
    SetMetadata,
    SetStatus,
    SetThreshold,
    Transfer,
)

WITHDRAW = Transaction.Type.WITHDRAW


class Move(NamedTuple):
    """What a command does to an account: money of a type, or none of it."""

    account_id: UUID
    type: str | None = None
    amount: Decimal = Decimal(0)


def require_within(bounds: Bounds, commands: Sequence[Command]) -> None:
    """Raises `TokenBound` for the first command that is beyond the bounds."""
    moves = [(command, move) for command in commands for move in _find_moves(command)]
    names: dict[UUID, str] = {}
    if bounds.account_names is not None:
        ids = {move.account_id for _, move in moves}
        names = dict(Account.objects.filter(id__in=ids).values_list("id", "name"))
    for command, move in moves:
        if error := _compare(bounds, move, names):
            error.command = command
            raise error


def _compare(bounds: Bounds, move: Move, names: dict[UUID, str]) -> errors.TokenBound | None:
    """Why the move is beyond them. That an account is not there is answered by who looks for it later."""
    name = names.get(move.account_id)
    if bounds.account_names is not None and name is not None and name not in bounds.account_names:
        return errors.TokenBound(
            "The token is bound to accounts of other names.",
            bound="account_names",
            allowed=sorted(bounds.account_names),
        )
    if bounds.types is not None and move.type is not None and move.type not in bounds.types:
        return errors.TokenBound(
            f"The token may not post a {move.type}, nor what comes to one.",
            bound="types",
            allowed=sorted(bounds.types),
        )
    if bounds.amount_max is not None and move.amount > bounds.amount_max:
        largest = write_exactly(bounds.amount_max)
        return errors.TokenBound(
            f"The token is bound to amounts up to {largest}.", bound="amount_max", allowed=largest
        )
    return None


def _find_moves(command: Command) -> Iterator[Move]:
    match command:
        case Transfer() | Reversal():
            for leg in command.legs:
                yield Move(leg.account_id, leg.type, leg.amount)
        case NewTransaction():
            yield Move(command.account_id, command.type, command.amount)
        case NewHold():
            yield Move(command.account_id, WITHDRAW, command.amount)
        case Capture():
            yield Move(command.account_id, WITHDRAW, _find_amount(command))
        case Release() | SetLimits() | SetStatus() | SetMetadata() | SetThreshold() | RemoveThreshold():
            yield Move(command.account_id)
        case _:
            raise TypeError(f"Nobody has said what a {type(command).__name__} moves.")


def _find_amount(capture: Capture) -> Decimal:
    """What it takes; of a hold that is not there nothing."""
    if capture.amount is not Remaining.ALL:
        return capture.amount
    hold = Hold.objects.filter(id=capture.hold_id).first()
    return Decimal(0) if hold is None else hold.remaining

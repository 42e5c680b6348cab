"""What a caller is bound to: the commands that lead beyond it are refused before anything is locked.

What is read here still counts when a command is decided: the name of an account never changes, and what a
transaction has left never grows. What a hold has left may grow meanwhile: a capture of all of it is compared
again.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.models import Account, Hold
from ledger.callers import Bounds
from transactions import errors
from transactions.models import Transaction
from transactions.posting.commands import (
    Capture,
    ChangeHold,
    ClaimedReversal,
    Command,
    NewClaim,
    NewHold,
    NewTransaction,
    Release,
    RemoveThreshold,
    Reversal,
    SetLimits,
    SetMetadata,
    SetStatus,
    SetThreshold,
    Transfer,
    WaiveClaim,
)
from transactions.posting.legs import Leg
from transactions.reading import queries

DEPOSIT, WITHDRAW = Transaction.Type.DEPOSIT, Transaction.Type.WITHDRAW


class Move(NamedTuple):
    """What a command does to an account: money of a type, or none of it."""

    account_id: UUID
    type: str | None = None
    amount: Decimal = Decimal(0)


def require_within(bounds: Bounds, commands: Sequence[Command]) -> None:
    """Raises `TokenBound` for the first command that is beyond the bounds."""
    for command in commands:
        if isinstance(command, Capture):
            command.amount_max = bounds.amount_max
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
        return errors.make_beyond_amount_max(bounds.amount_max)
    return None


def _find_moves(command: Command) -> Iterator[Move]:
    match command:
        case Transfer():
            for leg in command.legs:
                yield Move(leg.account_id, leg.type, leg.amount)
        case Reversal():
            for leg in _find_legs(command):
                yield Move(leg.account_id, leg.type, leg.amount)
        case ClaimedReversal():
            for leg in _find_legs(command.reversal):
                yield Move(leg.account_id, leg.type, leg.amount)
        case NewTransaction():
            yield Move(command.account_id, command.type, command.amount)
        case NewHold():
            yield Move(command.account_id, WITHDRAW, command.amount)
        case Capture():
            amount = _find_amount(command)
            yield Move(command.account_id, WITHDRAW, amount)
            parts = [part for _, part in command.destinations] or [amount]
            for id, part in zip(command.targets, parts, strict=False):
                yield Move(id, Transaction.Type.DEPOSIT, part)
        case ChangeHold():
            yield Move(command.account_id, WITHDRAW, command.changes.get("amount", Decimal(0)))
        case NewClaim():
            yield Move(command.account_id, WITHDRAW, command.amount)
            if command.destination is not None:
                yield Move(command.destination, DEPOSIT, command.amount)
        case Release() | WaiveClaim() | SetLimits() | SetStatus() | SetMetadata():
            yield Move(command.account_id)
        case SetThreshold() | RemoveThreshold():
            yield Move(command.account_id)
        case _:
            raise TypeError(f"Nobody has said what a {type(command).__name__} moves.")


def _find_legs(reversal: Reversal) -> tuple[Leg, ...]:
    """With what they take; of one that was decided before nothing is taken any more."""
    if Transaction.objects.filter(id=reversal.id).exists():
        return ()
    taken_back = queries.find_taken_back(row.id for row in reversal.rows)
    return reversal.find_legs(taken_back, {row.account_id: row.currency for row in reversal.rows})


def _find_amount(capture: Capture) -> Decimal:
    """What it takes; of a hold that is not there nothing."""
    if capture.amount_asked is not None:
        return capture.amount_asked
    hold = Hold.objects.filter(id=capture.hold_id).first()
    return Decimal(0) if hold is None else hold.remaining

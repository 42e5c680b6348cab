"""The order within a moment: deposits first, where the given order does not cover a withdrawal.

The rule of the ledger is the balance at the end of a moment, and lists of days only, as banks give them, say
nothing of what came first within one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.errors import INSUFFICIENT_FUNDS
from transactions.errors import INSUFFICIENT_FUNDS_AT
from transactions.models import Transaction
from transactions.posting.commands import Command, NewTransaction
from transactions.posting.state import Decision

EXPECTED = ("expected_version", "expected_sequence")
LACKS = (INSUFFICIENT_FUNDS, INSUFFICIENT_FUNDS_AT)

Deposits = dict[tuple[UUID, datetime | None], list[int]]  # places in a list, by account and moment


def find_deposits(commands: Sequence[Command], places: Iterable[int]) -> Deposits:
    """The deposits that may be decided before their turn: those whose moment is named.

    None of an account that another command of the list wants to find as it is: to that one the order matters.
    """
    found: Deposits = defaultdict(list)
    guarded: set[UUID] = set()
    for place in places:
        command = commands[place]
        if not isinstance(command, NewTransaction):
            guarded.update(find_guarded(command))
        elif command.expected_version is not None:
            guarded.add(command.account_id)
        elif command.type == Transaction.Type.DEPOSIT and command.effective_at is not None:
            found[command.account_id, command.effective_at].append(place)
    return {moment: deposits for moment, deposits in found.items() if moment[0] not in guarded}


def find_guarded(command: Command) -> list[UUID]:
    """The accounts that the command wants to find as they are: of a transfer one, both or none."""
    parts: Sequence[Any] = getattr(command, "legs", (command,))
    return [
        part.account_id for part in parts if any(getattr(part, name, None) is not None for name in EXPECTED)
    ]


def take_cover(
    deposits: Deposits, command: Command, decisions: Sequence[Decision], left: Iterable[int]
) -> list[int]:
    """The deposits, of the places that are left, which may cover what is decided to be declined.

    They are taken out: who was covered in vain is declined.
    """
    if not isinstance(command, NewTransaction):
        return []
    [decision] = decisions
    if decision.row is None or decision.row.decline_reason not in LACKS:
        return []
    waiting = set(left)
    moment = command.account_id, command.effective_at
    return [place for place in deposits.pop(moment, ()) if place in waiting]

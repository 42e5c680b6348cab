"""What follows of what was decided, at the end of each unit: claims are collected, then thresholds compared.

The unit is a list with an id, or one command; the end of a hold that was due is one too. What is posted in
the same commit beside it makes no difference.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from accounts.models import Claim
from ledger.callers import ActorKind, Caller
from transactions.posting.commands import Command
from transactions.posting.requests import PostingResult
from transactions.posting.settling.claims import collect
from transactions.posting.state import State


def settle_unit(
    commands: Sequence[Command],
    numbers: Iterable[int],
    state: State,
    caller: Caller,
    answers: list[Any],
) -> None:
    """Decide what follows of the commands, which are one unit: those of these numbers are new in it.

    Their answers get what was collected, and claims that they have opened are shown as they then are. Of a
    list it stands in the last one of them.
    """
    decided = [number for number in numbers if isinstance(answers[number], PostingResult)]
    if not decided:
        return
    ids = dict.fromkeys(id for command in commands for id in command.needs.accounts)
    before = len(state.rows)
    settle(ids, state, caller._replace(actor=find_cause(commands, caller), actor_kind=ActorKind.LEDGER))
    collected = [row for row in state.rows[before:] if row.account_id in ids and row.type == "WITHDRAW"]
    for number in decided:
        result: PostingResult = answers[number]
        if result.made and isinstance(result.made[0], Claim):
            answers[number] = result._replace(made=[state.claims[result.claim.id]])
    if collected:
        answers[decided[-1]] = answers[decided[-1]]._replace(collected=collected)


def find_cause(commands: Sequence[Command], caller: Caller) -> UUID | None:
    """What occasioned it: the list, or the command by what it makes, or what it is about."""
    needs = commands[0].needs
    made = (*needs.rows, needs.hold, needs.claim, *needs.holds, *needs.claims)
    return caller.batch or next((id for id in made if id), None)


def settle(ids: Iterable[UUID], state: State, caller: Caller) -> None:
    """Decide on the accounts what follows, ids of no account left out; `caller` tells what occasioned it."""
    collect(ids, state, caller)

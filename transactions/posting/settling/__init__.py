"""What follows of what was decided, at the end of each unit: claims are collected, then thresholds compared.

The unit is a list with an id, or one command; the end of a hold that was due is one too. What is posted in
the same commit beside it makes no difference.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from accounts.models import Account, Claim
from ledger.callers import ActorKind, Caller
from transactions.posting.commands import Command
from transactions.posting.commands.rules import show_now
from transactions.posting.requests import PostingResult
from transactions.posting.settling.claims import collect
from transactions.posting.settling.thresholds import find_crossings
from transactions.posting.state import Decision, State

Following = Iterator[tuple[Decision, Caller]]  # each is applied before the next one is asked for


def settle_unit(
    commands: Sequence[Command],
    numbers: Iterable[int],
    state: State,
    caller: Caller,
    answers: list[Any],
) -> Following:
    """Decide what follows of the commands, which are one unit: those of these numbers are new in it.

    Their answers get what was collected, of a list the last one of them; what they show is then as it is
    after all that.
    """
    decided = [number for number in numbers if isinstance(answers[number], PostingResult)]
    if not decided:
        return
    ids = dict.fromkeys(id for command in commands for id in command.needs.accounts)
    before = len(state.rows)
    yield from settle(
        ids, state, caller._replace(actor=find_cause(commands, caller), actor_kind=ActorKind.LEDGER)
    )
    collected = [row for row in state.rows[before:] if row.account_id in ids and row.type == "WITHDRAW"]
    for number in decided:
        result: PostingResult = answers[number]
        answers[number] = result._replace(made=[_show_now(made, state) for made in result.made])
    if collected:
        answers[decided[-1]] = answers[decided[-1]]._replace(collected=collected)


def _show_now(made: Any, state: State) -> Any:
    """An account or a claim as it is after what has followed; whatever else was made, as it is."""
    if isinstance(made, Claim):
        return state.claims[made.id]
    return show_now(made, state) if isinstance(made, Account) else made


def find_cause(commands: Sequence[Command], caller: Caller) -> UUID | None:
    """What occasioned it: the list, or the command by what it makes, or what it is about."""
    needs = commands[0].needs
    made = (*needs.rows, needs.hold, needs.claim, *needs.holds, *needs.claims)
    return caller.batch or next((id for id in made if id), None)


def settle(ids: Iterable[UUID], state: State, caller: Caller) -> Following:
    """Decide on the accounts what follows, ids of no account left out; `caller` tells what occasioned it."""
    for id in (yield from collect(ids, state, caller)):
        account = state.accounts.get(id)
        if account is not None and (crossings := find_crossings(account, state)):
            yield crossings, caller

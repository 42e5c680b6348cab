"""What is asked of the engine, and what it answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from uuid import UUID

from accounts.errors import IdempotencyKeyReused
from accounts.models import Account, Claim, Hold, Threshold
from ledger.callers import Caller
from ledger.errors import LedgerError
from transactions.errors import BATCH_DECLINED, TRANSFER_DECLINED, IdTwice
from transactions.models import Transaction
from transactions.posting.batches import NewBatch
from transactions.posting.commands import Command, Reversal
from transactions.posting.state import Culprit


@dataclass(slots=True, kw_only=True)
class PostingRequest:
    """Commands of one caller. No id stands twice in them.

    A refusal of one command refuses all of them; with `each`, it is the answer to that command only. A
    decline is of one command; `all_or_nothing`, everything or nothing is posted. With `no_declines` nothing
    is recorded of a request of which something new would be declined: it ends with `WouldDecline`. With a
    `batch` the list has an id and a row of its own, and what is made names it.
    """

    commands: Sequence[Command]
    caller: Caller
    all_or_nothing: bool = False
    each: bool = False
    no_declines: bool = False
    batch: NewBatch | None = None

    @property
    def ids(self) -> list[UUID]:
        """Of the rows, holds and claims that it makes."""
        needs = [command.needs for command in self.commands]
        return [id for each in needs for id in (*each.rows, each.hold, each.claim) if id]

    @property
    def account_ids(self) -> list[UUID]:
        return [id for command in self.commands for id in command.needs.accounts]

    def require_different_ids(self) -> None:
        """Of rows, of holds and of claims: a row may have the id of a hold. Raises `IdTwice`."""
        needs = [command.needs for command in self.commands]
        rows = [id for each in needs for id in each.rows]
        holds = [each.hold for each in needs if each.hold]
        claims = [each.claim for each in needs if each.claim]
        if any(len(set(ids)) < len(ids) for ids in (rows, holds, claims)):
            raise IdTwice("An id stands twice in one posting.")


class PostingResult(NamedTuple):
    """What one command has made: decided now, or before (`replayed`) when its id was sent the first time.

    Its transactions are POSTED or DECLINED, of a transfer the withdrawal first; its hold or
    its claim is as it is now. `collected` is what was taken for claims on its accounts because of it, when it
    was decided; of a list that has an id, the last result has what was taken because of all of it.
    """

    made: Sequence[Transaction | Hold | Account | Claim | Threshold]
    replayed: bool = False
    collected: Sequence[Transaction] = ()

    @property
    def transaction(self) -> Transaction:
        return cast(Transaction, self.made[0])

    @property
    def transactions(self) -> list[Transaction]:
        return cast(list[Transaction], list(self.made))

    @property
    def hold(self) -> Hold:
        return cast(Hold, self.made[0])

    @property
    def claim(self) -> Claim:
        return cast(Claim, self.made[0])

    @property
    def account(self) -> Account:
        return cast(Account, self.made[0])

    @property
    def threshold(self) -> Threshold:
        return cast(Threshold, self.made[0])


Answers = list[PostingResult | LedgerError]
Outcome = Answers | LedgerError  # of a request: the answers to its commands, or why all of it is refused


def find_culprit(results: Iterable[PostingResult]) -> Culprit | None:
    """The first thing that was declined, now or before, for a reason of its own; else any that was."""
    declined = [
        made
        for result in results
        for made in result.made
        if isinstance(made, Culprit) and made.decline_reason
    ]
    own = (made for made in declined if made.decline_reason not in (TRANSFER_DECLINED, BATCH_DECLINED))
    return next(own, declined[0] if declined else None)


def find_declined(answers: Iterable[Any]) -> Culprit | None:
    """The first one that was declined before."""
    for answer in answers:
        for made in answer.made if isinstance(answer, PostingResult) else ():
            if isinstance(made, Culprit) and made.decline_reason:
                return made
    return None


def answer_again(command: Any, kept: Hold | Claim | None, rows: Sequence[Transaction]) -> PostingResult:
    """What was decided before under the id of the command: `kept` is the hold or the claim that it made,
    `rows` its transactions. Raises `IdempotencyKeyReused`."""
    if rows and type(command) is Reversal:
        kept = None  # its own rows, whatever claim has the same id since
    made: Sequence[Transaction | Hold | Claim] = [kept] if kept else rows
    differs = command.find_differences(kept or {row.id: row for row in rows})
    if differs:
        kind = kept._meta.model_name if kept else "command"
        raise IdempotencyKeyReused(
            f"This id was used before, for another {kind}.",
            differs=differs,
            confidential_to=(
                made[0].user_id,
                f"accounts.view_{kind}" if kept else "transactions.view_transaction",
            ),
        )
    return PostingResult(made, replayed=True)

"""Deciding requests in memory, under the locks: what was decided before is answered, the rest is new."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast
from uuid import UUID

from accounts.errors import IdempotencyKeyReused
from accounts.models import Account, Hold
from ledger.errors import LedgerError
from transactions.errors import TRANSFER_DECLINED
from transactions.models import Transaction
from transactions.posting import writing
from transactions.posting.commands import Command
from transactions.posting.commands.expiry import expire, find_due_holds
from transactions.posting.state import Needs, State, make_account_states
from transactions.posting.writing import Look
from transactions.reading import queries


@dataclass(slots=True, kw_only=True)
class PostingRequest:
    """Commands for one actor. No id stands twice in them.

    A refusal of one command refuses all of them; with `each`, it is the answer to that command only. A
    decline is of one command; `all_or_nothing`, everything or nothing is posted.
    """

    commands: Sequence[Command]
    actor: UUID
    request_id: str = ""
    all_or_nothing: bool = False
    each: bool = False
    needs: list[Needs] = field(init=False)
    ids: Sequence[UUID] = field(init=False)  # of the rows and holds that it makes
    account_ids: Sequence[UUID] = field(init=False)

    def __post_init__(self) -> None:
        self.needs = [command.needs() for command in self.commands]
        if len(self.needs) == 1:
            [needs] = self.needs
            self.ids = (needs.hold,) if needs.hold else needs.rows
            self.account_ids = needs.accounts
            return
        self.ids = [id for needs in self.needs for id in (*needs.rows, needs.hold) if id]
        self.account_ids = [id for needs in self.needs for id in needs.accounts]
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("An id stands twice in one posting.")


class PostingResult(NamedTuple):
    """What one command has made: decided now, or before (`replayed`) when its id was sent the first time.

    Its transactions are POSTED or DECLINED, of a transfer the withdrawal first; its hold is as it is now.
    """

    made: Sequence[Transaction | Hold | Account]
    replayed: bool = False

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
    def account(self) -> Account:
        return cast(Account, self.made[0])


Answers = list[PostingResult | LedgerError]
Outcome = Answers | LedgerError  # of a request: the answers to its commands, or why all of it is refused


def decide(
    requests: Sequence[PostingRequest], locked: Sequence[tuple[Any, ...]], look: Look
) -> tuple[list[Outcome], State]:
    """The outcomes, and the state with all that is to be written. `locked`: rows of `COLUMNS`."""
    before: dict[UUID, Transaction] = queries.find_transactions(look.decided) if look.decided else {}
    state = _read_state(requests, locked, look)
    before_holds = state.holds.copy()
    outcomes: list[Outcome] = []
    for request in requests:
        try:
            answers, state = _decide_request(request, before, before_holds, state)
            outcomes.append(answers)
        except LedgerError as error:
            outcomes.append(error)
    return outcomes, state


def _read_state(requests: Sequence[PostingRequest], locked: Sequence[tuple[Any, ...]], look: Look) -> State:
    """What the requests are decided on; the due holds are ended of the accounts that have something new.

    The end of a hold is told as of the first request on its account.
    """
    accounts = make_account_states(locked)
    new: list[tuple[Needs, PostingRequest]] = []
    reverses: set[UUID] = set()
    rules: set[UUID] = set()
    hold_ids = {
        id for request in requests for needs in request.needs for id in (needs.hold, *needs.holds) if id
    }
    holds = Hold.objects.with_clock().in_bulk(hold_ids) if hold_ids else {}
    for request in requests:
        for needs in request.needs:
            _, rows, hold_id, _, taken_back, has_rules = needs
            if (look.decided and not look.decided.isdisjoint(rows)) or hold_id in holds:
                continue
            new.append((needs, request))
            reverses.update(taken_back)
            if has_rules:
                rules.update(needs.accounts)
    state = State(
        clock=look.clock,
        accounts=accounts,
        find_broken=writing.find_broken_instant,
        holds=holds,
        reversed_by=queries.find_reversals(reverses) if reverses else None,
        rules=Account.objects.in_bulk(rules) if rules else None,
    )
    if any(account.held for account in accounts.values()):
        request_ids: dict[UUID, str] = {}
        for needs, request in new:
            for id in needs.accounts:
                request_ids.setdefault(id, request.request_id)
        of_new = [account for id, account in accounts.items() if id in request_ids]
        for hold in find_due_holds(of_new, state.clock):
            state.holds[hold.id] = hold
            state.apply(expire(hold, state, request_ids[hold.account_id]))
    return state


def _decide_request(
    request: PostingRequest, before: Mapping[UUID, Transaction], holds: Mapping[UUID, Hold], state: State
) -> tuple[Answers, State]:
    """The answers, and the state after it. A refusal is raised, and then the state before it still counts."""
    answers: list[Any] = [None] * len(request.commands)
    if before or holds:
        answers = _replay(request, before, holds)
    new = [number for number, answer in enumerate(answers) if answer is None]
    if not new:
        return answers, state
    culprit = None
    if request.all_or_nothing:
        rows = (before.get(id) for id in request.ids)
        culprit = next((row for row in rows if row and row.decline_reason), None)
    draft = state if request.each or len(new) == 1 else state.copy()
    _decide_commands(request, new, draft, culprit, answers)
    if request.all_or_nothing and culprit is None and len(new) > 1:
        culprit = _find_culprit(answers)
        if culprit is not None:
            draft = state.copy()
            _decide_commands(request, new, draft, culprit, answers)
    return answers, draft


def _decide_commands(
    request: PostingRequest,
    numbers: Iterable[int],
    state: State,
    culprit: Transaction | None,
    answers: Answers,
) -> None:
    """Decide the commands of these numbers; the answers are put in their places."""
    for number in numbers:
        command = request.commands[number]
        try:
            decisions = command.decide(state, request, culprit)
        except LedgerError as error:
            answers[number] = _refuse(request, command, error)
            continue
        state.is_decided = True
        for decision in decisions:
            state.apply(decision)
        answers[number] = PostingResult([decision.made for decision in decisions])


def _refuse(request: PostingRequest, command: Command, error: LedgerError) -> LedgerError:
    """A refusal of one command is its answer if the request wants that; else it refuses all of them."""
    error.command_id = command.id
    if not request.each:
        raise error
    return error


def _find_culprit(answers: Answers) -> Transaction | None:
    """The first transaction that was declined, and not because of another one."""
    for answer in answers:
        for row in answer.made if isinstance(answer, PostingResult) else ():
            if isinstance(row, Transaction) and row.decline_reason not in (None, TRANSFER_DECLINED):
                return row
    return None


def _replay(
    request: PostingRequest, before: Mapping[UUID, Transaction], holds: Mapping[UUID, Hold]
) -> list[PostingResult | LedgerError | None]:
    """What was decided before under the commands' ids, None for a new one. Raises `IdempotencyKeyReused`."""
    replays: list[PostingResult | LedgerError | None] = []
    for command, needs in zip(request.commands, request.needs, strict=True):
        hold = holds.get(needs.hold) if needs.hold else None
        rows = [before[id] for id in needs.rows if id in before]
        try:
            replays.append(_answer_again(command, hold, rows) if hold or rows else None)
        except LedgerError as error:
            replays.append(_refuse(request, command, error))
    return replays


def _answer_again(command: Any, hold: Hold | None, rows: Sequence[Transaction]) -> PostingResult:
    made: Sequence[Transaction | Hold] = [hold] if hold else rows
    differs = command.find_differences(hold or {row.id: row for row in rows})
    if differs:
        kind = "hold" if hold else "command"
        raise IdempotencyKeyReused(
            f"This id was used before, for another {kind}.",
            differs=differs,
            confidential_to=(
                made[0].user_id,
                "accounts.view_hold" if hold else "transactions.view_transaction",
            ),
        )
    return PostingResult(made, replayed=True)

"""Deciding requests in memory, under the locks: what was decided before is answered, the rest is new."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from accounts.errors import IdempotencyKeyReused
from accounts.models import Account, Hold
from ledger.errors import LedgerError
from transactions.errors import TRANSFER_DECLINED
from transactions.models import Transaction
from transactions.posting import writing
from transactions.posting.commands import Command
from transactions.posting.commands.expiry import expire, find_due_holds
from transactions.posting.needs import Needs
from transactions.posting.requests import Answers, Outcome, PostingRequest, PostingResult
from transactions.posting.state import AccountState, State
from transactions.posting.writing import Look
from transactions.reading import queries

Results = dict[int, PostingResult | LedgerError]  # by the number of the command in its request


def decide(
    requests: Sequence[PostingRequest], accounts: Mapping[UUID, AccountState], look: Look
) -> tuple[list[Outcome], State]:
    """The outcomes, and the state with all that is to be written."""
    before: dict[UUID, Transaction] = queries.find_transactions(look.decided) if look.decided else {}
    state = _read_state(requests, accounts, look)
    before_holds = state.holds.copy()
    outcomes: list[Outcome] = []
    for request in requests:
        try:
            answers, state = _decide_request(request, before, before_holds, state)
            outcomes.append(answers)
        except LedgerError as error:
            outcomes.append(error)
    return outcomes, state


def _read_state(
    requests: Sequence[PostingRequest], accounts: Mapping[UUID, AccountState], look: Look
) -> State:
    """What the requests are decided on; the due holds are ended of the accounts that have something new.

    The end of a hold is told as of the first request on its account.
    """
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
        accounts=dict(accounts),
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
        locked = [account for id, account in accounts.items() if id in request_ids]
        for hold in find_due_holds(locked, state.clock):
            state.holds[hold.id] = hold
            state.apply(expire(hold, state, request_ids[hold.account_id]))
    return state


def _decide_request(
    request: PostingRequest, before: Mapping[UUID, Transaction], holds: Mapping[UUID, Hold], state: State
) -> tuple[Answers, State]:
    """The answers, and the state after it. A refusal is raised, and then the state before it still counts."""
    results = _replay(request, before, holds) if before or holds else {}
    new = [each for each in enumerate(request.commands) if each[0] not in results]
    if not new:
        return [results[number] for number in range(len(request.commands))], state
    culprit = None
    if request.all_or_nothing:
        rows = (before.get(id) for id in request.ids)
        culprit = next((row for row in rows if row and row.decline_reason), None)
    draft = state if request.each or len(new) == 1 else state.copy()
    decided = _decide_commands(request, new, draft, culprit)
    if request.all_or_nothing and culprit is None and len(new) > 1:
        culprit = _find_culprit(decided)
        if culprit is not None:
            draft = state.copy()
            decided = _decide_commands(request, new, draft, culprit)
    results.update(decided)
    return [results[number] for number in range(len(request.commands))], draft


def _decide_commands(
    request: PostingRequest,
    commands: Iterable[tuple[int, Command]],
    state: State,
    culprit: Transaction | None,
) -> Results:
    results: Results = {}
    for number, command in commands:
        try:
            decisions = command.decide(state, request, culprit)
        except LedgerError as error:
            _refuse(request, command, error)
            results[number] = error
            continue
        state.is_decided = True
        for decision in decisions:
            state.apply(decision)
        results[number] = PostingResult([decision.made for decision in decisions])
    return results


def _refuse(request: PostingRequest, command: Command, error: LedgerError) -> None:
    """A refusal of one command is its answer if the request wants that; else it refuses all of them."""
    error.command_id = command.id
    if not request.each:
        raise error


def _find_culprit(results: Results) -> Transaction | None:
    """The first transaction that was declined, and not because of another one."""
    made = [row for result in results.values() if isinstance(result, PostingResult) for row in result.made]
    rows = [row for row in made if isinstance(row, Transaction) and row.decline_reason]
    return next((row for row in rows if row.decline_reason != TRANSFER_DECLINED), None)


def _replay(
    request: PostingRequest, before: Mapping[UUID, Transaction], holds: Mapping[UUID, Hold]
) -> Results:
    """What was decided before under the commands' ids. Raises `IdempotencyKeyReused`."""
    results: Results = {}
    for number, (command, needs) in enumerate(zip(request.commands, request.needs, strict=True)):
        hold = holds.get(needs.hold) if needs.hold else None
        rows = [before[id] for id in needs.rows if id in before]
        if hold or rows:
            try:
                results[number] = _answer_again(command, hold, rows)
            except LedgerError as error:
                _refuse(request, command, error)
                results[number] = error
    return results


def _answer_again(command: Any, hold: Hold | None, rows: Sequence[Transaction]) -> PostingResult:
    made: Sequence[Transaction | Hold] = [hold] if hold else rows
    differs = command.find_differences(hold or {row.id: row for row in rows})
    if differs:
        kind = "hold" if hold else "command"
        raise IdempotencyKeyReused(
            f"This id was used before, for another {kind}.",
            differs,
            owner_id=made[0].user_id,
            permission="accounts.view_hold" if hold else "transactions.view_transaction",
        )
    return PostingResult(made, replayed=True)

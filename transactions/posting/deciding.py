"""Deciding requests in memory, under the locks: what was decided before is answered, the rest is new."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from accounts.models import Account, Claim, Hold, find_nearest
from accounts.queries import find_open_claims, find_thresholds
from events import outbox
from ledger.callers import ActorKind, Caller
from ledger.errors import LedgerError
from ledger.values import format_time
from transactions.errors import TRANSFER_DECLINED, WouldDecline
from transactions.models import Transaction
from transactions.posting import limits
from transactions.posting.commands import Command
from transactions.posting.commands.expiry import expire, find_due_holds
from transactions.posting.order import find_deposits, take_cover
from transactions.posting.requests import (
    Answers,
    Outcome,
    PostingRequest,
    PostingResult,
    answer_again,
    find_declined,
)
from transactions.posting.settling import settle, settle_unit
from transactions.posting.state import Accounts, AccountState, Culprit, Decision, Needs, State
from transactions.posting.writing import Look
from transactions.reading import queries


def decide(
    requests: Sequence[PostingRequest], locked: Sequence[tuple[Any, ...]], look: Look
) -> tuple[list[Outcome], State]:
    """The outcomes, and the state with all that is to be written. `locked`: rows of `COLUMNS`."""
    before: dict[UUID, Transaction] = queries.get_transactions(look.decided) if look.decided else {}
    state = _read_state(requests, locked, look)
    before_holds, before_claims = state.holds.copy(), state.claims.copy()
    outcomes: list[Outcome] = []
    for request in requests:
        try:
            answers, state = _decide_request(request, before, before_holds, before_claims, state)
            outcomes.append(answers)
        except LedgerError as error:
            outcomes.append(error)
    return outcomes, state


def _read_state(requests: Sequence[PostingRequest], locked: Sequence[tuple[Any, ...]], look: Look) -> State:
    """What the requests are decided on; the due holds are ended of the accounts that have something new.

    The end of a hold is told as of the first request on its account.
    """
    accounts = make_accounts(locked)
    new: list[tuple[Needs, PostingRequest]] = []
    reverses: set[UUID] = set()
    rules: set[UUID] = set()
    every = [(command.needs, request) for request in requests for command in request.commands]
    ids = {id for needs, _ in every for id in (needs.hold, needs.claim, *needs.holds, *needs.claims) if id}
    holds: dict[UUID, Hold] = {}
    claims: dict[UUID, Claim] = {}
    if ids:
        claim_ids = {id for needs, _ in every for id in (needs.claim, *needs.claims) if id}
        hold_ids = {id for needs, _ in every for id in (needs.hold, *needs.holds) if id}
        holds = Hold.objects.with_clock().in_bulk(hold_ids) if hold_ids else {}
        claims = Claim.objects.select_related("account").in_bulk(claim_ids) if claim_ids else {}
    for needs, request in every:
        if look.decided and not look.decided.isdisjoint(needs.rows):
            continue
        if needs.hold in holds or needs.claim in claims:
            continue
        new.append((needs, request))
        reverses.update(needs.reverses)
        if needs.rules:
            rules.update(needs.accounts)
    state = State(
        clock=look.clock,
        accounts=accounts,
        find_broken=limits.find_broken_instant,
        find_claims=find_open_claims,
        find_thresholds=find_thresholds,
        holds=holds,
        claims=claims,
        taken_back=queries.find_taken_back(reverses) if reverses else {},
        rules=Account.objects.in_bulk(rules) if rules else {},
        known_batches=look.batches,
    )
    has_held = False
    for account in accounts.values():  # without a call
        if account.held:
            has_held = True
        if account.owed or account.nearest is not None:
            state.is_settled = False
    if has_held:
        causes: dict[UUID, Caller] = {}
        for needs, request in new:
            command_id = next(iter(needs.rows), needs.hold or needs.claim)
            for id in needs.accounts:
                causes.setdefault(id, request.caller._replace(actor=command_id, actor_kind=ActorKind.LEDGER))
        end_due_holds(state, causes)
    return state


def end_due_holds(state: State, causes: Mapping[UUID, Caller]) -> None:
    """End the due holds of the accounts that have a cause, by which their ends are told."""
    accounts = [account for id, account in state.accounts.items() if id in causes]
    for hold in find_due_holds(accounts, state.clock):
        state.holds[hold.id] = hold
        apply(expire(hold, state), state, causes[hold.account_id])
        if not state.is_settled:
            for decision, caller in settle([hold.account_id], state, causes[hold.account_id]):
                apply(decision, state, caller)


def make_accounts(locked: Iterable[Sequence[Any]]) -> Accounts:
    """The accounts of rows of `COLUMNS`."""
    return Accounts((row[0], make_account(row)) for row in locked)


def make_account(row: Iterable[Any]) -> AccountState:
    """Of a row of `COLUMNS`."""
    values: tuple[Any, ...] = (*row,)
    return AccountState._make((*values, str(values[0]), str(values[1])))


def _decide_request(
    request: PostingRequest,
    before: Mapping[UUID, Transaction],
    holds: Mapping[UUID, Hold],
    claims: Mapping[UUID, Claim],
    state: State,
) -> tuple[Answers, State]:
    """The answers, and the state after it. A refusal is raised, and then the state before it still counts."""
    answers: list[Any] = [None] * len(request.commands)
    batch, is_known = request.batch, False
    if batch is not None:
        is_known = batch.is_among(state.known_batches)
    if before or holds or claims:
        answers = _replay(request, before, holds, claims)
    if is_known and request.all_or_nothing:
        _answer_as_is(request, state, answers)
    new = [number for number, answer in enumerate(answers) if answer is None]
    if not new and (batch is None or is_known):
        return answers, state
    caller = request.caller if batch is None else request.caller._replace(batch=batch.id)
    culprit = None
    if request.all_or_nothing:
        culprit = find_declined(answers)
    draft = state if request.each or len(new) == 1 else state.copy()
    found = decide_commands(request, caller, new, draft, culprit, answers)
    if request.no_declines and (declined := find_declined([answers[number] for number in new])):
        raise WouldDecline(declined)
    if found is not None and len(new) > 1:
        draft = state.copy()
        decide_commands(request, caller, new, draft, found, answers)
    if batch is not None and not is_known:
        draft.batches.append(batch.make_row(caller, state.clock))
    return answers, draft


def decide_commands(
    request: PostingRequest,
    caller: Caller,
    numbers: Sequence[int],
    state: State,
    culprit: Culprit | None,
    answers: Answers,
) -> Culprit | None:
    """Decide the commands of these numbers; the answers are put in their places. The first one that is
    declined ends a list of all or nothing, and is returned.
    """
    left = deque(numbers)
    deposits = find_deposits(request.commands, numbers) if len(left) > 1 and culprit is None else {}
    while left:
        number = left.popleft()
        command = request.commands[number]
        try:
            decisions = command.decide(state, caller, culprit)
        except LedgerError as error:
            answers[number] = _refuse(request, command, error)
            continue
        if deposits and (first := take_cover(deposits, command, decisions, left)):
            left = deque([*first, number, *(each for each in left if each not in first)])
            continue
        state.is_decided = True
        for decision in decisions:
            apply(decision, state, caller)
        answers[number] = PostingResult([decision.made for decision in decisions])
        if not state.is_settled and request.batch is None:
            for decision, cause in settle_unit([command], [number], state, caller, answers):
                apply(decision, state, cause)
        if request.all_or_nothing and culprit is None:
            found = _find_culprit(decisions)
            if found is not None:
                return found
    if not state.is_settled and request.batch is not None:
        for decision, cause in settle_unit(request.commands, numbers, state, caller, answers):
            apply(decision, state, cause)
    return None


def _answer_as_is(request: PostingRequest, state: State, answers: list[Any]) -> None:
    """What an atomic list made nothing of when it was decided is not decided any more: holds that it released
    are answered as they are."""
    for number, answer in enumerate(answers):
        if answer is None:
            holds = (state.holds.get(id) for id in request.commands[number].needs.holds)
            made = [] if request.commands[number].id else [hold for hold in holds if hold]
            answers[number] = PostingResult(made, replayed=True)


def apply(decision: Decision, state: State, caller: Caller) -> None:
    """From now on the decision counts. Its events have the account's sequence numbers and the clock's time,
    but none is before the one before it.
    """
    _, account, events, row, hold, rules, claim, thresholds = decision
    if account is None:
        return
    if thresholds is not None:
        account = account._replace(nearest=find_nearest(state.take_thresholds(account, thresholds)))
    if events and account.last_recorded_at < state.clock:
        account = account._replace(last_recorded_at=state.clock)
    state.accounts[account.id] = account
    state.touched[account.id] = None
    recorded_at = format_time(account.last_recorded_at)
    for number, (type, told) in enumerate(events, account.event_sequence - len(events) + 1):
        if told is None:
            event: outbox.NewEvent = {
                "stream": account.id_text,
                "sequence": number,
                "type": type,
                "recorded_at": recorded_at,
                "about": account.seq,
            }
        else:
            event, text = outbox.tell(
                stream=account.id,
                sequence=number,
                type=type,
                recorded_at=account.last_recorded_at,
                told=told,
                caller=caller,
            )
            state.is_told = True
            if text:
                state.texts.append(text)
        state.events.append(event)
    if row is not None:
        state.rows.append(row)
        if row.reverses:
            state.take_back(row)
    if hold is not None:
        place = state.placed if hold.id in state.placed or hold.id not in state.holds else state.changed
        place[hold.id] = state.holds[hold.id] = hold
    if rules is not None:
        state.rules[rules.id] = state.changed_rules[rules.id] = rules
    if claim is not None:
        state.take_claim(claim)


def _refuse(request: PostingRequest, command: Command, error: LedgerError) -> LedgerError:
    """A refusal of one command is its answer if the request wants that; else it refuses all of them."""
    error.command = command
    if not request.each:
        raise error
    return error


def _find_culprit(decisions: Iterable[Decision]) -> Culprit | None:
    """What was declined, and not because of another one."""
    for decision in decisions:
        made = decision.made if decision.events else None  # what is only answered again is as it was
        if isinstance(made, Culprit) and made.decline_reason not in (None, TRANSFER_DECLINED):
            return made
    return None


def _replay(
    request: PostingRequest,
    before: Mapping[UUID, Transaction],
    holds: Mapping[UUID, Hold],
    claims: Mapping[UUID, Claim],
) -> list[PostingResult | LedgerError | None]:
    """What was decided before under the commands' ids, None for a new one. Raises `IdempotencyKeyReused`."""
    replays: list[PostingResult | LedgerError | None] = []
    for command in request.commands:
        needs = command.needs
        kept = holds.get(needs.hold) if needs.hold else claims.get(needs.claim) if needs.claim else None
        rows = [before[id] for id in needs.rows if id in before]
        try:
            replays.append(answer_again(command, kept, rows) if kept or rows else None)
        except LedgerError as error:
            replays.append(_refuse(request, command, error))
    return replays

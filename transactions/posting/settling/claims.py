"""Collections: what accounts owe is taken of what is free of them, the oldest claim first.

Free is what the balance has beyond what is held: never what credit would allow. It is a state that does not
outlive a unit: an account that owes has nothing free, but for claims that nobody can be paid for now.
"""

from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from decimal import Decimal
from uuid import UUID

from accounts.idempotency import make_uuid8
from accounts.models import BALANCE_MAX, Account, Claim, replace_row
from ledger.callers import Caller
from transactions.models import Transaction, derive_destination_id
from transactions.posting.commands.claim import tell
from transactions.posting.legs import Leg, decide_leg, find_moment
from transactions.posting.state import AccountState, Decision, MoreAccounts, State

# That a claim is collected in one unit. What goes round between accounts that owe each other comes to rest.
TURNS_MAX = 50


Collections = Generator[tuple[Decision, Caller], None, list[UUID]]


def collect(ids: Iterable[UUID], state: State, caller: Caller) -> Collections:
    """Collect on the accounts, and on those that are paid by it, as long as anything is. All of them.

    `caller` is told of as who has done it. Each decision is applied before the next one is asked for. Raises
    `MoreAccounts`.
    """
    waiting = deque(ids)
    seen = dict.fromkeys(waiting)
    turns: Counter[UUID] = Counter()
    while waiting:
        account = state.accounts.get(waiting.popleft())
        if account is None or not account.owed:
            continue
        for claim in state.list_open_claims(account.id):
            account = state.accounts[account.id]
            if account.balance <= account.held:
                break
            if turns[claim.id] == TURNS_MAX or not _may_be_paid(claim, account, state):
                continue
            yield from _collect(claim, account, state, caller)
            turns[claim.id] += 1
            if claim.destination is not None:  # who may owe, too
                seen[claim.destination] = None
                if claim.destination not in waiting:
                    waiting.append(claim.destination)
    return list(seen)


def _find_amount(claim: Claim, account: AccountState) -> Decimal:
    return min(claim.remaining, account.balance - account.held)


def _may_be_paid(claim: Claim, account: AccountState, state: State) -> bool:
    """Whether the account that it is paid to takes what is there. Raises `MoreAccounts` if unknown."""
    if claim.destination is None:
        return True
    payee = state.accounts.get(claim.destination)
    if payee is None:
        raise MoreAccounts(account.id)
    is_open = payee.status != Account.Status.CLOSED
    return is_open and payee.balance + _find_amount(claim, account) <= BALANCE_MAX


def _collect(
    claim: Claim, account: AccountState, state: State, caller: Caller
) -> Iterator[tuple[Decision, Caller]]:
    """Take what is there of the claim."""
    amount = _find_amount(claim, account)
    moment = find_moment(account, state.clock)
    if claim.destination is not None:
        moment = max(moment, find_moment(state.accounts[claim.destination], state.clock))
    caller = caller._replace(actor=caller.actor or claim.id)  # of the end of a hold that nobody has asked for
    id = derive_collection_id(claim)
    transfer = id if claim.destination else None
    leg = _make_leg(claim, id, account.id, Transaction.Type.WITHDRAW, amount, transfer)
    taken = decide_leg(leg, state, caller, recorded_at=moment)
    after = replace_row(claim, collected=claim.collected + amount, collections=claim.collections + 1)
    if after.collected == after.amount:
        after = replace_row(after, status=Claim.Status.COLLECTED, closed_at=moment)
    told = tell("claim.collected", after, taken.account or account, before=claim)
    yield told._replace(row=taken.row, events=taken.events + told.events), caller
    state.collections += 1
    if claim.destination is not None:
        received = derive_destination_id(id)
        leg = _make_leg(claim, received, claim.destination, Transaction.Type.DEPOSIT, amount, transfer)
        yield decide_leg(leg, state, caller, recorded_at=moment), caller


def _make_leg(
    claim: Claim, id: UUID, account_id: UUID, type: Transaction.Type, amount: Decimal, transfer: UUID | None
) -> Leg:
    return Leg(
        id=id,
        account_id=account_id,
        type=type,
        amount=amount,
        reference=claim.reference,
        metadata={"reason": claim.reason},
        transfer=transfer,
        claim=claim.id,
    )


def derive_collection_id(claim: Claim) -> UUID:
    """Of the next one."""
    return make_uuid8(f"{claim.id}\0collection\0{claim.collections}".encode())

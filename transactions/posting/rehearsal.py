"""What commands would come to, decided on what their accounts are now. Nothing is written or locked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from accounts import operations
from accounts.models import Account, Claim
from accounts.queries import find_open_claims, find_payees, find_thresholds
from ledger.callers import Caller
from ledger.errors import LedgerError
from ledger.values import EPOCH
from transactions.posting import limits, writing
from transactions.posting.commands import NewTransaction
from transactions.posting.deciding import decide, decide_commands, end_due_holds, make_account, make_accounts
from transactions.posting.requests import Answers, Outcome, PostingRequest
from transactions.posting.state import COLUMNS, Accounts, AccountState, MoreAccounts, State
from transactions.posting.writing import Look
from transactions.reading import queries

# PostgreSQL has it from 17 on.
NO_TIMEOUT = """
SELECT set_config('transaction_timeout', '0', true)
WHERE current_setting('transaction_timeout', true) IS NOT NULL
"""


@contextmanager
def reading_one_moment(*, briefly: bool = False) -> Iterator[None]:
    """What is read inside is as it was at the beginning; in a caller's transaction, as that one sees it.

    Nobody waits for it, and it waits for nobody: it takes no locks. `briefly`: the usual time-outs hold.
    """
    if connection.in_atomic_block:
        yield
        return
    with atomic():
        with connection.cursor() as cursor:
            cursor.execute(queries.ONE_MOMENT if briefly else queries.SNAPSHOT)
            if not briefly:
                cursor.execute(NO_TIMEOUT)
        yield


class Rehearsed(NamedTuple):
    """What a request would be answered, and the `versions` of its accounts that this was decided at.

    `version` is the account's that decides: of one command the account that it is about, of a transfer the
    source; of a list its only one. None: there is no such account. `accounts` are as they would be then.
    """

    answers: Answers
    versions: dict[UUID, int]
    version: int | None
    accounts: Mapping[UUID, AccountState]


def rehearse(
    request: PostingRequest, *, after: Mapping[UUID, AccountState] = MappingProxyType({})
) -> Rehearsed:
    """What `post_request` would answer at this moment, by the same decisions on one snapshot.

    `after`: these accounts are not as they are stored, but as another rehearsal has left them. What was
    decided under an id before is answered again; what would be made has the moment of the snapshot.
    Works where the database is read-only. Raises the `LedgerError`s of `post_request`.
    """
    if len(request.commands) > 1:
        request.require_different_ids()
    account_ids = list(dict.fromkeys(request.account_ids))
    ids = [id for command in request.commands for id in command.needs.rows]
    with reading_one_moment(briefly=True):
        found = [_get_row(after, row) for row in _read_rows(account_ids)]
        versions = {id: account.version for id, account in make_accounts(found).items()}
        look = writing.look(ids, [request.batch.id] if request.batch else [])
        outcome, accounts = _decide_with_payees(request, found, look, after)
    if isinstance(outcome, LedgerError):
        raise outcome
    first = next(iter(account_ids), None)
    decides = request.batch is None or len(account_ids) == 1
    return Rehearsed(outcome, versions, versions.get(first) if first and decides else None, accounts)


def _decide_with_payees(
    request: PostingRequest, found: list[tuple[Any, ...]], look: Look, after: Mapping[UUID, AccountState]
) -> tuple[Outcome, Accounts]:
    """On the rows of accounts that were found, and of those that their claims are paid to if need be."""
    while True:
        try:
            [outcome], state = decide([request], found, look)
        except MoreAccounts as error:
            known = {row[0] for row in found}
            more = _read_rows(find_payees([error.account_id]) - known)
            found = [*found, *(_get_row(after, row) for row in more)]
        else:
            return outcome, state.accounts


def _get_row(after: Mapping[UUID, AccountState], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of `COLUMNS`: the account's that was left so, or else the one that is stored."""
    return after[row[0]][: len(COLUMNS)] if row[0] in after else row


class Rehearsal:
    """Pages of transactions, an account's in the order of their effect, decided as `posting.post` would.

    None of those before is then effective later than one that follows: all that the past of a backdated one
    needs is in the database. An account stays as it would be after a page if the next page has it too.
    """

    def __init__(self, *, caller: Caller) -> None:
        self.caller = caller
        self.accounts = Accounts()
        self.claims: dict[UUID, Claim] = {}
        self.open_claims: dict[UUID, tuple[UUID, ...]] = {}  # of the accounts

    def decide(self, commands: Sequence[NewTransaction], currencies: Mapping[UUID, str]) -> Answers:
        """What would be posted, declined or refused. `currencies` are the accounts'; one that is not there
        yet is opened for the rehearsal."""
        self.accounts = Accounts((id, account) for id, account in self.accounts.items() if id in currencies)
        new = currencies.keys() - self.accounts.keys()
        if new:
            found = make_accounts(_read_rows(new))
            for id in new:
                self.accounts[id] = found.get(id) or _open_in_memory(id, currencies[id])
        while True:
            state = State(
                clock=operations.read_clock(),
                accounts=Accounts(self.accounts),
                find_broken=limits.find_broken_instant,
                find_claims=find_open_claims,
                find_thresholds=find_thresholds,
                claims=self.claims.copy(),
                open_claims={id: self.open_claims[id] for id in self.open_claims if id in self.accounts},
                is_settled=not any(account.owed for account in self.accounts.values()),
            )
            request = PostingRequest(commands=commands, caller=self.caller, each=True)
            answers: list[Any] = [None] * len(commands)
            try:
                end_due_holds(state, dict.fromkeys(new, self.caller))
                decide_commands(request, self.caller, range(len(commands)), state, None, answers)
            except MoreAccounts as error:
                payees = find_payees([error.account_id]) - self.accounts.keys()
                self.accounts |= make_accounts(_read_rows(payees))
                continue
            self.accounts, self.claims, self.open_claims = state.accounts, state.claims, state.open_claims
            return answers


def _read_rows(ids: Collection[UUID]) -> list[tuple[Any, ...]]:
    """Of the accounts the rows of `COLUMNS`. Ids of no account are missing."""
    return list(Account._base_manager.filter(id__in=ids).values_list(*COLUMNS))


def _open_in_memory(id: UUID, currency: str) -> AccountState:
    account = Account(id=id, user_id=id, currency=currency, balance=Decimal(0), last_recorded_at=EPOCH)
    return make_account(getattr(account, name) for name in COLUMNS)

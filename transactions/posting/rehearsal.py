"""What commands would come to, decided on what their accounts are now. Nothing is written or locked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from accounts import operations
from accounts.models import Account
from accounts.queries import find_thresholds
from ledger.callers import Caller
from ledger.errors import LedgerError
from ledger.values import EPOCH
from transactions.posting import writing
from transactions.posting.commands import NewTransaction
from transactions.posting.deciding import decide, decide_commands, end_due_holds, make_account, make_accounts
from transactions.posting.requests import Answers, PostingRequest
from transactions.posting.state import COLUMNS, Accounts, AccountState, State
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
    source; of a list its only one. None: there is no such account.
    """

    answers: Answers
    versions: dict[UUID, int]
    version: int | None


def rehearse(request: PostingRequest) -> Rehearsed:
    """What `post_request` would answer at this moment, by the same decisions on one snapshot.

    What was decided under an id before is answered again; what would be made has the moment of the snapshot.
    Works where the database is read-only. Raises the `LedgerError`s of `post_request`.
    """
    if len(request.commands) > 1:
        request.require_different_ids()
    account_ids = list(dict.fromkeys(request.account_ids))
    ids = [id for command in request.commands for id in command.needs.rows]
    with reading_one_moment(briefly=True):
        found = _read_rows(account_ids)
        look = writing.look(ids, [request.batch.id] if request.batch else [])
        [outcome], _ = decide([request], found, look)
    if isinstance(outcome, LedgerError):
        raise outcome
    versions = {id: account.version for id, account in make_accounts(found).items()}
    first = next(iter(account_ids), None)
    decides = request.batch is None or len(account_ids) == 1
    return Rehearsed(outcome, versions, versions.get(first) if first and decides else None)


class Rehearsal:
    """Pages of transactions, an account's in the order of their effect, decided as `posting.post` would.

    None of those before is then effective later than one that follows: all that the past of a backdated one
    needs is in the database. An account stays as it would be after a page if the next page has it too.
    """

    def __init__(self, *, caller: Caller) -> None:
        self.caller = caller
        self.accounts = Accounts()

    def decide(self, commands: Sequence[NewTransaction], currencies: Mapping[UUID, str]) -> Answers:
        """What would be posted, declined or refused. `currencies` are the accounts'; one that is not there
        yet is opened for the rehearsal."""
        self.accounts = Accounts((id, account) for id, account in self.accounts.items() if id in currencies)
        new = currencies.keys() - self.accounts.keys()
        if new:
            found = make_accounts(_read_rows(new))
            for id in new:
                self.accounts[id] = found.get(id) or _open_in_memory(id, currencies[id])
        state = State(
            clock=operations.read_clock(),
            accounts=self.accounts,
            find_broken=writing.find_broken_instant,
            find_thresholds=find_thresholds,
        )
        end_due_holds(state, dict.fromkeys(new, self.caller))
        request = PostingRequest(commands=commands, caller=self.caller, each=True)
        answers: list[Any] = [None] * len(commands)
        decide_commands(request, self.caller, range(len(commands)), state, None, answers)
        return answers


def _read_rows(ids: Collection[UUID]) -> list[tuple[Any, ...]]:
    """Of the accounts the rows of `COLUMNS`. Ids of no account are missing."""
    return list(Account._base_manager.filter(id__in=ids).values_list(*COLUMNS))


def _open_in_memory(id: UUID, currency: str) -> AccountState:
    account = Account(id=id, user_id=id, currency=currency, balance=Decimal(0), last_recorded_at=EPOCH)
    return make_account(getattr(account, name) for name in COLUMNS)

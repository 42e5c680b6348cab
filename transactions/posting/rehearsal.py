"""What transactions would come to, decided on what their accounts are now. Nothing is written or locked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from accounts import operations
from accounts.models import Account
from ledger.callers import Caller
from ledger.values import EPOCH
from transactions.posting import writing
from transactions.posting.commands import NewTransaction
from transactions.posting.commands.expiry import find_due_holds
from transactions.posting.deciding import decide_commands, make_account, make_accounts
from transactions.posting.requests import Answers, PostingRequest
from transactions.posting.state import COLUMNS, Accounts, AccountState, State
from transactions.reading import queries

# PostgreSQL has it from 17 on.
NO_TIMEOUT = """
SELECT set_config('transaction_timeout', '0', true)
WHERE current_setting('transaction_timeout', true) IS NOT NULL
"""


@contextmanager
def reading_one_moment() -> Iterator[None]:
    """What is read inside is as it was at the beginning; in a caller's transaction, as that one sees it."""
    if connection.in_atomic_block:
        yield
        return
    with atomic():
        with connection.cursor() as cursor:
            cursor.execute(queries.SNAPSHOT)
            cursor.execute(NO_TIMEOUT)
        yield


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
        if new := currencies.keys() - self.accounts.keys():
            found = _read_accounts(new)
            for id in new:
                self.accounts[id] = found.get(id) or _open_in_memory(id, currencies[id])
        state = State(
            clock=operations.read_clock(), accounts=self.accounts, find_broken=writing.find_broken_instant
        )
        request = PostingRequest(commands=commands, caller=self.caller, each=True)
        answers: list[Any] = [None] * len(commands)
        decide_commands(request, self.caller, range(len(commands)), state, None, answers)
        return answers


def _read_accounts(ids: Collection[UUID]) -> Accounts:
    """The accounts, whose due holds count as ended."""
    accounts = make_accounts(Account._base_manager.filter(id__in=ids).values_list(*COLUMNS))
    for hold in find_due_holds(accounts.values(), operations.read_clock()):
        account = accounts[hold.account_id]
        accounts[account.id] = account._replace(held=account.held - hold.remaining)
    return accounts


def _open_in_memory(id: UUID, currency: str) -> AccountState:
    account = Account(id=id, user_id=id, currency=currency, balance=Decimal(0), last_recorded_at=EPOCH)
    return make_account(getattr(account, name) for name in COLUMNS)

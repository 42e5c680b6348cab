"""What transactions would come to, decided on what their accounts are now. Nothing is written."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast
from uuid import UUID

from django.db.transaction import atomic

from accounts import operations
from accounts.models import Account
from ledger.callers import Caller
from ledger.values import EPOCH
from transactions.models import Transaction
from transactions.posting import writing
from transactions.posting.commands import NewTransaction
from transactions.posting.deciding import apply, make_account, make_accounts
from transactions.posting.state import COLUMNS, Accounts, AccountState, State


class Rehearsal:
    """Pages of transactions, an account's in the order of their effect.

    None of those before is then effective later than one that follows: all that the past of a backdated one
    needs is in the database. An account stays as it would be after a page if the next page has it too.
    """

    def __init__(self, *, caller: Caller) -> None:
        self.caller = caller
        self.accounts = Accounts()

    def decide(self, commands: Sequence[NewTransaction], currencies: Mapping[UUID, str]) -> list[Transaction]:
        """What would be posted or declined. `currencies` are the accounts'; one that is not there yet is
        opened for the rehearsal."""
        self.accounts = Accounts((id, account) for id, account in self.accounts.items() if id in currencies)
        if new := currencies.keys() - self.accounts.keys():
            with atomic():
                found = make_accounts(operations.lock_rows(new, COLUMNS))
            for id in new:
                self.accounts[id] = found.get(id) or _open_in_memory(id, currencies[id])
        state = State(
            clock=operations.read_clock(), accounts=self.accounts, find_broken=writing.find_broken_instant
        )
        rows = []
        for command in commands:
            [decision] = command.decide(state, self.caller)
            apply(decision, state, self.caller)
            rows.append(cast(Transaction, decision.made))
        return rows


def _open_in_memory(id: UUID, currency: str) -> AccountState:
    account = Account(id=id, user_id=id, currency=currency, balance=Decimal(0), last_recorded_at=EPOCH)
    return make_account(getattr(account, name) for name in COLUMNS)

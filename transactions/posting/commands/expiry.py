"""Ending the holds whose time is over. Every posting does it on its accounts before it decides anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from accounts.models import Hold, Is, replace_row
from ledger.callers import Caller
from transactions.posting.commands.hold import tell
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State


@dataclass(slots=True, kw_only=True)
class Expiry:
    """Nothing but that, on one account."""

    account_id: UUID
    id: ClassVar[None] = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.needs = Needs((self.account_id,))

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """The holds of the account that have just expired; they are in the state already."""
        return tuple(
            Decision(hold)
            for hold in state.changed.values()
            if hold.account_id == self.account_id and hold.status == Hold.Status.EXPIRED
        )


def find_due_holds(accounts: Iterable[AccountState], clock: datetime) -> list[Hold]:
    """The holds of the accounts that are due, in the order of their ends."""
    ids = [account.id for account in accounts if account.held]
    if not ids:
        return []
    found = Hold.objects.filter(Is("status", value="OPEN"), account__in=ids, expires_at__lte=clock)
    due = list(found.order_by("expires_at", "id"))
    for hold in due:
        hold.clock = clock  # a list that takes them back shows them
    return due


def expire(hold: Hold, state: State) -> Decision:
    """The end of a due hold."""
    account = state.accounts[hold.account_id]
    held = account.held - hold.remaining
    ended = replace_row(hold, status=Hold.Status.EXPIRED, closed_at=hold.expires_at)
    return tell("hold.expired", ended, account, held=held, before=hold)

"""What follows of what was decided, at the end of each unit: claims are collected, then thresholds compared.

The unit is a list with an id, or one command; the end of a hold that was due is one too. What is posted in
the same commit beside it makes no difference.
"""

from collections.abc import Iterable
from uuid import UUID

from ledger.callers import Caller
from transactions.posting.settling.thresholds import find_crossings
from transactions.posting.state import State, apply


def settle(ids: Iterable[UUID], state: State, caller: Caller) -> None:
    """Decide on the accounts what follows; `caller` is whose unit it was. Ids may be of none."""
    for id in ids:
        account = state.accounts.get(id)
        if account is not None and (crossings := find_crossings(account, state)):
            apply(crossings, state, caller)

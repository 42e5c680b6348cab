"""What follows of what was decided, at the end of each unit: claims are collected, then thresholds compared.

The unit is a list with an id, or one command; the end of a hold that was due is one too. What is posted in
the same commit beside it makes no difference.
"""

from collections.abc import Iterable
from uuid import UUID

from ledger.callers import Caller
from transactions.posting.state import State


def settle(ids: Iterable[UUID], state: State, caller: Caller) -> None:
    """Decide on the accounts what follows; `caller` is whose unit it was."""

"""What the commands of a posting want to be locked and looked up before they are decided."""

from typing import NamedTuple
from uuid import UUID


class Needs(NamedTuple):
    """Ids: of the accounts to lock, the rows that the command makes, the holds and transactions it is about.

    `hold` is the one that it places. `rules`: the accounts' rules are read too.
    """

    accounts: tuple[UUID, ...]
    rows: tuple[UUID, ...] = ()
    hold: UUID | None = None
    holds: tuple[UUID, ...] = ()
    reverses: tuple[UUID, ...] = ()
    rules: bool = False

"""What a line of a file says, once it was read."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.models import MAIN


class Problem(NamedTuple):
    """One thing that is wrong with a line of a file; the codes are those of the API."""

    line: int
    field: str
    code: str
    detail: str


class Named(NamedTuple):
    """How a line names its account: by the account's id, or by a user and which of the user's accounts.

    `kind` is `account`, `user` or `external_id`, and `who` that. No `currency`: the only one there is. A
    `user` may come with the `external_id` that goes with it.
    """

    kind: str
    who: str
    currency: str = ""
    name: str = MAIN
    external_id: str = ""


class Place(NamedTuple):
    """An account that lines name: its number here, its currency if it has an account, what its user is called
    if the file says it."""

    number: int
    currency: str | None
    named: Named
    called: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line that was read: a transaction to be posted. `sent`: its columns, as far as the line has them.

    `called` is the name of its user, `balance` what the account has right after it; where the file says so.
    What the file says of the time before it is a row of a line below zero.
    """

    line: int
    named: Named
    id: UUID
    sent: dict[str, Any]
    called: str = ""
    balance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """A row with its account. `is_decided`: it is in the ledger already."""

    row: Row
    account_id: UUID
    currency: str
    is_decided: bool = False

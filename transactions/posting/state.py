"""What deciding works on: the locked accounts and their holds, as values that never change.

A command decides by making new values out of these. What it decided counts when `State.apply` has taken it
in; a list that must be taken back is decided on a copy, which is dropped.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import orjson

from accounts.errors import AccountNotFound, HoldNotFound
from accounts.models import Account, Hold
from events import outbox
from ledger.values import format_time
from transactions.models import Transaction


class Needs(NamedTuple):
    """What a command wants to be locked and looked up before it is decided.

    Ids: of the accounts to lock, the rows that the command makes, the holds and transactions it is about.
    `hold` is the one that it places. `rules`: the accounts' rules are read too.
    """

    accounts: tuple[UUID, ...]
    rows: tuple[UUID, ...] = ()
    hold: UUID | None = None
    holds: tuple[UUID, ...] = ()
    reverses: tuple[UUID, ...] = ()
    rules: bool = False


class AccountState(NamedTuple):
    """A locked account, as far as a command can depend on it or change it; the texts stand in every row."""

    id: UUID
    user_id: UUID
    currency: str
    status: str
    balance: Decimal
    held: Decimal  # by holds that are not due: the others are ended before anything is decided
    credit_limit: Decimal
    withdraw_max: Decimal | None
    withdraw_day_max: Decimal | None
    withdrawn_on: date | None
    withdrawn: Decimal
    version: int
    event_sequence: int
    last_recorded_at: datetime | None
    last_effective_at: datetime | None
    chain_head: bytes
    id_text: str
    user_id_text: str

    @property
    def available(self) -> Decimal:
        return self.balance - self.held + self.credit_limit


COLUMNS = tuple(name for name in AccountState._fields if not name.endswith("_text"))


def make_account_states(rows: Iterable[Sequence[Any]]) -> dict[UUID, AccountState]:
    """The accounts of locked rows of `COLUMNS`, by id."""
    return {row[0]: make_account_state(row) for row in rows}


def make_account_state(row: Iterable[Any]) -> AccountState:
    """Of a row of `COLUMNS`."""
    values: tuple[Any, ...] = (*row,)
    return AccountState._make((*values, str(values[0]), str(values[1])))


class Caller(Protocol):
    """Who wants something posted."""

    @property
    def actor(self) -> UUID: ...

    @property
    def request_id(self) -> str: ...


class Decision(NamedTuple):
    """What one command does to one account. `made` is what it is answered with: a row, a hold, an account.

    `account` None: nothing is to be written. `hold` is one that was placed or changed, `rules` the account's
    row with other rules.
    """

    made: Transaction | Hold | Account
    account: AccountState | None = None
    events: tuple[outbox.NewEvent, ...] = ()
    row: Transaction | None = None
    hold: Hold | None = None
    rules: Account | None = None


# An account, the moment and the amount of a backdated withdrawal, and what is posted but not written yet: the
# first instant at which the past would break, and the balance there.
FindBroken = Callable[
    [AccountState, datetime, Decimal, Iterable[Transaction]], tuple[datetime, Decimal] | None
]


class State:
    """What a posting knows under its locks as of `clock`, and everything that it has decided so far."""

    def __init__(
        self,
        *,
        clock: datetime,
        accounts: dict[UUID, AccountState],
        find_broken: FindBroken,
        holds: dict[UUID, Hold] | None = None,
        reversed_by: dict[UUID, UUID] | None = None,
        rules: dict[UUID, Account] | None = None,
    ) -> None:
        self.clock = clock
        self.accounts = accounts
        self.find_broken = find_broken
        self.holds = holds or {}
        self.reversed_by = reversed_by or {}  # the transactions that were taken back, and by which
        self.rules = rules or {}
        # To be written:
        self.rows: list[Transaction] = []
        self.events: list[outbox.NewEvent] = []
        self.placed: dict[UUID, Hold] = {}
        self.changed: dict[UUID, Hold] = {}
        self.changed_rules: dict[UUID, Account] = {}
        self.touched: dict[UUID, None] = {}  # the accounts, in order
        self.is_decided = False  # whether any command was: for what is refused, nothing is written

    def get_account(self, id: UUID) -> AccountState:
        """Raises `AccountNotFound`."""
        account = self.accounts.get(id)
        if account is None:
            raise AccountNotFound("There is no such account.")
        return account

    def get_hold(self, id: UUID, account_id: UUID) -> Hold:
        """Raises `HoldNotFound`, also for a hold of another account."""
        hold = self.holds.get(id)
        if hold is None or hold.account_id != account_id:
            raise HoldNotFound("There is no such hold.")
        return hold

    def copy(self) -> "State":
        """Another one, on which can be decided without this one knowing."""
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list):
                setattr(other, name, value.copy())
        return other

    def apply(self, decision: Decision) -> None:
        """From now on it counts."""
        _, account, events, row, hold, rules = decision
        if account is None:
            return
        self.accounts[account.id] = account
        self.touched[account.id] = None
        self.events += events
        if row is not None:
            self.rows.append(row)
            if row.reverses and row.status == "POSTED":
                self.reversed_by[row.reverses] = row.id
        if hold is not None:
            place = self.placed if hold.id in self.placed or hold.id not in self.holds else self.changed
            place[hold.id] = self.holds[hold.id] = hold
        if rules is not None:
            self.rules[rules.id] = self.changed_rules[rules.id] = rules


def describe_event(
    type: str,
    account: AccountState,
    *,
    clock: datetime,
    request_id: str,
    data: dict[str, Any] | orjson.Fragment,
) -> outbox.NewEvent:
    """The event with the account's sequence number: its time is the clock's, but not before its last row."""
    return outbox.NewEvent(
        type=type,
        account_id=account.id_text,
        account_sequence=account.event_sequence,
        recorded_at=format_time(max(clock, account.last_recorded_at or clock)),
        request_id=request_id,
        data=data,
    )

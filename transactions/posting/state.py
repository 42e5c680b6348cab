"""What deciding works on: the locked accounts and their holds, as values that never change.

A command decides by making new values out of these. What it decided counts when `apply` has taken it
in; a list that must be taken back is decided on a copy, which is dropped.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.errors import AccountNotFound, HoldNotFound, SequenceMismatch
from accounts.models import Account, Hold, Threshold, find_nearest, replace_row
from events import outbox
from events.texts import NewText
from ledger.callers import Caller
from ledger.values import format_time
from transactions.models import Batch, Transaction


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
    """A locked account, as far as a command can depend on it or change it, in the order of the
    model's columns; the texts stand in every row."""

    id: UUID
    user_id: UUID
    currency: str
    status: str
    balance: Decimal
    held: Decimal  # by holds that are not due: the others are ended before anything is decided
    credit_limit: Decimal
    owed: Decimal  # what its open claims have left
    nearest: list[Decimal | None] | None  # thresholds around its figures; None: it has none
    withdraw_max: Decimal | None
    withdraw_day_max: Decimal | None
    withdrawn_on: date | None
    withdrawn: Decimal
    seq: int
    version: int
    event_sequence: int
    last_recorded_at: datetime
    last_effective_at: datetime | None
    chain_head: bytes  # as it was locked: rows are linked when they are written
    id_text: str
    user_id_text: str

    @property
    def available(self) -> Decimal:
        return self.balance - self.held + self.credit_limit

    def require_sequence(self, expected: int | None) -> None:
        """Raises `SequenceMismatch` if the last event has another number; None expects nothing."""
        if expected not in (None, self.event_sequence):
            raise SequenceMismatch(
                "The account is not at the expected sequence.",
                expected_sequence=expected,
                sequence=self.event_sequence,
            )


COLUMNS = tuple(name for name in AccountState._fields if not name.endswith("_text"))


class Accounts(dict[UUID, AccountState]):
    """By id. There is no account of an id that is not in it: raises `AccountNotFound`."""

    def __missing__(self, id: UUID) -> AccountState:
        raise AccountNotFound("There is no such account.")


Culprit = Transaction | Hold  # what was declined, and with it all that it belongs to
Event = tuple[str, outbox.Told | None]  # its type and what it tells; None: it is about the row


class Decision(NamedTuple):
    """What one command does to one account. `made` is what it is answered with: a row, a hold, an account.

    `account` None: nothing is to be written. Its `event_sequence` counts the `events`. `hold` is one that was
    placed or changed, `rules` the account's row with other rules, `thresholds` those that were set or have
    changed, by their ids; None instead of one that was removed.
    """

    made: Transaction | Hold | Account | Threshold
    account: AccountState | None = None
    events: tuple[Event, ...] = ()
    row: Transaction | None = None
    hold: Hold | None = None
    rules: Account | None = None
    thresholds: Mapping[UUID, Threshold | None] | None = None


# An account, the moment and the amount of a backdated withdrawal, and what is posted but not written yet: the
# first instant at which the past would break, and the balance there.
FindBroken = Callable[
    [AccountState, datetime, Decimal, Iterable[Transaction]], tuple[datetime, Decimal] | None
]
FindThresholds = Callable[[UUID], Iterable[Threshold]]  # of an account, as they are written


@dataclass(kw_only=True)
class State:
    """What a posting knows under its locks as of `clock`, and everything that it has decided so far."""

    clock: datetime
    accounts: Accounts
    find_broken: FindBroken
    find_thresholds: FindThresholds
    holds: dict[UUID, Hold] = field(default_factory=dict)
    reversed_by: dict[UUID, UUID] = field(default_factory=dict)  # of what was taken back, and by which
    rules: dict[UUID, Account] = field(default_factory=dict)
    known_batches: Mapping[UUID, bytes] = field(default_factory=dict)  # the fingerprints of lists
    is_settled: bool = True  # whether no account owes or has thresholds: nothing follows of what is decided
    thresholds: dict[UUID, tuple[Threshold, ...]] = field(default_factory=dict)  # of accounts that were asked
    # To be written:
    batches: list[Batch] = field(default_factory=list)
    rows: list[Transaction] = field(default_factory=list)
    events: list[outbox.NewEvent] = field(default_factory=list)
    texts: list[NewText] = field(default_factory=list)
    is_told: bool = False  # whether any of the events tells more than that there is a row
    placed: dict[UUID, Hold] = field(default_factory=dict)
    changed: dict[UUID, Hold] = field(default_factory=dict)
    changed_rules: dict[UUID, Account] = field(default_factory=dict)
    changed_thresholds: dict[UUID, Threshold | None] = field(default_factory=dict)  # None: removed
    touched: dict[UUID, None] = field(default_factory=dict)  # the accounts, in order
    is_decided: bool = False  # whether any command was: for what is refused, nothing is written

    def get_hold(self, id: UUID, account_id: UUID) -> Hold:
        """Raises `HoldNotFound`, also for a hold of another account."""
        hold = self.holds.get(id)
        if hold is None or hold.account_id != account_id:
            raise HoldNotFound("There is no such hold.")
        return hold

    def get_thresholds(self, account: AccountState) -> tuple[Threshold, ...]:
        """Of the account, as they are now. They are read once."""
        if account.id not in self.thresholds:
            found = () if account.nearest is None else self.find_thresholds(account.id)
            self.thresholds[account.id] = tuple(
                replace_row(each, currency=account.currency) for each in found
            )
        return self.thresholds[account.id]

    def take_thresholds(
        self, account: AccountState, changes: Mapping[UUID, Threshold | None]
    ) -> tuple[Threshold, ...]:
        """From now on the account has these, or, instead of None, not any more. All that it then has."""
        before: dict[UUID, Threshold | None] = {each.id: each for each in self.get_thresholds(account)}
        after = {**before, **changes}
        self.thresholds[account.id] = tuple(each for each in after.values() if each)
        self.changed_thresholds |= changes
        self.is_settled = False
        return self.thresholds[account.id]

    def copy(self) -> "State":
        """Another one, on which can be decided without this one knowing."""
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list):
                setattr(other, name, copy(value))
        return other


def apply(decision: Decision, state: State, caller: Caller) -> None:
    """From now on the decision counts. Its events have the account's sequence numbers and the clock's time,
    but none is before the one before it.
    """
    _, account, events, row, hold, rules, thresholds = decision
    if account is None:
        return
    if thresholds is not None:
        account = account._replace(nearest=find_nearest(state.take_thresholds(account, thresholds)))
    if events and account.last_recorded_at < state.clock:
        account = account._replace(last_recorded_at=state.clock)
    state.accounts[account.id] = account
    state.touched[account.id] = None
    recorded_at = format_time(account.last_recorded_at)
    for number, (type, told) in enumerate(events, account.event_sequence - len(events) + 1):
        if told is None:
            event: outbox.NewEvent = {
                "stream": account.id_text,
                "sequence": number,
                "type": type,
                "recorded_at": recorded_at,
                "about": account.seq,
            }
        else:
            event, text = outbox.tell(
                stream=account.id,
                sequence=number,
                type=type,
                recorded_at=account.last_recorded_at,
                told=told,
                caller=caller,
            )
            state.is_told = True
            if text:
                state.texts.append(text)
        state.events.append(event)
    if row is not None:
        state.rows.append(row)
        if row.reverses and row.status == "POSTED":
            state.reversed_by[row.reverses] = row.id
    if hold is not None:
        place = state.placed if hold.id in state.placed or hold.id not in state.holds else state.changed
        place[hold.id] = state.holds[hold.id] = hold
    if rules is not None:
        state.rules[rules.id] = state.changed_rules[rules.id] = rules

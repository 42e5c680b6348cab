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

from accounts.errors import AccountNotFound, ClaimNotFound, HoldNotFound, SequenceMismatch
from accounts.models import Account, Claim, Hold, Threshold, replace_row
from events import outbox
from events.texts import NewText
from transactions.models import Batch, Transaction, derive_destination_id
from transactions.reading.queries import NOTHING, TakenBack


class Needs(NamedTuple):
    """What a command wants to be locked and looked up before it is decided.

    Ids: of the accounts to lock, the rows that the command makes, the holds and transactions it is about.
    `hold` is the one that it places, `claim` the one that it opens, and `claims` are those that it is about.
    `rules`: the accounts' rules are read too.
    """

    accounts: tuple[UUID, ...]
    rows: tuple[UUID, ...] = ()
    hold: UUID | None = None
    holds: tuple[UUID, ...] = ()
    reverses: tuple[UUID, ...] = ()
    rules: bool = False
    claim: UUID | None = None
    claims: tuple[UUID, ...] = ()


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
        error = AccountNotFound("There is no such account.")
        error.account_id = id
        raise error


Culprit = Transaction | Hold | Claim  # what was declined, and with it all that it belongs to
Event = tuple[str, outbox.Told | None]  # its type and what it tells; None: it is about the row


class Decision(NamedTuple):
    """What one command does to one account. `made` is what it is answered with: a row, a hold, an account.

    `account` None: nothing is to be written. Its `event_sequence` counts the `events`. `hold` is one that was
    placed or changed, `rules` the account's row with other rules, `claim` one that was opened or changed,
    `thresholds` those that were set or have changed, by their ids; None instead of one that was removed.
    """

    made: Transaction | Hold | Account | Claim | Threshold
    account: AccountState | None = None
    events: tuple[Event, ...] = ()
    row: Transaction | None = None
    hold: Hold | None = None
    rules: Account | None = None
    claim: Claim | None = None
    thresholds: Mapping[UUID, Threshold | None] | None = None


# An account, the moment and the amount of a backdated withdrawal, and what is posted but not written yet: the
# first instant at which the past would break, and the balance there.
FindBroken = Callable[
    [AccountState, datetime, Decimal, Iterable[Transaction]], tuple[datetime, Decimal] | None
]
FindClaims = Callable[[Iterable[UUID]], Iterable[Claim]]  # of accounts: the open ones, the oldest first
FindThresholds = Callable[[UUID], Iterable[Threshold]]  # of an account, as they are written


class MoreAccounts(Exception):
    """What is to be decided needs accounts that are not locked: those that claims on this one are paid to."""

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"The claims on account {account_id} are paid to accounts that are not locked.")
        self.account_id = account_id


@dataclass(kw_only=True)
class State:
    """What a posting knows under its locks as of `clock`, and everything that it has decided so far."""

    clock: datetime
    accounts: Accounts
    find_broken: FindBroken
    find_claims: FindClaims
    find_thresholds: FindThresholds
    holds: dict[UUID, Hold] = field(default_factory=dict)
    taken_back: dict[UUID, TakenBack] = field(default_factory=dict)  # of transactions, by their ids
    rules: dict[UUID, Account] = field(default_factory=dict)
    known_batches: Mapping[UUID, bytes] = field(default_factory=dict)  # the fingerprints of lists
    is_settled: bool = True  # whether no account owes or has thresholds: nothing follows of what is decided
    claims: dict[UUID, Claim] = field(default_factory=dict)
    open_claims: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)  # of accounts, as far as asked
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
    opened_claims: dict[UUID, Claim] = field(default_factory=dict)
    changed_claims: dict[UUID, Claim] = field(default_factory=dict)
    collections: int = 0  # how many of the rows take what was claimed
    changed_thresholds: dict[UUID, Threshold | None] = field(default_factory=dict)  # None: removed
    touched: dict[UUID, None] = field(default_factory=dict)  # the accounts, in order
    is_decided: bool = False  # whether any command was: for what is refused, nothing is written

    def get_hold(self, id: UUID, account_id: UUID) -> Hold:
        """Raises `HoldNotFound`, also for a hold of another account."""
        hold = self.holds.get(id)
        if hold is None or hold.account_id != account_id:
            raise HoldNotFound("There is no such hold.")
        return hold

    def get_claim(self, id: UUID, account_id: UUID) -> Claim:
        """Raises `ClaimNotFound`, also for a claim on another account."""
        claim = self.claims.get(id)
        if claim is None or claim.account_id != account_id:
            raise ClaimNotFound("There is no such claim.")
        return claim

    def list_open_claims(self, account_id: UUID) -> list[Claim]:
        """Those on the account, the oldest first. They are looked for once, of all accounts that owe."""
        if account_id not in self.open_claims:
            owing = [each.id for each in self.accounts.values() if each.id not in self.open_claims]
            self.open_claims |= dict.fromkeys(owing, ())
            for claim in self.find_claims(id for id in owing if self.accounts[id].owed):
                self.claims.setdefault(claim.id, claim)
                self.open_claims[claim.account_id] += (claim.id,)
        claims = [self.claims[id] for id in self.open_claims[account_id]]
        return [claim for claim in claims if claim.status == Claim.Status.OPEN]

    def take_claim(self, claim: Claim) -> None:
        """From now on the claim is so. Of what follows of it somebody must be reminded."""
        if claim.id in self.claims and claim.id not in self.opened_claims:
            self.changed_claims[claim.id] = claim
        else:
            if claim.id not in self.claims and claim.status == Claim.Status.OPEN:
                self.list_open_claims(claim.account_id)
                self.open_claims[claim.account_id] += (claim.id,)
            if claim.id not in self.claims and claim.reverses and claim.status != Claim.Status.DECLINED:
                self._count_as_taken_back(claim)
            self.opened_claims[claim.id] = claim
        self.claims[claim.id] = claim
        self.is_settled = False

    def _count_as_taken_back(self, claim: Claim) -> None:
        """Of a transfer both legs, whose ids are its own and the one that is derived from it."""
        if claim.reverses is not None:
            legs = [claim.reverses]
            if claim.destination:
                legs.append(derive_destination_id(claim.reverses))
            for id in legs:
                before = self.taken_back.get(id, NOTHING)
                self.taken_back[id] = TakenBack(before.amount + claim.amount, claim.id)

    def take_back(self, row: Transaction) -> None:
        """From now on what the row takes back counts."""
        if row.reverses is not None and row.status == Transaction.Status.POSTED:
            before = self.taken_back.get(row.reverses, NOTHING)
            self.taken_back[row.reverses] = TakenBack(before.amount + row.amount, row.id)

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

"""What the reference ledger can be asked for, in plain values, and what it answers with."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

DECIMALS = {"USD": 2, "JPY": 0, "BHD": 3, "POINTS": 0}
OPPOSITE = {"DEPOSIT": "WITHDRAW", "WITHDRAW": "DEPOSIT"}


@dataclass(frozen=True)
class Refusal:
    """Not recorded: the id stays free."""

    code: str
    differs: frozenset | None = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """One movement on one account. `currency`, `expected_version` and `other_leg` are conditions.

    `begins_at` is of a day, whose last microsecond is `effective_at`. `amount` None, of a capture, is all
    that the hold has left. `other_leg` is the account of the other leg. What a leg of a reversal takes
    follows of its `part`; then `amount` is what was asked of this leg by name. Of a capture `capture` is its
    id, if it goes into accounts.
    """

    id: UUID
    account: UUID
    type: str
    amount: Decimal | None
    effective_at: datetime | None = None
    begins_at: datetime | None = None
    reference: str = ""
    metadata: dict = field(default_factory=dict)
    transfer: UUID | None = None
    reverses: UUID | None = None
    hold: UUID | None = None
    claim: UUID | None = None  # of a collection, which nobody asks for
    currency: str | None = None
    expected_version: int | None = None
    other_leg: UUID | None = None
    other_amount: Decimal | None = None  # of the other leg, if the transfer names both
    part: Any = None  # of a reversal
    final: bool | None = None
    amount_asked: Decimal | None = None
    capture: UUID | None = None
    has_list: bool = False
    is_last: bool = True

    @property
    def asked(self):
        """Of a reversal or a capture; None: all that is left."""
        return self.amount if self.reverses else self.amount_asked

    @property
    def is_final(self):
        return self.final and self.is_last

    @property
    def is_plain(self):
        return not (self.transfer or self.reverses or self.hold)

    def find_differences(self, row):
        """The names of what is not as it was when `row` was asked for."""
        before = row.command
        names = ("type", "effective_at", "reference", "metadata", "transfer", "reverses", "hold", "final")
        differs = {name for name in names if getattr(self, name) != getattr(before, name)}
        is_other = self.asked != before.asked
        if self.hold or self.capture:
            return self._name_differences(row, differs | {"amount_asked"} if is_other else differs)
        is_received = self.transfer and self.type == "DEPOSIT" and not self.reverses
        if is_other or not (self.reverses or self.amount in (None, row.amount)):
            differs.add("destination_amount" if is_received else "amount")
        if self.account != before.account:
            legs = {"WITHDRAW": "source", "DEPOSIT": "destination"}
            differs.add(legs[self.type] if self.transfer else "account")
        return frozenset(differs)

    def _name_differences(self, row, differs):
        """Of a capture: what it asks for in all, and where it goes, which may be a list with the amounts."""
        if self.account != row.command.account:
            differs.add("transfer" if self.type == "DEPOSIT" else "account")
        if self.amount not in (None, row.amount):
            differs.add("amount_asked")
        where, much = ("destinations", "destinations") if self.has_list else ("destination", "amount")
        return frozenset({"transfer": where, "amount_asked": much}.get(name, name) for name in differs)


@dataclass(kw_only=True)
class Row:
    """A command and what was decided."""

    command: Command
    amount: Decimal
    recorded_at: datetime
    effective_at: datetime
    late: bool
    request_id: str
    batch: UUID | None = None
    version: int | None = None
    balance_after: Decimal | None = None
    reason: str | None = None
    details: dict | None = None

    @property
    def change(self):
        if self.reason:
            return Decimal(0)
        return self.amount if self.command.type == "DEPOSIT" else -self.amount


@dataclass(frozen=True, kw_only=True)
class Move:
    """A deposit or a withdrawal, at a moment or on a day in UTC."""

    id: UUID
    account: UUID
    type: str
    amount: Decimal
    effective_at: datetime | date | None = None
    reference: str = ""
    metadata: dict = field(default_factory=dict)
    currency: str | None = None
    expected_version: int | None = None

    def list_commands(self, ledger):
        return [Command(**vars(self) | read_moment(self.effective_at))]


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """`destination_amount` None: the same. The expected versions are conditions."""

    id: UUID
    source: UUID
    destination: UUID
    amount: Decimal
    destination_amount: Decimal | None = None
    effective_at: datetime | date | None = None
    reference: str = ""
    metadata: dict = field(default_factory=dict)
    expected_version: int | None = None
    expected_destination_version: int | None = None

    def list_commands(self, ledger):
        if self.source == self.destination:
            return Refusal("same_account")
        return make_legs(
            self.id,
            self.source,
            self.destination,
            amounts=(
                self.amount,
                self.amount if self.destination_amount is None else self.destination_amount,
            ),
            are_named=self.destination_amount is not None,
            versions=(self.expected_version, self.expected_destination_version),
            **read_moment(self.effective_at),
            reference=self.reference,
            metadata=self.metadata,
        )


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Of a hold. `expected_sequence` is a condition: the number of the account's last event."""

    id: UUID
    account: UUID
    amount: Decimal
    expires_at: datetime | None = None
    reference: str = ""
    metadata: dict = field(default_factory=dict)
    expected_sequence: int | None = None

    def list_commands(self, ledger):
        return [self]

    def find_differences(self, before):
        parts = vars(self).keys() - {"expected_sequence"}
        return frozenset(name for name in parts if getattr(self, name) != getattr(before, name))


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Of a claim. `destination` is the account that is paid; None: nobody in the ledger. `reverses` is what
    it takes back, a transfer by its id: then its amount follows of its `part`, and `amount` was asked.
    """

    id: UUID
    account: UUID
    amount: Decimal | None
    reason: str
    reference: str = ""
    destination: UUID | None = None
    reverses: UUID | None = None
    part: Any = None

    transfer = None  # as commands have it

    @property
    def accounts(self):
        return [id for id in (self.account, self.destination) if id]

    def list_commands(self, ledger):
        return [self]

    def find_differences(self, before):
        """As `answers.make_refusal` tells them, to whom a reason is metadata."""
        names = vars(self).keys() - {"part"}
        differs = {name for name in names if getattr(self, name) != getattr(before, name)}
        return frozenset("metadata" if name == "reason" else name for name in differs)


def read_moment(moment):
    """What a command says of when money moved: of a day its last microsecond, and when it begins."""
    if isinstance(moment, datetime | None):
        return {"effective_at": moment}
    begins_at = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return {"effective_at": begins_at + timedelta(days=1) - timedelta(microseconds=1), "begins_at": begins_at}


def make_legs(id, source, destination, *, amounts, versions, are_named=True, reverses=(None, None), **asked):
    return [
        Command(
            id=leg_id,
            account=account,
            type=type,
            transfer=id,
            reverses=reversed_leg,
            amount=amount,
            other_leg=other,
            other_amount=other_amount if are_named else None,
            expected_version=version,
            **asked,
        )
        for leg_id, account, other, type, reversed_leg, version, amount, other_amount in (
            (id, source, destination, "WITHDRAW", reverses[0], versions[0], *amounts),
            (
                derive_destination_id(id),
                destination,
                source,
                "DEPOSIT",
                reverses[1],
                versions[1],
                *amounts[::-1],
            ),
        )
    ]


def derive_destination_id(transfer):
    return derive_id(f"{transfer}\0destination")


def derive_collection_id(claim, number):
    return derive_id(f"{claim}\0collection\0{number}")


def derive_item_id(batch, index):
    return derive_id(f"{batch}\0item\0{index}")


def derive_id(name):
    """UUIDv8: the first half of a SHA-256 with version and variant written over it (RFC 9562)."""
    digits = list(hashlib.sha256(name.encode()).hexdigest()[:32])
    digits[12] = "8"
    digits[16] = "89ab"[int(digits[16], 16) % 4]
    return UUID("".join(digits))


def format_time(instant):
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def format_amount(amount, currency):
    return f"{amount:.{DECIMALS[currency]}f}"

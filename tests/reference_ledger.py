"""The ledger said as plainly as possible, in dicts and Decimals: what the real one must answer.

Nothing here is fast or shared with the product: a balance is a sum, every moment is tried in turn. The one
thing a model cannot know is the database's clock: a command is decided at the `recorded_at` it was given.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

DECIMALS = {"USD": 2, "JPY": 0, "BHD": 3, "POINTS": 0}
BALANCE_MAX = Decimal(10) ** 15


@dataclass(frozen=True)
class Refusal:
    """Not recorded: the id stays free."""

    code: str
    differs: list | None = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody asks for, in plain values. `currency` and `expected_version` are conditions."""

    id: UUID
    account: UUID
    type: str
    amount: Decimal
    effective_at: datetime | None = None
    reference: str = ""
    metadata: dict = field(default_factory=dict)
    currency: str | None = None
    expected_version: int | None = None

    def list_differences(self, other):
        names = ("account", "effective_at", "type", "amount", "reference", "metadata")
        return [name for name in names if getattr(self, name) != getattr(other, name)]


@dataclass
class Account:
    id: UUID
    user: UUID
    currency: str
    status: str = "ACTIVE"
    credit_limit: Decimal = Decimal(0)


@dataclass(kw_only=True)
class Row:
    """A command and what was decided."""

    command: Command
    recorded_at: datetime
    effective_at: datetime
    late: bool
    version: int | None = None
    balance_after: Decimal | None = None
    reason: str | None = None
    details: dict | None = None

    @property
    def change(self):
        if self.reason:
            return Decimal(0)
        return self.command.amount if self.command.type == "DEPOSIT" else -self.command.amount


class ReferenceLedger:
    def __init__(self):
        self.accounts: dict[UUID, Account] = {}
        self.rows: dict[UUID, Row] = {}  # in the order in which they were recorded

    def open_account(self, id, user, currency):
        self.accounts[id] = Account(id=id, user=user, currency=currency)

    def find_rows(self, account):
        return [row for row in self.rows.values() if row.command.account == account]

    def sum_balance(self, account, at=None, known_at=None):
        """The definition: everything effective by `at` that was recorded by `known_at`, added up."""
        return sum(
            (
                row.change
                for row in self.find_rows(account)
                if (at is None or row.effective_at <= at)
                and (known_at is None or row.recorded_at <= known_at)
            ),
            Decimal(0),
        )

    def count_versions(self, account, known_at=None):
        rows = self.find_rows(account)
        return sum(1 for row in rows if row.version and (known_at is None or row.recorded_at <= known_at))

    def find_refusal(self, command, clock):
        """Why nothing is recorded, or None: then the command is decided, now or before."""
        if before := self.rows.get(command.id):
            differs = command.list_differences(before.command)
            return Refusal("idempotency_key_reused", differs) if differs else None
        account = self.accounts[command.account]
        if command.currency not in (None, account.currency):
            return Refusal("currency_mismatch")
        if command.amount != round(command.amount, DECIMALS[account.currency]):
            return Refusal("amount_scale")
        if command.effective_at and command.effective_at > clock + timedelta(minutes=5):
            return Refusal("effective_at_in_future")
        return None

    def decide(self, command, recorded_at):
        """Record the answer to a new command that is not refused."""
        account = self.accounts[command.account]
        posted = [row for row in self.find_rows(account.id) if row.version]
        effective_at = min(command.effective_at or recorded_at, recorded_at)
        row = Row(
            command=command,
            recorded_at=recorded_at,
            effective_at=effective_at,
            late=any(effective_at < other.effective_at for other in posted),
        )
        decline = self._find_decline(account, command, effective_at)
        if decline:
            row.reason, row.details = decline
        else:
            row.version = len(posted) + 1
            row.balance_after = self.sum_balance(account.id) + row.change
        self.rows[command.id] = row
        return row

    def _find_decline(self, account, command, effective_at):
        def text(amount):
            return f"{amount:.{DECIMALS[account.currency]}f}"

        version = self.count_versions(account.id)
        if command.expected_version not in (None, version):
            details = {"expected_version": str(command.expected_version), "version": str(version)}
            return "version_mismatch", details
        if account.status == "CLOSED":
            return "account_closed", {}
        balance = self.sum_balance(account.id)
        if command.type == "DEPOSIT":
            if balance + command.amount > BALANCE_MAX:
                return "balance_limit_exceeded", {"balance": text(balance), "limit": text(BALANCE_MAX)}
            return None
        if account.status == "FROZEN":
            return "account_frozen", {}
        available = balance + account.credit_limit
        if command.amount > available:
            return "insufficient_funds", {"available": text(available), "required": text(command.amount)}
        for instant in self._list_instants(account.id, effective_at):
            available = self.sum_balance(account.id, at=instant) + account.credit_limit
            if command.amount > available:
                details = {"available": text(available), "required": text(command.amount)}
                return "insufficient_funds_at", {"instant": format_time(instant), **details}
        return None

    def _list_instants(self, account, start):
        """The moments from `start` on at which the balance is another, `start` itself included."""
        later = {row.effective_at for row in self.find_rows(account) if row.version}
        return sorted({start} | {instant for instant in later if instant > start})

    def describe(self, id, request_id):
        """The transaction as the API must show it."""
        row = self.rows[id]
        command, account = row.command, self.accounts[row.command.account]
        decimals = DECIMALS[account.currency]
        return {
            "id": str(command.id),
            "account": str(account.id),
            "user": str(account.user),
            "type": command.type,
            "amount": f"{command.amount:.{decimals}f}",
            "currency": account.currency,
            "status": "DECLINED" if row.reason else "POSTED",
            "decline_reason": row.reason,
            "decline_details": row.details,
            "version": row.version,
            "balance_after": None if row.reason else f"{row.balance_after:.{decimals}f}",
            "effective_at": format_time(row.effective_at),
            "recorded_at": format_time(row.recorded_at),
            "late": row.late,
            "reference": command.reference,
            "metadata": command.metadata,
            "transfer": None,
            "reverses": None,
            "reversed_by": None,
            "hold": None,
            "request_id": request_id,
        }


def format_time(instant):
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

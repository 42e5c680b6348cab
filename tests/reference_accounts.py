"""The half of the reference ledger that holds accounts: balances, holds, limits, and the events of all."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tests.reference_commands import DECIMALS, Placement, Refusal, Row, format_amount, format_time
from tests.reference_thresholds import ReferenceThresholds

STATUS_EVENTS = {"FROZEN": "account.frozen", "ACTIVE": "account.unfrozen", "CLOSED": "account.closed"}


@dataclass(kw_only=True)
class Account:
    id: UUID
    user: UUID
    currency: str
    opened_at: datetime
    status: str = "ACTIVE"
    reason: str = ""
    credit_limit: Decimal = Decimal(0)
    credit_limit_max: Decimal = Decimal(0)
    withdraw_max: Decimal | None = None
    withdraw_day_max: Decimal | None = None
    metadata: dict = field(default_factory=dict)


@dataclass(kw_only=True)
class Hold:
    """What it is now; `command` is how it was asked for."""

    command: Placement
    created_at: datetime
    amount: Decimal
    expires_at: datetime | None
    reason: str | None = None
    details: dict | None = None
    released_at: datetime | None = None
    expiry_is_told: bool = False
    batch: UUID | None = None


class ReferenceAccounts(ReferenceThresholds):
    def __init__(self):
        super().__init__()
        self.accounts: dict[UUID, Account] = {}
        self.holds: dict[UUID, Hold] = {}
        self.rows: dict[UUID, Row] = {}  # in the order in which they were recorded
        self.events: dict[UUID, list] = {}  # of each account: what kind, and the resource at that moment

    def open_account(self, id, user, currency, opened_at):
        self.accounts[id] = Account(id=id, user=user, currency=currency, opened_at=opened_at)
        self.events[id] = []
        self.tell_account("account.opened", id, opened_at)

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

    # Holds

    def find_untold(self, account, clock):
        """The holds whose time is over, and nobody has told it."""
        return [
            hold
            for hold in self.holds.values()
            if hold.command.account == account
            and self.find_hold_state(hold, clock)[0] == "EXPIRED"
            and not hold.expiry_is_told
        ]

    def expire(self, account, clock):
        """Tell of those whose time is over; how many that were not told of before."""
        return self.expire_all({account}, clock)

    def expire_all(self, accounts, clock):
        """Each is a unit of its own."""
        due = [hold for account in accounts for hold in self.find_untold(account, clock)]
        for hold in sorted(due, key=lambda hold: (hold.expires_at, hold.command.id)):
            hold.expiry_is_told = True
            self.tell("hold.expired", hold, clock)
            self.settle([hold.command.account], clock)
        return len(due)

    def settle(self, accounts, clock):
        """What follows at the end of a unit."""
        self.tell_crossings(accounts, clock)

    def tell_account(self, type, id, clock):
        told = self.describe_account(id, clock)
        self.events[id].append((type, told | {"event_sequence": told["event_sequence"] + 1}))

    def count_events(self, account, clock):
        """As it is shown: the ends of holds that nobody has told yet among them, and what they cross; but not
        what is collected then."""
        due = len(self.find_untold(account, clock)) + self.count_crossings_due(account, clock)
        return len(self.events[account]) + due

    def find_sequence(self, account, clock):
        """What an expected one is compared with: the ends of holds are told before, with all that follows."""
        raise NotImplementedError

    def tell(self, type, hold, clock):
        self.events[hold.command.account].append((type, self.describe_hold(hold.command.id, clock)))

    def find_captures(self, hold):
        return [row for row in self.rows.values() if row.command.hold == hold.command.id and row.version]

    def find_rest(self, hold):
        """What was not captured."""
        return hold.amount - sum(row.amount for row in self.find_captures(hold))

    def find_hold_state(self, hold, now):
        """Its status, what is left of it, and since when it is closed."""
        captures = self.find_captures(hold)
        left = self.find_rest(hold)
        if hold.reason:
            return "DECLINED", 0, hold.created_at
        if captures and (left == 0 or captures[-1].command.is_final):
            return "CAPTURED", 0, captures[-1].recorded_at
        if hold.released_at:
            return "RELEASED", 0, hold.released_at
        if hold.expires_at and hold.expires_at <= now:
            return "EXPIRED", 0, hold.expires_at
        return "OPEN", left, None

    def sum_held(self, account, now):
        holds = [hold for hold in self.holds.values() if hold.command.account == account]
        return sum((self.find_hold_state(hold, now)[1] for hold in holds), Decimal(0))

    def list_expiries(self, after, until):
        """Of holds that are open until then."""
        open_holds = [hold for hold in self.holds.values() if self.find_hold_state(hold, after)[0] == "OPEN"]
        expiries = [hold.expires_at for hold in open_holds if hold.expires_at]
        return [moment for moment in expiries if moment <= until]

    def sum_owed(self, account):
        raise NotImplementedError

    def find_latest(self, account, clock):
        raise NotImplementedError

    def find_available(self, account, now):
        return self.sum_balance(account) - self.sum_held(account, now) + self.accounts[account].credit_limit

    # Rules

    def set_limits(self, id, limits, expected, clock):
        """Why they cannot be set, or None. What is so already is answered, whatever sequence is expected."""
        account = self.accounts[id]
        if account.status == "CLOSED":
            return Refusal("account_closed")
        if not all(self.has_scale(limit, id) for limit in limits.values() if limit is not None):
            return Refusal("amount_scale")
        changes = any(getattr(account, name) != limit for name, limit in limits.items())
        if changes and expected not in (None, self.find_sequence(id, clock)):
            return Refusal("sequence_mismatch")
        if limits.get("credit_limit", account.credit_limit) < self.sum_held(id, clock) - self.sum_balance(id):
            return Refusal("credit_limit_in_use")
        self.expire(id, clock)
        if changes:
            vars(account).update(limits)
            account.credit_limit_max = max(account.credit_limit_max, account.credit_limit)
            self.tell_account("account.limits_changed", id, clock)
        self.settle([id], clock)
        return None

    def set_status(self, id, status, reason, expected, clock):
        """Why it cannot be set, or None. What is so already changes nothing."""
        account = self.accounts[id]
        if account.status == "CLOSED" != status:
            return Refusal("account_closed")
        if account.status != status and expected not in (None, self.find_sequence(id, clock)):
            return Refusal("sequence_mismatch")
        if status == "CLOSED" and (self.sum_balance(id) or self.sum_held(id, clock)):
            return Refusal("account_not_empty")
        if status == "CLOSED" != account.status and self.sum_owed(id):
            return Refusal("account_owes")
        self.expire(id, clock)
        if account.status != status:
            account.status, account.reason = status, reason
            self.tell_account(STATUS_EVENTS[status], id, clock)
        self.settle([id], clock)
        return None

    def set_metadata(self, id, metadata, expected, clock):
        """Why it cannot be set, or None: it is not what is expected. What is so already changes nothing."""
        account = self.accounts[id]
        if account.metadata != metadata and expected not in (None, account.metadata):
            return Refusal("etag_mismatch")
        self.expire(id, clock)
        if account.metadata != metadata:
            account.metadata = metadata
            self.tell_account("account.changed", id, clock)
        self.settle([id], clock)
        return None

    def has_scale(self, amount, account):
        return amount == round(amount, DECIMALS[self.accounts[account].currency])

    # As the API must show them

    def describe_account(self, id, now):
        account = self.accounts[id]

        def text(amount):
            return None if amount is None else format_amount(amount, account.currency)

        return {
            "id": str(id),
            "user": str(account.user),
            "name": "main",
            "currency": account.currency,
            "status": account.status,
            "status_reason": account.reason,
            "balance": text(self.sum_balance(id)),
            "held": text(self.sum_held(id, now)),
            "available": text(self.find_available(id, now)),
            "owed": text(self.sum_owed(id)),
            "credit_limit": text(account.credit_limit),
            "withdraw_max": text(account.withdraw_max),
            "withdraw_day_max": text(account.withdraw_day_max),
            "version": self.count_versions(id),
            "event_sequence": self.count_events(id, now),
            "metadata": account.metadata,
            "created_at": format_time(account.opened_at),
        }

    def describe_hold(self, id, now):
        hold = self.holds[id]
        command, currency = hold.command, self.accounts[hold.command.account].currency
        status, left, closed_at = self.find_hold_state(hold, now)
        captured = sum((row.amount for row in self.find_captures(hold)), Decimal(0))
        return {
            "id": str(id),
            "account": str(command.account),
            "amount": format_amount(hold.amount, currency),
            "captured": format_amount(captured, currency),
            "remaining": format_amount(left, currency),
            "status": status,
            "decline_reason": hold.reason,
            "decline_details": hold.details,
            "expires_at": hold.expires_at and format_time(hold.expires_at),
            "reference": command.reference,
            "metadata": command.metadata,
            "batch": hold.batch and str(hold.batch),
            "created_at": format_time(hold.created_at),
            "closed_at": closed_at and format_time(closed_at),
        }

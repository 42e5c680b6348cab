"""The part of the reference ledger that holds claims: what accounts owe, and how it is collected."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tests.reference_accounts import ReferenceAccounts
from tests.reference_commands import (
    Command,
    Opening,
    Refusal,
    Row,
    derive_collection_id,
    derive_destination_id,
    format_amount,
    format_time,
)

TURNS_MAX = 50  # of one claim in a unit
CLAIMS_MAX = 50
BALANCE_MAX = Decimal(10) ** 15


@dataclass(kw_only=True)
class Claim:
    command: Opening
    amount: Decimal
    created_at: datetime
    batch: UUID | None = None
    reason: str | None = None
    details: dict | None = None
    waived_at: datetime | None = None
    waived_reason: str | None = None


class ReferenceClaims(ReferenceAccounts):
    """`read_made` tells of a collection, by its id, what the model cannot know: when it was recorded, and in
    which request. None: there is none."""

    def __init__(self):
        super().__init__()
        self.claims: dict[UUID, Claim] = {}
        self.read_made = lambda id: None
        self.decided: list[UUID] = []  # in this commit: what it has made, in order
        self.collected: dict[UUID, list[UUID]] = {}  # by what has occasioned it, as that is told

    def find_claim_refusal(self, command):
        if command.destination == command.account:
            return Refusal("same_account")
        if before := self.claims.get(command.id):
            differs = command.find_differences(before.command)
            return Refusal("idempotency_key_reused", differs) if differs else None
        currencies = {self.accounts[id].currency for id in command.accounts}
        if command.part and len(currencies) > 1:
            return Refusal("not_claimable")
        if command.amount is not None and not self.has_scale(command.amount, command.account):
            return Refusal("amount_scale")
        return Refusal("currency_mismatch") if len(currencies) > 1 else None

    def open_claim(self, command, clock):
        """Alone, which is a unit."""
        self.decided = []
        self.expire_all(command.accounts, clock)
        self.decide_claim(command, clock)
        self.settle(command.accounts, clock, cause=command.id)

    def decide_claim(self, command, clock, *, batch=None, decline=None):
        """`decline`: its reason and details, if all of the list is declined."""
        amount, of_part = self.find_part(command) if command.part else (command.amount, None)
        claim = Claim(command=command, amount=amount, created_at=clock, batch=batch)
        closed = [id for id in command.accounts if self.accounts[id].status == "CLOSED"]
        if decline := decline or of_part:
            claim.reason, claim.details = decline
        elif closed:
            claim.reason, claim.details = "account_closed", {"account": str(closed[0])}
        elif len(self.list_open_claims(command.account)) == CLAIMS_MAX:
            claim.reason, claim.details = "too_many_claims", {"open": CLAIMS_MAX}
        self.claims[command.id] = claim
        self.decided.append(command.id)
        self.tell_claim("claim.declined" if claim.reason else "claim.opened", claim)
        return claim

    def find_part(self, command):
        raise NotImplementedError

    def waive_claim(self, id, reason, clock):
        """Why it cannot be waived, or None. What is waived already changes nothing."""
        claim = self.claims[id]
        status, _, _ = self.find_claim_state(claim)
        if status not in ("OPEN", "WAIVED"):
            return Refusal("claim_not_open")
        self.expire(claim.command.account, clock)
        if self.find_claim_state(claim)[0] == "OPEN":
            claim.waived_at = self.find_latest(claim.command.account, clock)
            claim.waived_reason = reason
            self.tell_claim("claim.waived", claim)
        self.settle([claim.command.account], clock)
        return None

    def find_latest(self, account, clock):
        """The moment, but not before what the same list has made of the account."""
        claims = [claim.created_at for claim in self.claims.values() if claim.command.account == account]
        return max([clock, *claims, *(row.recorded_at for row in self.find_rows(account))])

    def tell_claim(self, type, claim):
        self.events[claim.command.account].append((type, self.describe_claim(claim.command.id)))

    def find_collections(self, claim):
        """The withdrawals that have taken it."""
        rows = [row for row in self.rows.values() if row.command.claim == claim.command.id]
        return [row for row in rows if row.command.type == "WITHDRAW"]

    def find_claim_state(self, claim):
        """Its status, what is left of it, and since when it is closed."""
        collections = self.find_collections(claim)
        left = claim.amount - sum(row.amount for row in collections)
        if claim.reason:
            return "DECLINED", 0, claim.created_at
        if left == 0:
            return "COLLECTED", 0, collections[-1].recorded_at
        if claim.waived_at:
            return "WAIVED", 0, claim.waived_at
        return "OPEN", left, None

    def list_open_claims(self, account):
        """The oldest first."""
        claims = [claim for claim in self.claims.values() if claim.command.account == account]
        claims = [claim for claim in claims if self.find_claim_state(claim)[0] == "OPEN"]
        return sorted(claims, key=lambda claim: (claim.created_at, claim.command.id))

    def sum_owed(self, account):
        return sum((self.find_claim_state(claim)[1] for claim in self.list_open_claims(account)), Decimal(0))

    def find_free(self, account, now):
        """Its balance beyond what is held, also by holds whose end nobody has told."""
        untold = self.find_untold(account, now)
        left = sum(self.find_rest(hold) for hold in untold)
        return self.sum_balance(account) - self.sum_held(account, now) - left

    def settle(self, accounts, clock, batch=None, cause=None):
        """Claims are collected of what is free, the oldest first; who is paid may owe, too. The `cause` is
        told what was collected on the accounts.
        """
        waiting = list(dict.fromkeys(accounts))
        named, before = set(waiting), len(self.rows)
        seen = dict.fromkeys(waiting)
        turns = Counter()
        while waiting:
            account = waiting.pop(0)
            for claim in self.list_open_claims(account):
                free = self.find_free(account, clock)
                amount = min(free, self.find_claim_state(claim)[1])
                payee = claim.command.destination
                if free <= 0:
                    break
                if turns[claim.command.id] == TURNS_MAX or (payee and not self._can_take(payee, amount)):
                    continue
                turns[claim.command.id] += 1
                self._collect(claim, amount, clock, batch)
                if payee:
                    seen[payee] = None
                if payee and payee not in waiting:
                    waiting.append(payee)
        made = list(self.rows.values())[before:]
        self.collected[cause] = [
            row.command.id for row in made if row.command.type == "WITHDRAW" and row.command.account in named
        ]
        super().settle(seen, clock)

    def _can_take(self, payee, amount):
        is_closed = self.accounts[payee].status == "CLOSED"
        return not is_closed and self.sum_balance(payee) + amount <= BALANCE_MAX

    def _collect(self, claim, amount, clock, batch):
        command = claim.command
        id = derive_collection_id(command.id, len(self.find_collections(claim)))
        moment, request_id = self.read_made(id) or (self._find_next_moment(clock), "")
        asked = {
            "amount": amount,
            "reference": command.reference,
            "metadata": {"reason": command.reason},
            "claim": command.id,
            "transfer": id if command.destination else None,
        }
        made = {"recorded_at": moment, "request_id": request_id, "batch": batch}
        leg = Command(id=id, account=command.account, type="WITHDRAW", other_leg=command.destination, **asked)
        self._write(leg, **made)
        self.tell_claim("claim.collected", claim)
        if command.destination:
            received = derive_destination_id(id)
            leg = Command(
                id=received,
                account=command.destination,
                type="DEPOSIT",
                other_leg=command.account,
                **asked,
            )
            self._write(leg, **made)

    def _find_next_moment(self, clock):
        moments = [row.recorded_at for row in self.rows.values()]
        return max([clock, *moments]) + timedelta(microseconds=1)

    def _write(self, command, recorded_at, **made):
        row = Row(
            command=command,
            amount=command.amount,
            recorded_at=recorded_at,
            effective_at=recorded_at,
            late=False,
            **made,
        )
        row.version = self.count_versions(command.account) + 1
        row.balance_after = self.sum_balance(command.account) + row.change
        self.rows[command.id] = row
        self.events[command.account].append(("transaction.posted", self.describe(command.id)))

    def describe(self, id):
        raise NotImplementedError

    def describe_claim(self, id):
        claim = self.claims[id]
        command, currency = claim.command, self.accounts[claim.command.account].currency
        status, left, closed_at = self.find_claim_state(claim)
        collected = sum((row.amount for row in self.find_collections(claim)), Decimal(0))
        return {
            "id": str(id),
            "account": str(command.account),
            "amount": format_amount(claim.amount, currency),
            "collected": format_amount(collected, currency),
            "remaining": format_amount(left, currency),
            "status": status,
            "decline_reason": claim.reason,
            "decline_details": claim.details,
            "reason": command.reason,
            "reference": command.reference,
            "destination": command.destination and str(command.destination),
            "reverses": command.reverses and str(command.reverses),
            "waived_reason": claim.waived_reason,
            "batch": claim.batch and str(claim.batch),
            "created_at": format_time(claim.created_at),
            "closed_at": closed_at and format_time(closed_at),
        }

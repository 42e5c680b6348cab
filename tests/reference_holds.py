"""The part of the reference ledger that places, changes and releases holds."""

from decimal import Decimal

from tests.reference_accounts import Hold, ReferenceAccounts
from tests.reference_commands import Refusal, format_amount


class ReferenceHolds(ReferenceAccounts):
    def find_hold_refusal(self, command, clock):
        if before := self.holds.get(command.id):
            differs = command.find_differences(before.command)
            return Refusal("idempotency_key_reused", differs) if differs else None
        if not self.has_scale(command.amount, command.account):
            return Refusal("amount_scale")
        if command.expires_at and command.expires_at <= clock:
            return Refusal("expires_at_invalid")
        return None

    def place_hold(self, command, clock, *, batch=None, decline=None):
        """`decline`: its reason and details, if all of the list is declined."""
        account = self.accounts[command.account]
        self.expire(account.id, clock)
        hold = Hold(
            command=command,
            created_at=clock,
            batch=batch,
            amount=command.amount,
            expires_at=command.expires_at,
        )
        available = self.find_available(account.id, clock)
        sequence = self.count_events(account.id, clock)
        if decline:
            hold.reason, hold.details = decline
        elif command.expected_sequence not in (None, sequence):
            hold.reason = "sequence_mismatch"
            hold.details = {"expected_sequence": command.expected_sequence, "sequence": sequence}
        elif decline := self.find_hold_decline(account, command.amount, available):
            hold.reason, hold.details = decline
        self.holds[command.id] = hold
        self.tell("hold.declined" if hold.reason else "hold.placed", hold, clock)
        if batch is None:
            self.settle([account.id], clock)
        return hold

    def find_hold_decline(self, account, amount, available):
        """Why no such amount is set aside, or None."""
        if account.status != "ACTIVE":
            return f"account_{account.status.lower()}", {}
        if amount > available:
            amounts = {"available": available, "required": amount}
            return "insufficient_funds", {
                name: format_amount(amounts[name], account.currency) for name in amounts
            }
        return None

    def change_hold(self, id, changes, seen, expected, clock):
        """Why it is not changed, or None. `seen` is what it must be: its amount and its end; None: anything.

        What is declined is told, and nothing else changes.
        """
        hold = self.holds[id]
        account = self.accounts[hold.command.account]
        if refusal := self._find_change_refusal(hold, changes, seen, expected, clock):
            return refusal
        self.expire(account.id, clock)
        more = changes.get("amount", hold.amount) - hold.amount
        decline = more > 0 and self.find_hold_decline(account, more, self.find_available(account.id, clock))
        if decline:
            reason, details = decline
            details = {**details, "amount": format_amount(changes["amount"], account.currency)}
            told = {"decline_reason": reason, "decline_details": details}
            self.events[account.id].append(("hold.change_declined", self.describe_hold(id, clock) | told))
            return Refusal(reason)
        if any(getattr(hold, name) != value for name, value in changes.items()):
            vars(hold).update(changes)
            self.tell("hold.changed", hold, clock)
            self.settle([account.id], clock)
        return None

    def _find_change_refusal(self, hold, changes, seen, expected, clock):
        account = hold.command.account
        if self.find_hold_state(hold, clock)[0] != "OPEN":
            return Refusal("hold_not_open")
        new = {"amount": hold.amount, "expires_at": hold.expires_at} | changes
        if not self.has_scale(new["amount"], account):
            return Refusal("amount_scale")
        if new["amount"] <= sum((row.amount for row in self.find_captures(hold)), Decimal(0)):
            return Refusal("amount_captured")
        if new["expires_at"] and new["expires_at"] <= clock:
            return Refusal("expires_at_invalid")
        if (hold.amount, hold.expires_at) == (new["amount"], new["expires_at"]):
            return None
        if expected not in (None, self.find_sequence(account, clock)):
            return Refusal("sequence_mismatch")
        return None if seen in (None, (hold.amount, hold.expires_at)) else Refusal("etag_mismatch")

    def release_hold(self, id, expected, clock, *, if_open=False, in_list=False):
        """Why it cannot be released, or None. What is released already changes nothing."""
        hold = self.holds[id]
        status, _, _ = self.find_hold_state(hold, clock)
        if not if_open and status not in ("OPEN", "RELEASED"):
            return Refusal("hold_not_open")
        if status == "OPEN" and expected not in (None, self.find_sequence(hold.command.account, clock)):
            return Refusal("sequence_mismatch")
        self.expire(hold.command.account, clock)
        if status == "OPEN":
            hold.released_at = self.find_latest(hold.command.account, clock)
            self.tell("hold.released", hold, clock)
        if not in_list:
            self.settle([hold.command.account], clock)
        return None

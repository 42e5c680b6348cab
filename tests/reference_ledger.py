"""The ledger said as plainly as possible, in dicts and Decimals: what the real one must answer.

Nothing here is fast or shared with the product: a balance is a sum, every moment is tried in turn. The one
thing a model cannot know is the database's clock: a command is decided at the `recorded_at` it was given.
"""

from datetime import UTC, timedelta
from decimal import Decimal

from tests.reference_commands import Refusal, Row, format_amount, format_time
from tests.reference_lists import ReferenceLists
from tests.reference_reversals import ReferenceReversals

BALANCE_MAX = Decimal(10) ** 15


class ReferenceLedger(ReferenceReversals, ReferenceLists):
    def find_legs(self, transfer):
        """The rows of a transfer, source first."""
        rows = [row for row in self.rows.values() if row.command.transfer == transfer]
        return sorted(rows, key=lambda row: row.command.type, reverse=True)

    def find_currency(self, account):
        return self.accounts[account].currency

    def sum_outside(self, currency):
        """What came from outside or another currency, less what went there."""
        changes = [
            row.change
            for row in self.rows.values()
            if self.find_currency(row.command.account) == currency
            and (not row.command.transfer or self.find_currency(row.command.other_leg) != currency)
        ]
        return sum(changes, Decimal(0))

    def find_refusal(self, command, clock):
        """Why nothing is recorded, or None: then the command is decided, now or before."""
        if before := self.rows.get(command.id):
            differs = command.find_differences(before)
            return Refusal("idempotency_key_reused", differs) if differs else None
        currency = self.accounts[command.account].currency
        if command.capture and self.find_currency(command.other_leg) != currency:
            return Refusal("currency_mismatch")
        if command.currency not in (None, currency):
            return Refusal("currency_mismatch")
        if command.amount is not None and not self.has_scale(command.amount, command.account):
            return Refusal("amount_scale")
        begins_at = command.begins_at or command.effective_at
        if begins_at and begins_at > clock + timedelta(minutes=5):
            return Refusal("effective_at_in_future")
        if command.other_leg and not command.reverses:
            return self._find_refusal_of_two(command, currency)
        return None

    def _find_refusal_of_two(self, command, currency):
        """Two currencies need two amounts, and one currency has one."""
        if self.find_currency(command.other_leg) != currency:
            return Refusal("currency_mismatch") if command.other_amount is None else None
        return None if command.other_amount in (None, command.amount) else Refusal("amounts_differ")

    def _decide(self, command, recorded_at, clock, asked, decline=None):
        posted = [row for row in self.find_rows(command.account) if row.version]
        effective_at = min(command.effective_at or recorded_at, recorded_at)
        row = Row(
            command=command,
            amount=self._find_amount(command, clock),
            recorded_at=recorded_at,
            effective_at=effective_at,
            late=any(effective_at < other.effective_at for other in posted),
            **asked,
        )
        decline = decline or self._find_decline(row, clock)
        row.balance_after = self.sum_balance(command.account)
        if decline:
            row.reason, row.details = decline
        else:
            row.version = len(posted) + 1
            row.balance_after += row.change
        self.rows[command.id] = row
        self.decided.append(command.id)
        type = "transaction.declined" if row.reason else "transaction.posted"
        self.events[command.account].append((type, self.describe(command.id)))
        if command.hold and not row.reason:
            self.tell("hold.captured", self.holds[command.hold], clock)
        return row

    def _find_amount(self, command, clock):
        """What was asked; of a capture without an amount what is left, or of a closed hold its whole."""
        if command.part:
            return self.find_part(command)[0]
        if command.amount is not None:
            return command.amount
        if not command.hold:  # the destination gets what the source gave
            return self.rows[command.transfer].amount
        hold = self.holds[command.hold]
        return self.find_hold_state(hold, clock)[1] or hold.amount

    def _find_decline(self, row, clock):
        command, account = row.command, self.accounts[row.command.account]
        version = self.count_versions(account.id)
        if command.expected_version not in (None, version):
            details = {"expected_version": command.expected_version, "version": version}
            return "version_mismatch", details
        if account.status == "CLOSED":
            return "account_closed", {}
        if command.part and (decline := self.find_part(command)[1]):
            return decline
        if command.type == "DEPOSIT":
            balance = self.sum_balance(account.id)
            if balance + row.amount > BALANCE_MAX:
                amounts = {"balance": balance, "limit": BALANCE_MAX}
                return "balance_limit_exceeded", self.format(account, amounts)
            return None
        if command.hold:
            status, _, _ = self.find_hold_state(self.holds[command.hold], clock)
            if status != "OPEN":
                return "hold_not_open", {"hold_status": status}
        if account.status == "FROZEN":
            return "account_frozen", {}
        return self._find_limit(row, account, clock) or self._find_lack_of_funds(row, account, clock)

    def _find_limit(self, row, account, clock):
        """The first limit that is passed; the account's own ones are not for reversals."""
        withdrawn = sum(
            (
                other.amount
                for other in self.find_rows(account.id)
                if other.version
                and other.command.type == "WITHDRAW"
                and not (other.command.reverses or other.command.claim)
                and other.recorded_at.astimezone(UTC).date() == row.recorded_at.astimezone(UTC).date()
            ),
            Decimal(0),
        )
        required = {"required": row.amount}
        limits = []
        if row.command.hold:
            left = self.find_hold_state(self.holds[row.command.hold], clock)[1]
            limits.append(("hold", left, row.amount, required))
        if not row.command.reverses:
            limits.append(("withdraw_max", account.withdraw_max, row.amount, required))
            day = {"withdrawn": withdrawn, **required}
            limits.append(("withdraw_day_max", account.withdraw_day_max, withdrawn + row.amount, day))
        for rule, limit, amount, amounts in limits:
            if limit is not None and amount > limit:
                return "limit_exceeded", {"rule": rule, **self.format(account, {"limit": limit, **amounts})}
        return None

    def _find_lack_of_funds(self, row, account, clock):
        available = self.find_available(account.id, clock)
        if row.command.hold:
            available += row.amount
        if row.amount > available:
            return "insufficient_funds", self.format(
                account, {"available": available, "required": row.amount}
            )
        for instant in self._list_instants(account.id, row.effective_at):
            available = self.sum_balance(account.id, at=instant) + account.credit_limit
            if row.late and row.amount > available:
                amounts = self.format(account, {"available": available, "required": row.amount})
                return "insufficient_funds_at", {"instant": format_time(instant), **amounts}
        return None

    def format(self, account, amounts):
        return {name: format_amount(amount, account.currency) for name, amount in amounts.items()}

    def _list_instants(self, account, start):
        """The moments from `start` on at which the balance is another, `start` itself included."""
        later = {row.effective_at for row in self.find_rows(account) if row.version}
        return sorted({start} | {instant for instant in later if instant > start})

    def describe(self, id):
        """The transaction as the API must show it."""
        row = self.rows[id]
        command, account = row.command, self.accounts[row.command.account]
        belongs = {
            "transfer": command.transfer,
            "batch": row.batch,
            "reverses": command.reverses,
            "hold": command.hold,
            "claim": command.claim,
        }
        return {
            "id": str(command.id),
            "account": str(account.id),
            "user": str(account.user),
            "type": command.type,
            "amount": format_amount(row.amount, account.currency),
            "currency": account.currency,
            "status": "DECLINED" if row.reason else "POSTED",
            "decline_reason": row.reason,
            "decline_details": row.details,
            "version": row.version,
            "balance_after": format_amount(row.balance_after, account.currency),
            "effective_at": format_time(row.effective_at),
            "recorded_at": format_time(row.recorded_at),
            "late": row.late,
            "reference": command.reference,
            "metadata": command.metadata,
            **{name: value and str(value) for name, value in belongs.items()},
            "reversed": format_amount(self.sum_taken_back(id), account.currency),
            "reversed_by": [str(by) for by in self.list_reversals_of(id)],
            "final": command.final,
            "request_id": row.request_id,
        }

    def make_statement(self, account, first_day, last_day, zone):
        """The posted rows whose effect fell on these days by the clocks of the zone, with running totals."""
        currency = self.accounts[account].currency
        days = {id: row.effective_at.astimezone(zone).date() for id, row in self.rows.items()}
        posted = [row for row in self.find_rows(account) if row.version]
        before = [row for row in posted if days[row.command.id] < first_day]
        balance = opening = sum((row.change for row in before), Decimal(0))
        lines = []
        for row in sorted(posted, key=lambda row: (row.effective_at, row.version)):
            if first_day <= days[row.command.id] <= last_day:
                balance += row.change
                lines.append(
                    {
                        "transaction": str(row.command.id),
                        "type": row.command.type,
                        "amount": format_amount(row.amount, currency),
                        "balance": format_amount(balance, currency),
                        "effective_at": format_time(row.effective_at),
                        "recorded_at": format_time(row.recorded_at),
                        "reference": row.command.reference,
                    }
                )
        return {
            "account": str(account),
            "currency": currency,
            "from": first_day.isoformat(),
            "to": last_day.isoformat(),
            "tz": str(zone),
            "opening_balance": format_amount(opening, currency),
            "lines": lines,
            "closing_balance": format_amount(balance, currency),
        }

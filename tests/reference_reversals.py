"""The part of the reference ledger that takes back: how much a part takes of one leg and of the other."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from tests.reference_commands import (
    DECIMALS,
    OPPOSITE,
    Command,
    Opening,
    Refusal,
    make_legs,
    read_moment,
)

AMOUNT_MAX = Decimal(10) ** 12


@dataclass(frozen=True, kw_only=True)
class Part:
    """Of what is taken back: `asked` of the transaction `named`, or None: all that is left."""

    asked: Decimal | None
    named: UUID


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """The opposite of `amount` of `target`, or of all that is left, and of its other leg; that of a transfer
    is a transfer back.

    `expected_version` is a condition: of the account, of a transfer back of its source. With `claim` it is a
    claim, of money that came in, on the account that it came to.
    """

    id: UUID
    target: UUID
    reason: str
    amount: Decimal | None = None
    effective_at: datetime | date | None = None
    expected_version: int | None = None
    claim: bool = False

    def list_commands(self, ledger):
        target = ledger.rows[self.target]
        if self.claim:
            return self._claim(ledger, target)
        if target.reason or target.command.reverses or target.command.claim:
            return Refusal("not_reversible")
        moment = read_moment(self.effective_at)
        legs = ledger.find_legs(target.command.transfer) if target.command.transfer else [target]
        if moment["effective_at"] and any(moment["effective_at"] < leg.effective_at for leg in legs):
            return Refusal("effective_at_too_early")
        part = Part(asked=self.amount, named=self.target)
        asked = {"metadata": {"reason": self.reason}, "part": part, **moment}
        if not target.command.transfer:
            type, account = OPPOSITE[target.command.type], target.command.account
            taken = {
                "amount": self.amount,
                "reverses": self.target,
                "expected_version": self.expected_version,
            }
            return [Command(id=self.id, account=account, type=type, **taken, **asked)]
        source, destination = legs
        return make_legs(
            self.id,
            destination.command.account,
            source.command.account,
            reverses=(destination.command.id, source.command.id),
            amounts=tuple(self.amount if leg is target else None for leg in (destination, source)),
            versions=(self.expected_version, None),
            **asked,
        )

    def _claim(self, ledger, target):
        transfer = target.command.transfer
        legs = ledger.find_legs(transfer) if transfer else [target]
        received = next((leg for leg in legs if leg.command.type == "DEPOSIT"), None)
        if received is None:
            return Refusal("not_claimable")
        if target.reason or target.command.reverses or target.command.claim:
            return Refusal("not_reversible")
        command = Opening(
            id=self.id,
            account=received.command.account,
            amount=self.amount,
            reason=self.reason,
            destination=legs[0].command.account if transfer else None,
            reverses=transfer or received.command.id,
            part=Part(asked=self.amount, named=received.command.id),
        )
        return [command]


class ReferenceReversals:
    def find_part(self, command):
        """What the leg takes, and why it does not. All is counted in the smallest units of the currencies."""
        asked, named = command.part.asked, command.part.named
        of = self.rows[named].command.transfer
        legs = [row.command.id for row in self.find_legs(of)] if of else [named]
        other = next((id for id in legs if id != named), named)
        own = command.transfer or command.id
        amount, left = self._count_units(named, own)
        other_amount, other_left = self._count_units(other, own)
        decline, of_named, of_other = None, left, other_left
        if asked is not None:
            of_named = asked * 10 ** self._find_decimals(named)
            of_other = int(of_named * other_amount // amount)
        if not left:
            decline = "already_reversed", {"reversed_by": str(self._find_last(legs, command))}
            if asked is None:
                of_named, of_other = amount, other_amount
        elif of_named > left:
            decline = "reversal_too_large"
        elif of_named == left:
            of_other = other_left
        else:
            of_other = min(of_other, other_left - 1)
            decline = "reversal_too_small" if of_other < 1 else None
        if isinstance(decline, str):
            account = self.accounts[self.rows[named].command.account]
            decline = decline, self.format(account, {"left": self._to_amount(left, named)})
        if isinstance(command, Opening) or command.reverses == named:
            return self._to_amount(of_named, named), decline
        return min(max(self._to_amount(of_other, other), self._to_amount(1, other)), AMOUNT_MAX), decline

    def _find_last(self, legs, command):
        """Of what has taken it back: in the same commit what was decided last, or else what is the latest."""
        taken_by = [id for id in self.list_reversals_of(self._find_paying_leg(legs)) if id != command.id]
        now = [id for id in self.decided if id in taken_by]
        return now[-1] if now else taken_by[-1]

    def _find_paying_leg(self, legs):
        """The one whose reversal is a withdrawal, if there are two."""
        return next((id for id in legs if self.rows[id].command.type == "DEPOSIT"), legs[0])

    def _count_units(self, id, own):
        """Of what there was, and of what is left of it, what the reversal `own` takes left aside."""
        scale = 10 ** self._find_decimals(id)
        taken = [
            row.amount
            for row in self.rows.values()
            if row.command.reverses == id
            and row.version
            and own not in (row.command.transfer, row.command.id)
        ]
        amount = self.rows[id].amount
        taken += [claim.amount for claim in self.list_claims_of(id) if claim.command.id != own]
        return int(amount * scale), int((amount - sum(taken, Decimal(0))) * scale)

    def _find_decimals(self, id):
        return DECIMALS[self.find_currency(self.rows[id].command.account)]

    def _to_amount(self, units, id):
        return Decimal(units) / 10 ** self._find_decimals(id)

    def _list_parts(self, id):
        """When each was made, its id, and how much it takes."""
        rows = [row for row in self.rows.values() if row.command.reverses == id and row.version]
        return [(row.recorded_at, row.command.id, row.amount) for row in rows] + [
            (claim.created_at, claim.command.id, claim.amount) for claim in self.list_claims_of(id)
        ]

    def list_claims_of(self, id):
        """Those that take back the row, whatever was collected of them."""
        whole = self.rows[id].command.transfer or id
        claims = [claim for claim in self.claims.values() if claim.command.reverses == whole]
        return [claim for claim in claims if not claim.reason]

    def list_reversals_of(self, id):
        """The ids of reversals and claims, the oldest first."""
        return [by for _, by, _ in sorted(self._list_parts(id))]

    def sum_taken_back(self, id):
        return sum((amount for _, _, amount in self._list_parts(id)), Decimal(0))

    def find_left(self, id):
        return self.rows[id].amount - self.sum_taken_back(id)

"""Withdrawing what a hold has set aside: to the outside, or into other accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import NamedTuple, cast
from uuid import UUID

from accounts.models import Hold, replace_row
from ledger.callers import Caller
from ledger.text import TypeInvalid
from transactions import errors
from transactions.models import TABLE, Transaction, derive_destination_id, derive_part_id
from transactions.posting.asked import require_amount, require_asked
from transactions.posting.commands.hold import tell
from transactions.posting.legs import Leg, decide_leg, explain, find_moment
from transactions.posting.limits import Decline
from transactions.posting.state import Accounts, AccountState, Culprit, Decision, Needs, State


class Remaining(Enum):
    """An amount that only the hold knows."""

    ALL = "all that the hold has left"


class Part(NamedTuple):
    """What of a capture goes to an account, in the currency of the hold's."""

    destination_id: UUID
    amount: Decimal


@dataclass(slots=True, kw_only=True)
class Capture:
    """A withdrawal from the hold; what then remains is given back, unless `final` is False.

    With a `destination_id` it is a transfer to that account; with `destinations` one to each of them in turn,
    all or none, and their amounts are the capture's. `expected_version`, of the hold's account, is a
    condition, not a part of the command. Raises `SameAccount`, and what `require_amount` and `require_asked`
    do.
    """

    id: UUID
    hold_id: UUID
    account_id: UUID
    amount: Decimal | Remaining = Remaining.ALL
    final: bool = True
    destination_id: UUID | None = None
    destinations: Sequence[Part] = ()
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    expected_version: int | None = None
    amount_max: Decimal | None = field(init=False, default=None)  # of the caller's token
    amount_asked: Decimal | None = field(init=False, repr=False, compare=False)  # None: all that is left
    targets: tuple[UUID, ...] = field(init=False, repr=False, compare=False)
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        self.amount_asked = None if self.amount is Remaining.ALL else self.amount
        self.targets = () if self.destination_id is None else (self.destination_id,)
        if self.destinations:
            if self.amount is not Remaining.ALL or self.targets:
                raise TypeInvalid("Destinations have the amounts and the accounts of the capture.")
            for part in self.destinations:
                require_amount(part[1])
            self.amount_asked = sum([amount for _, amount in self.destinations], Decimal(0))
            self.targets = tuple(id for id, _ in self.destinations)
        if self.amount_asked is not None:
            require_amount(self.amount_asked)
        if self.account_id in self.targets:
            raise errors.SameAccount("A capture goes from the account of the hold to another one.")
        ids = [derive_part_id(self.id, number) for number in range(len(self.targets) or 1)]
        if self.targets:
            ids = [each for id in ids for each in (id, derive_destination_id(id))]
        accounts = (self.account_id, *dict.fromkeys(self.targets))
        self.needs = Needs(accounts, tuple(ids), holds=(self.hold_id,))

    def find_differences(self, before: dict[UUID, Transaction]) -> list[str]:
        """Of what was asked, not of what it came to."""
        legs = [leg for part in self._make_parts(before[self.id].amount) for leg in part]
        names = [
            self._name(name, leg)
            for leg in legs
            if leg.id in before
            for name in TABLE.find_differences(leg, before[leg.id])
        ]
        return list(dict.fromkeys(names))

    def _name(self, name: str, leg: Leg) -> str:
        """As it is sent."""
        if name == "transfer" or (name == "account" and leg.type == Transaction.Type.DEPOSIT):
            return "destinations" if self.destinations else "destination"
        if name in ("amount", "amount_asked"):
            return "destinations" if self.destinations else "amount"
        return name

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `HoldNotFound`, `AccountNotFound`, `CurrencyMismatch`, `AmountScale`, `TokenBound`."""
        hold = state.get_hold(self.hold_id, self.account_id)
        currency = state.accounts[self.account_id].currency
        for id in self.targets:
            if state.accounts[id].currency != currency:
                raise errors.CurrencyMismatch(f"The hold is in {currency}, the destination is not.").about(
                    "destinations" if self.destinations else "destination"
                )
        amount = self.amount_asked
        if amount is None:
            amount = hold.remaining or hold.amount
            if self.amount_max is not None and hold.remaining > self.amount_max:
                raise errors.make_beyond_amount_max(self.amount_max)
        parts = self._make_parts(amount)
        decisions, found = self._decide_parts(parts, hold, state, caller, culprit)
        if found is not None and len(self.needs.rows) > 1:
            decisions, _ = self._decide_parts(parts, hold, state, caller, found)
        return tuple(decisions)

    def _decide_parts(
        self, parts: list[tuple[Leg, ...]], hold: Hold, state: State, caller: Caller, culprit: Culprit | None
    ) -> tuple[list[Decision], Culprit | None]:
        """What becomes of the legs in turn; without a culprit up to the first that is declined, which is one.

        The legs of a part are recorded at one moment.
        """
        draft = replace(state, accounts=Accounts(state.accounts))
        decisions: list[Decision] = []
        for number, legs in enumerate(parts, 1):
            moment = max(find_moment(draft.accounts[leg.account_id], state.clock) for leg in legs)
            for leg in legs:
                decline = self._explain(leg, culprit) if culprit else None
                held = hold if leg.hold else None
                decision = decide_leg(leg, draft, caller, decline=decline, hold=held, recorded_at=moment)
                row = cast(Transaction, decision.row)
                if leg.hold and not row.decline_reason:
                    is_end = self.final and number == len(parts)
                    decision = _take(decision, hold, is_end=is_end)
                    hold = cast(Hold, decision.hold)
                decisions.append(decision)
                if row.decline_reason and culprit is None:
                    return decisions, row
                draft.accounts[leg.account_id] = cast(AccountState, decision.account)
        return decisions, None

    def _explain(self, leg: Leg, culprit: Culprit) -> Decline:
        """Why the leg is declined: of the culprit's own capture, as the other legs of a transfer are."""
        is_own = isinstance(culprit, Transaction) and culprit.id in self.needs.rows
        if is_own and culprit.id != leg.id:
            return errors.TRANSFER_DECLINED, {"culprit": str(culprit.id)}
        return explain(leg, culprit)

    def _make_parts(self, amount: Decimal) -> list[tuple[Leg, ...]]:
        """The legs of each part; the whole of one that is alone has this amount."""
        if not self.targets:
            return [(self._make_leg(self.id, amount, transfer=None, is_first=True),)]
        amounts = [part for _, part in self.destinations] or [amount]
        parts: list[tuple[Leg, ...]] = []
        for number, (target, part) in enumerate(zip(self.targets, amounts, strict=True)):
            id = derive_part_id(self.id, number)
            taken = self._make_leg(id, part, transfer=id, is_first=number == 0)
            given = Leg(
                id=derive_destination_id(id),
                account_id=target,
                type=Transaction.Type.DEPOSIT,
                amount=part,
                reference=self.reference,
                metadata=self.metadata,
                transfer=id,
            )
            parts.append((taken, given))
        return parts

    def _make_leg(self, id: UUID, amount: Decimal, *, transfer: UUID | None, is_first: bool) -> Leg:
        return Leg(
            id=id,
            account_id=self.account_id,
            type=Transaction.Type.WITHDRAW,
            amount=amount,
            reference=self.reference,
            metadata=self.metadata,
            expected_version=self.expected_version if is_first else None,
            transfer=transfer,
            hold=self.hold_id,
            final=self.final,
            amount_asked=self.amount_asked,
        )


def _take(decision: Decision, hold: Hold, *, is_end: bool) -> Decision:
    """The hold with what the row has captured of it too. At its end it gives back what then remains."""
    row, account = cast(Transaction, decision.row), cast(AccountState, decision.account)
    before, hold = hold, replace_row(hold, captured=hold.captured + row.amount)
    held = account.held - row.amount
    if is_end or hold.remaining == 0:
        held -= hold.remaining
        hold = replace_row(hold, status=Hold.Status.CAPTURED, closed_at=row.recorded_at)
    captured = tell("hold.captured", hold, account, held=held, before=before)
    return captured._replace(made=row, row=row, events=decision.events + captured.events)

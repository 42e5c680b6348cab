"""What the reference ledger can be asked to take from a hold, and where it goes."""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from tests.reference_commands import Command, Refusal, derive_destination_id, derive_id


@dataclass(frozen=True, kw_only=True)
class Capture:
    """`to` is None, an account, or pairs of accounts and amounts: then `amount` says nothing."""

    id: UUID
    hold: UUID
    amount: Decimal | None = None
    final: bool = True
    to: UUID | tuple | None = None
    reference: str = ""
    metadata: dict = field(default_factory=dict)
    expected_version: int | None = None

    def list_commands(self, ledger):
        return self.make_commands(ledger.holds[self.hold].command.account)

    def make_commands(self, account):
        has_list = isinstance(self.to, tuple)
        amount = sum((amount for _, amount in self.to), Decimal(0)) if has_list else self.amount
        parts = self.to if has_list else [(self.to, amount)]
        if account in [target for target, _ in parts]:
            return Refusal("same_account")
        commands = []
        for number, (target, part) in enumerate(parts):
            id = derive_part_id(self.id, number)
            words = {"reference": self.reference, "metadata": self.metadata, "amount": part}
            if target:
                words |= {"transfer": id, "capture": self.id, "has_list": has_list}
            taken = Command(
                id=id,
                account=account,
                type="WITHDRAW",
                hold=self.hold,
                final=self.final,
                amount_asked=amount,
                is_last=number == len(parts) - 1,
                other_leg=target,
                expected_version=self.expected_version if number == 0 else None,
                **words,
            )
            commands.append(taken)
            if target:
                id = derive_destination_id(id)
                commands.append(Command(id=id, account=target, type="DEPOSIT", other_leg=account, **words))
        return commands


@dataclass(frozen=True, kw_only=True)
class CaptureOfItem(Capture):
    """Of the hold that the item `item` of the same list places, on `account`."""

    item: int
    account: UUID

    def list_commands(self, ledger):
        return self.make_commands(self.account)


def derive_part_id(capture, index):
    return derive_id(f"{capture}\0part\0{index}") if index else capture

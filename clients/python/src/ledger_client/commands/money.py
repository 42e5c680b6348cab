"""Money in, out, across and back, and what is owed."""

from typing import Any, Literal, Unpack

from ledger_client.commands.command import Command, Metadata, Parts
from ledger_client.resources import Claim, Transaction, Transfer
from ledger_client.wire import Amount, Id, Moment, R, write_body


def deposit(*, id: Id, amount: Amount, **parts: Unpack[Parts]) -> Command[Transaction]:
    """Money that comes into an account."""
    return transaction(id=id, type="DEPOSIT", amount=amount, **parts)


def withdraw(*, id: Id, amount: Amount, **parts: Unpack[Parts]) -> Command[Transaction]:
    """Money that leaves an account."""
    return transaction(id=id, type="WITHDRAW", amount=amount, **parts)


def transaction(
    *, id: Id, type: Literal["DEPOSIT", "WITHDRAW"], amount: Amount, **parts: Unpack[Parts]
) -> Command[Transaction]:
    """Of an account, or of a user's main account (with `currency`, if they have several)."""
    body = write_body(id=id, type=type, amount=amount, **parts)
    return Command(path="/transactions", body=body, kind=Transaction, name="transaction")


def transfer(
    *,
    id: Id,
    amount: Amount,
    source: Id | None = None,
    source_user: Id | None = None,
    destination: Id | None = None,
    destination_user: Id | None = None,
    currency: str | None = None,
    destination_currency: str | None = None,
    destination_amount: Amount | None = None,
    effective_at: Moment | None = None,
    reference: str | None = None,
    metadata: Metadata | None = None,
    expected_version: int | None = None,
    expected_destination_version: int | None = None,
) -> Command[Transfer]:
    """From one account to another. `destination_amount`: what arrives, between two currencies."""
    body = write_body(
        id=id,
        amount=amount,
        source=source,
        source_user=source_user,
        destination=destination,
        destination_user=destination_user,
        currency=currency,
        destination_currency=destination_currency,
        destination_amount=destination_amount,
        effective_at=effective_at,
        reference=reference,
        metadata=metadata,
        expected_version=expected_version,
        expected_destination_version=expected_destination_version,
    )
    return Command(path="/transfers", body=body, kind=Transfer, name="transfer")


def reverse(
    *,
    id: Id,
    transaction: Id,
    reason: str,
    amount: Amount | None = None,
    effective_at: Moment | None = None,
    expected_version: int | None = None,
) -> Command[Transaction]:
    """Take a transaction back, all that is left of it or `amount`. Of a transfer: `reverse_transfer`."""
    return _reverse(
        Transaction,
        transaction,
        id=id,
        reason=reason,
        amount=amount,
        effective_at=effective_at,
        expected_version=expected_version,
    )


def reverse_transfer(*, id: Id, transfer: Id, reason: str, amount: Amount | None = None) -> Command[Transfer]:
    """Take both legs of a transfer back."""
    return _reverse(Transfer, transfer, id=id, reason=reason, amount=amount)


def reverse_as_claim(*, id: Id, transaction: Id, reason: str, amount: Amount | None = None) -> Command[Claim]:
    """Take money back that had come in: what is not there any more is owed, as a claim."""
    return _reverse(Claim, transaction, id=id, reason=reason, amount=amount, claim=True)


def _reverse(kind: type[R], of: Id, **members: Any) -> Command[R]:
    return Command(
        path=f"/transactions/{of}/reverse",
        body=write_body(**members),
        kind=kind,
        name="reversal",
        about={"transaction": str(of)},
    )


def claim(
    *,
    id: Id,
    account: Id,
    amount: Amount,
    reason: str,
    reference: str | None = None,
    destination: Id | None = None,
) -> Command[Claim]:
    """What an account owes: taken now as far as it is there, and the rest whenever there is more."""
    return Command(
        path=f"/accounts/{account}/claims",
        body=write_body(id=id, amount=amount, reason=reason, reference=reference, destination=destination),
        kind=Claim,
        name="claim",
        about={"account": str(account)},
    )


def waive_claim(*, claim: Id, reason: str) -> Command[Claim]:
    """Ask for no more of it."""
    return Command(path=f"/claims/{claim}/waive", body=write_body(reason=reason), kind=Claim)

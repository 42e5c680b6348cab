"""Users, accounts, and the rules of accounts. None of it moves money."""

from typing import Literal

from ledger_client.commands.command import Command, Metadata
from ledger_client.resources import Account, Threshold, User
from ledger_client.wire import Amount, Id, Json, write_body


def create_user(
    *,
    name: str,
    external_id: str | None = None,
    id: Id | None = None,
    currency: str | None = None,
    metadata: Metadata | None = None,
) -> Command[User]:
    """A user with their main account. Known by `external_id`, your own name of them, or by an `id`."""
    if id is None and external_id is None:
        raise ValueError("A user is known by an external_id or an id: without, each try would make another.")
    body = write_body(id=id, name=name, external_id=external_id, currency=currency, metadata=metadata)
    return Command(path="/users", body=body, kind=User)


def change_user(
    *, user: Id, name: str | None = None, metadata: Metadata | None = None, etag: str | None = None
) -> Command[User]:
    """`metadata` as a whole. With an `etag`, a repetition may be refused though the first try was done."""
    body = write_body(name=name, metadata=metadata)
    return Command(path=f"/users/{user}", body=body, kind=User, method="PATCH", etag=etag)


def open_account(
    *, user: Id, currency: str, name: str | None = None, metadata: Metadata | None = None
) -> Command[Account]:
    """Another account of a user, known by its user, currency and name (default: main)."""
    body = write_body(user=user, currency=currency, name=name, metadata=metadata)
    return Command(path="/accounts", body=body, kind=Account)


def change_account(*, account: Id, metadata: Metadata, etag: str | None = None) -> Command[Account]:
    """`metadata` as a whole."""
    body = write_body(metadata=metadata)
    return Command(path=f"/accounts/{account}", body=body, kind=Account, method="PATCH", etag=etag)


def freeze(*, account: Id, reason: str) -> Command[Account]:
    """Nothing goes out until it is unfrozen."""
    return _change(account, "freeze", reason=reason)


def unfreeze(*, account: Id, reason: str) -> Command[Account]:
    return _change(account, "unfreeze", reason=reason)


def close(*, account: Id, reason: str) -> Command[Account]:
    """For ever, of an account that is empty and owes nothing."""
    return _change(account, "close", reason=reason)


def set_limits(
    *,
    account: Id,
    credit_limit: Amount | None = None,
    withdraw_max: Amount | None = None,
    withdraw_day_max: Amount | None = None,
    reason: str | None = None,
) -> Command[Account]:
    """Those that are said. What is None stays as it is: see `remove_limits`."""
    return _change(
        account,
        "limits",
        credit_limit=credit_limit,
        withdraw_max=withdraw_max,
        withdraw_day_max=withdraw_day_max,
        reason=reason,
    )


def remove_limits(
    *limits: Literal["withdraw_max", "withdraw_day_max"], account: Id, reason: str | None = None
) -> Command[Account]:
    """From then on withdrawals are not limited so."""
    none: Json = dict.fromkeys(limits)
    body = {**none, **write_body(reason=reason)}
    return Command(path=f"/accounts/{account}/limits", body=body, kind=Account)


def set_threshold(
    *, account: Id, amount: Amount, of: Literal["available", "balance"] = "available"
) -> Command[Threshold]:
    """From then on an event tells of each time that the account comes to the other side of it."""
    body = write_body(amount=amount, of=of)
    return Command(path=f"/accounts/{account}/thresholds", body=body, kind=Threshold)


def _change(account: Id, what: str, **members: Amount | str | None) -> Command[Account]:
    return Command(path=f"/accounts/{account}/{what}", body=write_body(**members), kind=Account)

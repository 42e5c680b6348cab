"""The rules of an account, decided under the lock that postings take: limits, freeze, unfreeze, close.

Each change is told by an event in the same transaction. What is so already changes nothing and tells nothing.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from accounts import currencies, errors, holds, operations
from accounts.models import BALANCE_MAX, Account
from events import outbox
from events.errors import LedgerError

LIMITS = ("credit_limit", "withdraw_max", "withdraw_day_max")


@atomic
def set_limits(*, id: UUID, limits: dict[str, Decimal | None], request_id: str) -> Account:
    """Set those of `LIMITS` that are given; None takes a `withdraw…` limit away.

    Raises `AccountNotFound`, `AccountClosed`, `AmountNotPositive`, `AmountTooLarge`, `AmountScale`,
    `CreditLimitInUse`.
    """
    account = _lock(id)
    if account.status == Account.Status.CLOSED:
        raise errors.AccountClosed("The account is closed.")
    changes = {name: limit for name, limit in limits.items() if limit != getattr(account, name)}
    for name, limit in changes.items():
        if limit is not None:
            _require_limit(name, limit, account.currency)
        setattr(account, name, limit)
    if account.available < 0:
        raise errors.CreditLimitInUse(
            "The account has used more credit than that.",
            used=currencies.format_amount(account.held - account.balance, account.currency),
        )
    if changes:
        account.credit_limit_max = max(account.credit_limit_max, account.credit_limit)
        _save(
            account,
            "account.limits_changed",
            request_id,
            credit_limit_max=account.credit_limit_max,
            **changes,
        )
    return account


@atomic
def freeze(*, id: UUID, reason: str, request_id: str) -> Account:
    """No money out and no new holds any more. Raises `AccountNotFound`, `AccountClosed`."""
    return _set_status(_lock(id), Account.Status.FROZEN, "account.frozen", reason, request_id)


@atomic
def unfreeze(*, id: UUID, reason: str, request_id: str) -> Account:
    """Raises `AccountNotFound`, `AccountClosed`."""
    return _set_status(_lock(id), Account.Status.ACTIVE, "account.unfrozen", reason, request_id)


@atomic
def close(*, id: UUID, reason: str, request_id: str) -> Account:
    """Final. Raises `AccountNotFound`, `AccountNotEmpty`."""
    account = _lock(id)
    if account.status == Account.Status.CLOSED:
        return account
    if account.balance or account.held:
        raise errors.AccountNotEmpty(
            "An account is closed when its balance and what it holds are zero.",
            balance=currencies.format_amount(account.balance, account.currency),
            held=currencies.format_amount(account.held, account.currency),
        )
    return _set_status(account, Account.Status.CLOSED, "account.closed", reason, request_id)


def _lock(id: UUID) -> Account:
    """The account under its lock, its due holds ended."""
    account = operations.lock_account(id)
    holds.expire_holds(account)
    return account


def _set_status(
    account: Account, status: Account.Status, event: str, reason: str, request_id: str
) -> Account:
    if account.status == status:
        return account
    if account.status == Account.Status.CLOSED:
        raise errors.AccountClosed("The account is closed.")
    _save(account, event, request_id, status=status, status_reason=reason)
    return account


def _save(account: Account, type: str, request_id: str, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(account, name, value)
    event = operations.describe_next_event(
        type, account, clock=operations.read_clock(), request_id=request_id, data=account.as_resource()
    )
    account.save(update_fields=[*changes, "event_sequence"])
    outbox.record([event])


def _require_limit(name: str, limit: Decimal, currency: str) -> None:
    try:
        if limit.is_signed():
            raise errors.AmountNotPositive("A limit is zero or more, without a sign.")
        if limit > BALANCE_MAX:
            raise errors.AmountTooLarge(f"A limit is at most {BALANCE_MAX}.", limit=str(BALANCE_MAX))
        currencies.require_scale(limit, currency)
    except LedgerError as error:
        error.field = name
        raise

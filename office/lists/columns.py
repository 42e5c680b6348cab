"""The columns of lists as files, by the names that the API has for them."""

from functools import partial
from operator import attrgetter
from typing import Any

from accounts.currencies import format_amount
from office.lists.exports import Columns


def _plain(*names: str) -> Columns:
    return {name: attrgetter(name) for name in names}


def _amounts(*names: str) -> Columns:
    """Of what is on an account, in its currency."""
    return {name: partial(_write_amount, name) for name in names}


def _write_amount(name: str, row: Any) -> str | None:
    return _write(getattr(row, name), row.account)


def _write(amount: Any, account: Any) -> str | None:
    return None if amount is None else format_amount(amount, account.currency)


OF_ACCOUNT: Columns = {
    "user": attrgetter("account.user_id"),
    "user_name": attrgetter("account.user.name"),
    "account": attrgetter("account_id"),
    "account_name": attrgetter("account.name"),
    "currency": attrgetter("account.currency"),
}
OF_TRANSACTIONS: Columns = {
    **_plain("id"),
    **OF_ACCOUNT,
    **_plain("type"),
    **_amounts("amount"),
    **_plain("status", "decline_reason"),
    **_amounts("balance_after"),
    **_plain("effective_at", "recorded_at", "late", "reference", "transfer", "batch", "reverses"),
    **_amounts("reversed"),
    **_plain("hold", "claim", "actor", "actor_kind", "request_id"),
}
OF_HOLDS: Columns = {
    **_plain("id"),
    **OF_ACCOUNT,
    **_amounts("amount", "captured"),
    "status": attrgetter("status_now"),
    **_plain("decline_reason", "expires_at", "created_at", "closed_at", "reference", "actor", "request_id"),
}
OF_CLAIMS: Columns = {
    **_plain("id"),
    **OF_ACCOUNT,
    **_amounts("amount", "collected", "remaining"),
    **_plain("status", "reason", "reference", "destination", "reverses", "created_at", "closed_at", "actor"),
}
OF_CORRECTIONS: Columns = {
    **_plain("id", "kind"),
    **OF_ACCOUNT,
    **_plain("type"),
    **_amounts("amount"),
    **_plain("status", "reason", "reference", "reverses", "claim", "made_at"),
    "maker": attrgetter("maker.username"),
    "checker": lambda row: row.checker and row.checker.username,
    **_plain("decided_at", "decision_reason"),
}
OF_ACCOUNTS: Columns = {
    **_plain("id"),
    "user": attrgetter("user_id"),
    "user_name": attrgetter("user.name"),
    **_plain("name", "currency", "status"),
    "balance": lambda account: _write(account.balance, account),
    "held": lambda account: _write(account.held_now, account),
    "available": lambda account: _write(account.available, account),
    "owed": lambda account: _write(account.owed, account),
    "credit_limit": lambda account: _write(account.credit_limit, account),
    **_plain("version", "created_at"),
}
OF_USERS: Columns = _plain("id", "name", "external_id", "username", "created_at", "erased_at")
OF_EVENTS: Columns = {
    **_plain("position", "stream", "sequence"),
    "type": attrgetter("event.type"),
    "recorded_at": attrgetter("event.recorded_at"),
}

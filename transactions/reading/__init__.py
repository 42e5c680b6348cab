"""What is read most: current balances and transactions by id, one prepared statement for all asked for."""

from uuid import UUID

from transactions.models import Transaction
from transactions.reading.current import CurrentBalance, read_balances_of_users, read_current_balances
from transactions.reading.rows import get_transactions

__all__ = [
    "CurrentBalance",
    "balances_of_user",
    "current_balance",
    "get_transactions",
    "read_balances_of_users",
    "read_current_balances",
    "transaction",
]


def current_balance(account_id: UUID) -> CurrentBalance | None:
    """What the account holds now; None: there is no such account."""
    return read_current_balances([account_id]).get(account_id)


def balances_of_user(user_id: UUID, name: str) -> dict[str, CurrentBalance]:
    """What the user's accounts of that name hold now, by currency."""
    return read_balances_of_users([(user_id, name)])[user_id, name]


def transaction(id: UUID) -> Transaction | None:
    """The decided transaction of that id, or None."""
    return get_transactions([id]).get(id)

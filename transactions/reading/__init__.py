"""What is read most: balances, now and at any moment, and transactions by id; by prepared statements."""

from transactions.reading.balances import (
    read_balance,
    read_balance_at,
    read_balances_at,
    read_balances_of_users,
    read_current_balances,
    share,
)
from transactions.reading.queries import get_transactions

__all__ = [
    "get_transactions",
    "read_balance",
    "read_balance_at",
    "read_balances_at",
    "read_balances_of_users",
    "read_current_balances",
    "share",
]

"""What is read most: balances, now and at any moment, and transactions by id; by prepared statements."""

from transactions.reading.balances import read_balance, read_balance_at, read_balance_before
from transactions.reading.queries import get_transactions
from transactions.reading.shared import (
    share_balance,
    share_balance_at,
    share_balances_of_user,
    share_transaction,
)

__all__ = [
    "get_transactions",
    "read_balance",
    "read_balance_at",
    "read_balance_before",
    "share_balance",
    "share_balance_at",
    "share_balances_of_user",
    "share_transaction",
]

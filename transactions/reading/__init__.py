"""What is read most: balances, now and at any moment, and transactions by id; by prepared statements."""

from transactions.reading.current import CurrentBalance
from transactions.reading.dated import read_balance_at
from transactions.reading.rows import get_transactions
from transactions.reading.shared import (
    share_balance,
    share_balance_at,
    share_balances_of_user,
    share_transaction,
)

__all__ = [
    "CurrentBalance",
    "get_transactions",
    "read_balance_at",
    "share_balance",
    "share_balance_at",
    "share_balances_of_user",
    "share_transaction",
]

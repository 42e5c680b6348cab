"""What is read most: current balances and transactions by id, one prepared statement for all asked for."""

from transactions.reading.current import CurrentBalance
from transactions.reading.rows import get_transactions
from transactions.reading.shared import share_balance, share_balances_of_user, share_transaction

__all__ = [
    "CurrentBalance",
    "get_transactions",
    "share_balance",
    "share_balances_of_user",
    "share_transaction",
]

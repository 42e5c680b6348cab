"""The dashboard's figures, beside the ledger that they were counted from."""

from threading import Event as Flag

from tests.database import execute
from transactions.reading import statistics

COUNTED = "SELECT hour, currency, type, outcome, count, amount, late FROM transactions_hourlytotal"
IN_THE_LEDGER = """
SELECT date_trunc('hour', row.recorded_at, 'UTC'), currency, type, coalesce(decline_reason, 'posted'),
    count(*), sum(amount), count(*) FILTER (WHERE late)
FROM transactions_transaction AS row JOIN accounts_account AS account ON account.id = row.account_id
GROUP BY 1, 2, 3, 4
"""


def refresh():
    statistics.refresh(Flag())


def require_everything_counted():
    assert sorted(execute(COUNTED)) == sorted(execute(IN_THE_LEDGER))

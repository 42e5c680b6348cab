"""The dashboard's figures, beside the ledger that they were counted from."""

from threading import Event as Flag

from django.db import connection

from transactions.reading import statistics

COUNTED = "SELECT hour, currency, type, outcome, count, amount FROM transactions_hourlytotal"
IN_THE_LEDGER = """
SELECT date_trunc('hour', row.recorded_at, 'UTC'), currency, type, coalesce(decline_reason, 'posted'),
    count(*), sum(amount)
FROM transactions_transaction AS row JOIN accounts_account AS account ON account.id = row.account_id
GROUP BY 1, 2, 3, 4
"""


def refresh():
    statistics.refresh(Flag())


def fetch(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def require_everything_counted():
    assert sorted(fetch(COUNTED)) == sorted(fetch(IN_THE_LEDGER))

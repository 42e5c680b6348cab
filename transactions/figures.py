"""The dashboard's numbers of the whole ledger, counted in the background so that no page has to.

Every transaction is counted once, when nothing can be recorded before it any more.
"""

from datetime import timedelta
from threading import Event as Flag
from typing import Any

import structlog
from django.db import Error, connection
from django.db.transaction import atomic

from transactions.models import Figures
from transactions.queries import SETTLED_AFTER

ROWS = 20_000  # counted per commit
BIGGEST = 5  # accounts of each currency
BIGGEST_EVERY = timedelta(minutes=10)
PAUSE_SECONDS = 5.0

logger = structlog.get_logger(__name__)

# The end of the next slice: so many rows on, or up to where nothing is in flight any more.
FIND_END = """
SELECT coalesce(
    (SELECT recorded_at FROM transactions_transaction
     WHERE recorded_at > %(after)s AND recorded_at <= clock_timestamp() - %(settled)s
     ORDER BY recorded_at, id OFFSET %(rows)s LIMIT 1),
    clock_timestamp() - %(settled)s
)
"""
COUNT = """
INSERT INTO transactions_hourlytotal AS total (hour, currency, type, outcome, count, amount)
SELECT date_trunc('hour', row.recorded_at, 'UTC'), account.currency, row.type,
    coalesce(row.decline_reason, 'posted'), count(*), sum(row.amount)
FROM transactions_transaction AS row JOIN accounts_account AS account ON account.id = row.account_id
WHERE row.recorded_at > %(after)s AND row.recorded_at <= %(end)s
GROUP BY 1, 2, 3, 4
ON CONFLICT (hour, currency, type, outcome)
DO UPDATE SET count = total.count + EXCLUDED.count, amount = total.amount + EXCLUDED.amount
"""
FIND_BIGGEST = """
SELECT currency,
    json_agg(json_build_object('account', id, 'balance', balance::text) ORDER BY balance DESC, id)
FROM (
    SELECT id, currency, balance, row_number() OVER (PARTITION BY currency ORDER BY balance DESC, id) AS place
    FROM accounts_account WHERE balance > 0
) AS ranked
WHERE place <= %s GROUP BY currency
"""


def keep(stopping: Flag) -> None:
    """Until told to stop: count what is new, and look for the biggest accounts now and then."""
    while not stopping.is_set():
        try:
            while refresh() and not stopping.is_set():
                pass
        except Error as error:
            logger.warning("figures_wait_for_the_database", error=str(error).strip())
        connection.close()
        stopping.wait(PAUSE_SECONDS)


def refresh() -> bool:
    """Count a slice; whether there may be more. Somebody else who is at it is left alone."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO transactions_figures (id, counted_through, biggest) VALUES (1, 'epoch', '{}')"
            " ON CONFLICT DO NOTHING"
        )
        figures = Figures.objects.select_for_update(skip_locked=True).first()
        if figures is None:
            return False
        parameters: dict[str, Any] = {
            "after": figures.counted_through,
            "settled": SETTLED_AFTER,
            "rows": ROWS,
        }
        cursor.execute(FIND_END, parameters)
        [end] = cursor.fetchone()
        cursor.execute(COUNT, {**parameters, "end": end})
        cursor.execute("SELECT clock_timestamp()")
        [clock] = cursor.fetchone()
        figures.counted_through = end
        if figures.biggest_at is None or clock - figures.biggest_at > BIGGEST_EVERY:
            cursor.execute(FIND_BIGGEST, [BIGGEST])
            figures.biggest, figures.biggest_at = dict(cursor.fetchall()), clock
        figures.save()
        return bool(end < clock - 2 * SETTLED_AFTER)

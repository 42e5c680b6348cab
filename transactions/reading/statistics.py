"""The dashboard's numbers of the whole ledger, counted in the background so that no page has to.

Every transaction is counted once: in the commit that moves `counted_through` past its `recorded_at`, and only
when nothing can be recorded before that moment any more. No statement here is long, however big the ledger.
"""

import time
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Event as Flag
from typing import Any

import structlog
from django.db import connection
from django.db.models import Exists, Q
from django.db.models.functions import Now
from django.db.transaction import atomic

from accounts.models import Account
from accounts.operations import read_clock
from ledger.logs import describe_error
from ledger.sql import fetch
from transactions.models import Figures, HourlyTotal
from transactions.reading.queries import SETTLED_AFTER

ROWS = 20_000  # transactions counted per commit, accounts looked at per statement
BIGGEST = 5  # accounts of each currency
BIGGEST_EVERY = timedelta(minutes=10)
BIGGEST_AGAIN = timedelta(seconds=30)  # if there was no money yet, and some has moved since
PAUSE_SECONDS = 5.0
FLIGHT_SECONDS_MAX = 2.0  # waited for postings in flight, before it is tried again later
POLL_SECONDS = 0.02

logger = structlog.get_logger(__name__)

# A posting locks its account before it reads the clock: while it is in flight it shows here, whoever made it
# and however long it takes.
FIND_IN_FLIGHT = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'accounts_account'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode IN ('RowShareLock', 'RowExclusiveLock') AND pid IS DISTINCT FROM pg_backend_pid()
"""
BEGIN = """
INSERT INTO transactions_figures (id, counted_through, biggest, held) VALUES (1, 'epoch', '{}', '{}')
ON CONFLICT DO NOTHING
"""
# The end of the next slice: so many rows on, or where all is counted.
FIND_END = """
SELECT coalesce(
    (SELECT recorded_at FROM transactions_transaction
     WHERE recorded_at > %(after)s AND recorded_at <= %(through)s
     ORDER BY recorded_at, id OFFSET %(rows)s LIMIT 1),
    %(through)s
)
"""
COUNT = """
INSERT INTO transactions_hourlytotal AS total (hour, currency, type, outcome, count, amount, late)
SELECT date_trunc('hour', row.recorded_at, 'UTC'), account.currency, row.type,
    coalesce(row.decline_reason, 'posted'), count(*), sum(row.amount), count(*) FILTER (WHERE row.late)
FROM transactions_transaction AS row JOIN accounts_account AS account ON account.id = row.account_id
WHERE row.recorded_at > %(after)s AND row.recorded_at <= %(end)s
GROUP BY 1, 2, 3, 4
ON CONFLICT (hour, currency, type, outcome)
DO UPDATE SET count = total.count + EXCLUDED.count, amount = total.amount + EXCLUDED.amount,
    late = total.late + EXCLUDED.late
"""
FIND_BIGGEST = """
SELECT currency, balance, id::text FROM (
    SELECT currency, balance, id, row_number() OVER (PARTITION BY currency ORDER BY balance DESC, id) AS place
    FROM accounts_account WHERE id > %s AND id <= %s AND balance > 0
) AS ranked
WHERE place <= %s
"""
SUM_HELD = """
SELECT currency, sum(held) FROM accounts_account WHERE id > %s AND id <= %s AND held > 0 GROUP BY currency
"""
FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
READ_TOTALS = """
SELECT min(id) AS id, date_trunc(%s, hour, 'UTC') AS hour, currency, type, outcome,
    sum(count)::bigint AS count, sum(amount) AS amount
FROM transactions_hourlytotal WHERE hour >= %s GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
"""


def keep(stopping: Flag) -> None:
    """`refresh` every few seconds until told to stop. Meant for a thread of its own: whatever goes wrong is
    tried again later.
    """
    try:
        while not stopping.is_set():
            attempt(stopping)
            stopping.wait(PAUSE_SECONDS)
    finally:
        connection.close()


def attempt(stopping: Flag) -> None:
    """`refresh`; what goes wrong is logged and left for the next time, since others have more urgent work."""
    try:
        refresh(stopping)
    except Exception as error:  # whatever it is, whoever counts must go on and nobody else be stopped
        logger.warning("figures_wait", error=describe_error(error))
        connection.close_if_unusable_or_obsolete()


def refresh(stopping: Flag) -> None:
    """Count all that is due, and look for the biggest accounts if that was long ago; ends early when told."""
    through = _find_settled(stopping)
    while through and not stopping.is_set() and _count_slice(through):
        pass
    has_moved = Exists(HourlyTotal.objects.filter(outcome="posted"))
    is_old = Q(biggest_at=None) | Q(biggest_at__lte=Now() - BIGGEST_EVERY)
    was_empty = Q(has_moved, biggest={}, biggest_at__lte=Now() - BIGGEST_AGAIN)
    old = Figures.objects.filter(is_old | was_empty, id=1)
    if not stopping.is_set() and old.exists():
        began_at = read_clock()
        biggest, held = _look_at_accounts(stopping)
        if not stopping.is_set():
            Figures.objects.filter(id=1).update(biggest=biggest, held=held, biggest_at=began_at)


def _find_settled(stopping: Flag) -> datetime | None:
    """The moment before which nothing can be recorded any more; None while a posting from before it may."""
    through = read_clock() - SETTLED_AFTER
    deadline = time.monotonic() + FLIGHT_SECONDS_MAX
    waited_for = set(fetch(FIND_IN_FLIGHT))
    while waited_for:
        if time.monotonic() > deadline or stopping.wait(POLL_SECONDS):
            return None
        waited_for &= set(fetch(FIND_IN_FLIGHT))
    return through


@atomic
def _count_slice(through: datetime) -> bool:
    """Count the next rows, in a commit of their own; whether there are more. While somebody else does it,
    nothing is done.
    """
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        figures = Figures.objects.select_for_update(skip_locked=True).first()
        if figures is None or not figures.counted_through or figures.counted_through >= through:
            return False
        window: dict[str, Any] = {"after": figures.counted_through, "through": through, "rows": ROWS - 1}
        [[end]] = fetch(FIND_END, window)
        cursor.execute(COUNT, {**window, "end": end})
        figures.counted_through = end
        figures.save(update_fields=["counted_through"])
    return bool(end < through)


def _look_at_accounts(stopping: Flag) -> tuple[dict[str, list[str]], dict[str, str]]:
    """By currency, the ids of the accounts with the highest balances above zero, the highest first; and how
    much is set aside.

    There is no index of balances, which would make every posting dearer. So it looks at all accounts, in
    pieces: a statement over all of them would be too long, and its snapshot would keep dead rows for a while.
    """
    found: dict[str, list[tuple[Decimal, str]]] = {}
    held: dict[str, Decimal] = {}
    after = FIRST
    while after != LAST and not stopping.is_set():
        far = fetch(
            "SELECT id FROM accounts_account WHERE id > %s ORDER BY id OFFSET %s LIMIT 1", [after, ROWS]
        )
        last = far[0][0] if far else LAST
        for currency, balance, id in fetch(FIND_BIGGEST, [after, last, BIGGEST]):
            found.setdefault(currency, []).append((balance, id))
        for currency, amount in fetch(SUM_HELD, [after, last]):
            held[currency] = held.get(currency, Decimal(0)) + amount
        for places in found.values():
            places.sort(key=lambda place: (-place[0], place[1]))
            del places[BIGGEST:]
        after = last
    biggest = {currency: [id for _, id in places] for currency, places in found.items()}
    return biggest, {currency: format(amount, "f") for currency, amount in held.items()}


def read_totals(*, since: datetime, each: str) -> list[HourlyTotal]:
    """What was counted since an hour, by `each` "hour" or "day" of UTC; a day's `hour` is its first."""
    return list(HourlyTotal.objects.raw(READ_TOTALS, [each, since]))


def read_biggest(figures: Figures | None) -> list[Account]:
    """The biggest accounts by currency, each with the name of its `holder`.

    Their balances are of this moment, and may have changed places.
    """
    ids = [id for found in figures.biggest.values() for id in found] if figures else []
    return list(
        Account.objects.raw(
            "SELECT account.id, user_id, account.name, currency, status, balance,"
            " coalesce(nullif(holder.name, ''), holder.username) AS holder"
            " FROM accounts_account AS account JOIN accounts_user AS holder ON holder.id = user_id"
            " WHERE account.id = ANY(%s::uuid[]) ORDER BY currency, balance DESC, account.id",
            [ids],
        )
    )

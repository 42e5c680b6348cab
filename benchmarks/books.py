"""Before the runs: accounts with funds. After them: do the books still add up?"""

import random
import time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import uuid_utils.compat
from django.db import connection

from accounts import operations
from benchmarks.floor import Figures
from transactions import posting
from transactions.models import Transaction
from transactions.orders import Order

SLICE = 1000
FUNDS = Decimal(1_000_000)
WRONG = """
SELECT count(*) FROM accounts_account AS account
LEFT JOIN LATERAL (
    SELECT count(*) AS rows,
        coalesce(sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END), 0) AS balance
    FROM transactions_transaction WHERE account_id = account.id AND status = 'POSTED'
) AS history ON true
WHERE account.balance <> history.balance OR account.version <> history.rows OR account.balance < 0
"""


def make_accounts(count: int, file: Path) -> None:
    """`count` accounts, each with funds, posted by the engine; their ids, one in a line, in `file`."""
    ids = []
    for number in range(count):
        user, _ = operations.create_user(
            id=uuid_utils.compat.uuid7(), name=f"bench {number}", request_id="bench"
        )
        ids.append(user.accounts.get().id)
    for first in range(0, count, SLICE):
        orders = [
            Order(
                id=uuid_utils.compat.uuid7(),
                account_id=id,
                type=Transaction.Type.DEPOSIT,
                amount=FUNDS,
            )
            for id in ids[first : first + SLICE]
        ]
        posting.post(orders, actor=ids[0])
    file.write_text("".join(f"{id}\n" for id in ids))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE accounts_account, transactions_transaction")


def run_batches(file: Path, *, seconds: int) -> Figures:
    """Batches of a thousand in this process, one after the other, over the accounts in the file."""
    ids = [UUID(line) for line in file.read_text().split()]
    times: list[float] = []
    while sum(times) < seconds:
        orders = [
            Order(
                id=uuid_utils.compat.uuid7(), account_id=id, type=Transaction.Type.DEPOSIT, amount=Decimal(1)
            )
            for id in random.choices(ids, k=SLICE)  # noqa: S311, not a secret
        ]
        began = time.perf_counter()
        posting.post(orders, actor=ids[0])
        times.append(time.perf_counter() - began)
    times.sort()
    at = (times[len(times) // 2], times[len(times) * 99 // 100])
    return Figures(SLICE * len(times) / sum(times), *(moment * 1000 for moment in at))


def count_transactions() -> int:
    return Transaction.objects.count()


def count_wrong_accounts() -> int:
    """Accounts whose balance or version is not what their transactions add up to, or that are below zero."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG)
        wrong: int = cursor.fetchone()[0]
    return wrong

"""The audit of lists: each as it was written, by its MAC; what names a list has one, and an atomic one was
posted whole or not at all.
"""

from collections.abc import Iterator
from typing import Any

from ledger import macs
from ledger.sql import fetch
from transactions.models import Batch

AT_ONCE = 1000  # lists that are read
# What was decided of lists, and the lists. What was collected at the end of one is of it, but no part of it.
MEMBERS = """
WITH members AS MATERIALIZED (
    SELECT batch, account_id, 'transactions_transaction' AS name, id, recorded_at,
        status = 'POSTED' AS is_done, claim IS NULL AS is_asked
    FROM transactions_transaction WHERE batch IS NOT NULL
    UNION ALL
    SELECT batch, account_id, 'accounts_hold', id, created_at, status <> 'DECLINED', true
    FROM accounts_hold WHERE batch IS NOT NULL
    UNION ALL
    SELECT batch, account_id, 'accounts_claim', id, created_at, status <> 'DECLINED', true
    FROM accounts_claim WHERE batch IS NOT NULL
)
SELECT NULL::uuid, 'transactions_batch', batch::text, concat('the list that ', count(*), ' rows name'), 'none'
FROM members LEFT JOIN transactions_batch AS list ON list.id = batch WHERE list.id IS NULL GROUP BY batch
UNION ALL
SELECT account_id, name, members.id::text, concat('recorded with its list ', batch, ', or later'),
    concat('list recorded at ', list.recorded_at)
FROM members JOIN transactions_batch AS list ON list.id = batch
WHERE members.recorded_at < list.recorded_at
UNION ALL
SELECT NULL, 'transactions_batch', batch::text, 'all of it posted, or nothing',
    concat(count(*) FILTER (WHERE is_done), ' of ', count(*))
FROM members JOIN transactions_batch AS list ON list.id = batch
WHERE atomic AND is_asked GROUP BY batch HAVING count(DISTINCT is_done) > 1
"""

# As `audit_sql.Wrong` has it.
Wrong = tuple[Any, str, str, str, str]


def find_wrong_batches(parameters: dict[str, Any]) -> Iterator[Wrong]:
    """Every list once, streamed, and then what is wrong with what was decided of them."""
    for batch in Batch.objects.order_by("id").iterator(chunk_size=AT_ONCE):
        if not macs.is_right(bytes(batch.mac), "batch", *batch.sealed):
            yield None, "transactions_batch", str(batch.id), "the MAC of this list", "another"
    yield from fetch(MEMBERS)

"""The walk of the audit, as SQL: every row of some accounts once, in the order of the chain.

What can be seen from one row and those before it is decided here. What the chain's hash is made of is handed
out as bytes, in the canonical form of `posting.chain`, because the database does not know the key.
"""

from accounts.models.tables import write_canonical, write_texts
from transactions.models import SIGNED_AMOUNT, TABLE

# What may be wrong with a row: bits of its flags, with the name of the check and what it expects.
FLAGS = {
    1: ("sequence", "the version after that of the posted row before it"),
    2: ("running", "the balance of the posted row before it, and its own amount"),
    4: ("order", "effective no later than recorded"),
    8: ("late", "late when something effective later was posted before it, else not"),
    16: ("below", "a balance no lower than the highest credit limit allows"),
    32: ("account", "an account whose balance, version, times and chain are those of this, its last row"),
}

# Accounts from one id to another; with `since`, of those that changed after it only the rows that came after,
# beginning with what the one before them left. Each account's rows are read in the order of an index, so that
# nothing is sorted, and they stay together: a materialized CTE is never divided among parallel workers.
WALK = f"""
WITH scope AS MATERIALIZED (
    SELECT account.id, balance, account.version, last_recorded_at, last_effective_at, chain_head,
        credit_limit_max,
        coalesce(seed.recorded_at, '-infinity') AS begins_after, coalesce(seed.chain_hash, '') AS seed_hash,
        coalesce(base.version, 0) AS base_version, coalesce(base.balance_after, 0) AS base_balance,
        base_effect.effective_at AS base_effective_at, (
            SELECT max(recorded_at) FROM transactions_transaction WHERE account_id = account.id
        ) AS ends_at
    FROM accounts_account AS account
    LEFT JOIN LATERAL (
        SELECT recorded_at, chain_hash FROM transactions_transaction
        WHERE account_id = account.id AND recorded_at <= %(since)s ORDER BY recorded_at DESC LIMIT 1
    ) AS seed ON true
    LEFT JOIN LATERAL (
        SELECT version, balance_after FROM transactions_transaction
        WHERE account_id = account.id AND status = 'POSTED' AND recorded_at <= seed.recorded_at
        ORDER BY recorded_at DESC LIMIT 1
    ) AS base ON true
    LEFT JOIN LATERAL (
        SELECT effective_at FROM transactions_transaction
        WHERE account_id = account.id AND status = 'POSTED' AND NOT late AND version <= base.version
        ORDER BY effective_at DESC, version DESC LIMIT 1
    ) AS base_effect ON true
    WHERE account.id BETWEEN %(first)s AND %(last)s
        AND (last_recorded_at > %(since)s OR last_recorded_at IS NULL)
)
SELECT uuid_send(scope.id), uuid_send(t.id),
    CASE WHEN is_posted AND t.version <> base_version + posted_before + 1 THEN 1 ELSE 0 END
    + CASE WHEN is_posted AND balance_after <> base_balance + moved_before + change THEN 2 ELSE 0 END
    + CASE WHEN effective_at > recorded_at THEN 4 ELSE 0 END
    + CASE WHEN late <> coalesce(effective_at < greatest(base_effective_at, latest_before), false)
        THEN 8 ELSE 0 END
    + CASE WHEN is_posted AND balance_after < -credit_limit_max THEN 16 ELSE 0 END
    + CASE WHEN recorded_at = ends_at AND (
        (balance, scope.version, last_recorded_at, chain_head, last_effective_at) IS DISTINCT FROM (
            base_balance + moved_before + CASE WHEN is_posted THEN change ELSE 0 END,
            base_version + posted_before + is_posted::int, recorded_at, chain_hash,
            greatest(base_effective_at, latest_before, CASE WHEN is_posted THEN effective_at END))
    ) THEN 32 ELSE 0 END,
    seed_hash, chain_hash, convert_to(
        concat({", ".join(write_canonical(column, "t") for column in TABLE.hashed)}), 'UTF8'
    )
FROM scope CROSS JOIN LATERAL (
    SELECT *, {write_texts(TABLE.hashed)},
        count(*) FILTER (WHERE is_posted) OVER before AS posted_before,
        coalesce(sum(change) FILTER (WHERE is_posted) OVER before, 0) AS moved_before,
        max(effective_at) FILTER (WHERE is_posted) OVER before AS latest_before
    FROM transactions_transaction CROSS JOIN LATERAL (
        SELECT status = 'POSTED' AS is_posted, {SIGNED_AMOUNT} AS change
    ) AS facts
    WHERE account_id = scope.id AND recorded_at > begins_after
    WINDOW before AS (ORDER BY recorded_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS t
"""  # noqa: S608, no value is in the text

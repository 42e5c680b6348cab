"""The walk of the audit, as SQL: every row of some accounts once, in the order of the chain.

What can be seen from one row and those before it is decided here. What the chain's hash is made of is handed
out as bytes, in the canonical form of `models.chain`, because the database does not know the key.
"""

from collections.abc import Mapping

from accounts.models.tables import Form, write_texts

# What may be wrong with a row: bits of its flags, with the name of the check and what it expects.
FLAGS = {
    1: (
        "sequence",
        "the number after that of the row before it, and the version after that of the posted one",
    ),
    2: ("running", "the balance of the row before it, and its own amount"),
    4: ("order", "recorded after the row before it, and effective no later"),
    8: ("late", "late when something effective later was posted before it, else not"),
    16: ("below", "a balance no lower than the highest credit limit allows"),
    32: (
        "account",
        "an account whose balance, numbers, last effect and chain are those of this, its last row",
    ),
}

# Accounts from one id to another; with `since`, of those that changed after it only the rows that came after,
# beginning with what the one before them left. Each account's rows are read in the order of an index, so that
# nothing is sorted, and they stay together: a materialized CTE is never divided among parallel workers.
# TEXTS, FORMS: the columns that the forms of `models.chain` have as texts, and each form by its number.
WALK = """
WITH scope AS MATERIALIZED (
    SELECT account.id, balance, account.version, account.seq, last_recorded_at, last_effective_at, chain_head,
        credit_limit_max,
        coalesce(seed.seq, 0) AS begins_after, coalesce(seed.chain_hash, '') AS seed_hash,
        coalesce(base.version, 0) AS base_version, coalesce(base.balance_after, 0) AS base_balance,
        base_effect.effective_at AS base_effective_at, (
            SELECT max(seq) FROM transactions_transaction WHERE account_id = account.id
        ) AS ends_at
    FROM accounts_account AS account
    LEFT JOIN LATERAL (
        SELECT seq, chain_hash FROM transactions_transaction
        WHERE account_id = account.id AND recorded_at <= %(since)s ORDER BY recorded_at DESC LIMIT 1
    ) AS seed ON true
    LEFT JOIN LATERAL (
        SELECT seq, version, balance_after FROM transactions_transaction
        WHERE account_id = account.id AND status = 'POSTED' AND seq <= seed.seq ORDER BY seq DESC LIMIT 1
    ) AS base ON true
    LEFT JOIN LATERAL (
        SELECT effective_at FROM transactions_transaction
        WHERE account_id = account.id AND status = 'POSTED' AND NOT late AND seq <= base.seq
        ORDER BY effective_at DESC, seq DESC LIMIT 1
    ) AS base_effect ON true
    WHERE account.id BETWEEN %(first)s AND %(last)s
        AND last_recorded_at > %(since)s
)
SELECT uuid_send(scope.id), uuid_send(t.id),
    CASE WHEN t.seq <> begins_after + rows_before + 1
        OR t.version IS DISTINCT FROM CASE WHEN is_posted THEN base_version + posted_before + 1 END
        THEN 1 ELSE 0 END
    + CASE WHEN balance_after <> base_balance + moved_before + coalesce(change, 0) THEN 2 ELSE 0 END
    + CASE WHEN effective_at > recorded_at OR recorded_at <= recorded_before THEN 4 ELSE 0 END
    + CASE WHEN late <> coalesce(effective_at < greatest(base_effective_at, latest_before), false)
        THEN 8 ELSE 0 END
    + CASE WHEN balance_after < -credit_limit_max THEN 16 ELSE 0 END
    + CASE WHEN t.seq = ends_at AND (
        (balance, scope.seq, scope.version, chain_head, last_effective_at)
        IS DISTINCT FROM (
            base_balance + moved_before + coalesce(change, 0), t.seq,
            base_version + posted_before + is_posted::int, chain_hash,
            greatest(base_effective_at, latest_before, CASE WHEN is_posted THEN effective_at END))
    ) THEN 32 ELSE 0 END,
    seed_hash, chain_format, chain_hash, convert_to(CASE chain_format FORMS END, 'UTF8')
FROM scope CROSS JOIN LATERAL (
    SELECT *, TEXTS,
        count(*) OVER before AS rows_before,
        count(change) OVER before AS posted_before,
        coalesce(sum(change) OVER before, 0) AS moved_before,
        max(recorded_at) OVER before AS recorded_before,
        max(effective_at) FILTER (WHERE is_posted) OVER before AS latest_before
    FROM transactions_transaction CROSS JOIN LATERAL (
        SELECT status = 'POSTED' AS is_posted
    ) AS facts
    WHERE account_id = scope.id AND seq > begins_after
    WINDOW before AS (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS t
"""


def write_walk(forms: Mapping[int, Form]) -> str:
    """The walk along rows in these forms. The body of a row in another one is null."""
    columns = dict.fromkeys(column for form in forms.values() for column in form.columns)
    bodies = " ".join(f"WHEN {number} THEN {form.write_sql('t')}" for number, form in forms.items())
    return WALK.replace("TEXTS", write_texts(columns)).replace("FORMS", bodies)

"""What the audit asks of claims: that what is owed is what they have left, that nothing is free meanwhile,
and that what was collected was taken for them and reached who is to be paid.
"""

OWED = """
SELECT account.id, 'accounts_account', account.id::text, concat('owed ', coalesce(rest, 0)),
    concat('owed ', owed)
FROM accounts_account AS account
LEFT JOIN (
    SELECT account_id, sum(amount - collected) AS rest FROM accounts_claim WHERE status = 'OPEN'
        AND account_id BETWEEN %(first)s AND %(last)s
    GROUP BY account_id
) AS claims ON account_id = account.id
WHERE account.id BETWEEN %(first)s AND %(last)s AND owed <> coalesce(rest, 0)
"""
# An account that owes has nothing free, but for claims that nobody could be paid for. What accounts owe each
# other, in a circle, may come to rest before all of it is paid.
FREE = """
SELECT account.id, 'accounts_account', account.id::text, 'nothing that is free, as long as it owes',
    concat('balance ', account.balance, ', held ', account.held, ', owed ', account.owed)
FROM accounts_account AS account
WHERE account.id BETWEEN %(first)s AND %(last)s AND account.owed > 0 AND account.balance > account.held
    AND EXISTS (
        SELECT FROM accounts_claim AS claim
        LEFT JOIN accounts_account AS payee ON payee.id = claim.destination
        WHERE claim.account_id = account.id AND claim.status = 'OPEN' AND (
            claim.destination IS NULL OR payee.status <> 'CLOSED' AND payee.balance + least(
                account.balance - account.held, claim.amount - claim.collected
            ) <= 1000000000000000 AND payee.last_recorded_at <= account.last_recorded_at
            AND NOT EXISTS (
                WITH RECURSIVE paid (id) AS (
                    SELECT payee.id
                    UNION
                    SELECT other.destination FROM paid
                    JOIN accounts_claim AS other ON other.account_id = paid.id
                    WHERE other.status <> 'DECLINED' AND other.destination IS NOT NULL
                )
                SELECT FROM paid WHERE id = account.id
            )
        )
    )
"""
COLLECTED = """
SELECT coalesce(claim.account_id, taken.account_id), 'accounts_claim',
    coalesce(claim.id, taken.claim)::text,
    concat('collected ', coalesce(total, 0), ' by ', coalesce(many, 0), ' withdrawals of its account'),
    coalesce(concat('collected ', claim.collected, ' by ', claim.collections), 'no such claim')
FROM accounts_claim AS claim
FULL JOIN (
    SELECT claim, account_id, sum(amount) AS total, count(*) AS many FROM transactions_transaction
    WHERE claim IS NOT NULL AND type = 'WITHDRAW' AND status = 'POSTED' GROUP BY claim, account_id
) AS taken ON taken.claim = claim.id AND taken.account_id = claim.account_id
WHERE claim.id IS NULL OR (claim.collected, claim.collections) <> (coalesce(total, 0), coalesce(many, 0))
UNION ALL
SELECT taken.account_id, 'transactions_transaction', taken.id::text,
    concat_ws(' ', 'a collection that is posted, and takes back, captures or reverses nothing; on',
        CASE taken.type WHEN 'WITHDRAW' THEN claim.account_id ELSE claim.destination END,
        CASE WHEN claim.destination IS NULL THEN 'alone' ELSE 'with the other leg of a transfer' END),
    concat_ws(' ', taken.status, 'on', taken.account_id, CASE WHEN taken.transfer IS NULL THEN 'alone'
        WHEN other.id IS NULL THEN 'without the other leg' END)
FROM transactions_transaction AS taken
LEFT JOIN accounts_claim AS claim ON claim.id = taken.claim
LEFT JOIN transactions_transaction AS other
    ON other.transfer = taken.transfer AND other.type <> taken.type AND other.claim = taken.claim
WHERE taken.claim IS NOT NULL AND (
    taken.status <> 'POSTED' OR taken.reverses IS NOT NULL OR taken.hold IS NOT NULL
    OR taken.effective_at <> taken.recorded_at OR taken.actor_kind <> 'ledger'
    OR taken.account_id IS DISTINCT FROM
        CASE taken.type WHEN 'WITHDRAW' THEN claim.account_id ELSE claim.destination END
    OR (claim.destination IS NULL) <> (taken.transfer IS NULL)
    OR taken.transfer IS NOT NULL AND other.id IS NULL
)
"""

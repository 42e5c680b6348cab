"""What the audit asks of transfers, of what was taken back, and of all the money there is."""

TRANSFERS = """
SELECT (array_agg(account_id))[1], 'transactions_transaction',
    (array_agg(leg.id ORDER BY type DESC))[1]::text,
    'two legs: a WITHDRAW and a DEPOSIT, of one status, moment and list, on two accounts, of one amount'
        ' unless they have two currencies',
    string_agg(concat_ws(' ', type, amount, currency, leg.status, leg.recorded_at), '; ' ORDER BY type DESC)
FROM transactions_transaction AS leg JOIN accounts_account AS account ON account.id = account_id
WHERE transfer IN (SELECT transfer FROM transactions_transaction
    WHERE transfer IS NOT NULL AND recorded_at > %(since)s)
GROUP BY transfer
HAVING count(*) <> 2 OR count(DISTINCT type) <> 2 OR count(DISTINCT account_id) <> 2
    OR count(DISTINCT (leg.status, leg.recorded_at, leg.batch)) <> 1
    OR count(DISTINCT currency) = 1 AND count(DISTINCT amount) <> 1
"""
# Each reversal by itself; then what it takes back: never more than there was, and of a transfer one leg has
# something left as long as the other has.
REVERSALS = """
WITH parts AS MATERIALIZED (
    SELECT * FROM transactions_transaction WHERE status = 'POSTED' AND reverses IN (
        SELECT reverses FROM transactions_transaction
        WHERE status = 'POSTED' AND reverses IS NOT NULL AND recorded_at > %(since)s
    )
), given AS (
    SELECT row.id, account_id, transfer, amount, sum AS taken
    FROM (SELECT reverses, sum(amount) FROM parts GROUP BY reverses) AS sums
    JOIN transactions_transaction AS row ON row.id = sums.reverses
)
SELECT taken.account_id, 'transactions_transaction', taken.id::text,
    'the opposite of a posted transaction of the same account that is no reversal itself, not before it, and'
        ' of the amount that was asked for',
    concat_ws(' ', 'reverses', taken.reverses, given.type, given.amount, given.status, given.effective_at,
        'asked for', taken.amount_asked)
FROM parts AS taken LEFT JOIN transactions_transaction AS given ON given.id = taken.reverses
WHERE (
    given.account_id, given.status, given.type <> taken.type, given.reverses IS NULL,
    given.effective_at <= taken.effective_at, coalesce(taken.amount_asked, taken.amount)
) IS DISTINCT FROM (taken.account_id, 'POSTED', true, true, true, taken.amount)
UNION ALL
SELECT account_id, 'transactions_transaction', id::text, concat('at most ', amount, ' taken back of it'),
    taken::text
FROM given WHERE taken > amount
UNION ALL
SELECT (array_agg(account_id))[1], 'transactions_transaction', transfer::text,
    'two legs that were taken back whole, or of which both have something left',
    string_agg(concat(taken, ' of ', amount), '; ')
FROM given WHERE transfer IS NOT NULL GROUP BY transfer
HAVING count(*) <> 2 OR bool_or(taken = amount) <> bool_and(taken = amount)
"""
# Of each currency: what came from outside less what went there, and what was exchanged in less what was
# exchanged out.
MONEY = """
WITH exchanges AS (
    SELECT max(currency) FILTER (WHERE type = 'WITHDRAW') AS sold,
        sum(change) FILTER (WHERE type = 'WITHDRAW') AS gone,
        max(currency) FILTER (WHERE type = 'DEPOSIT') AS bought,
        sum(change) FILTER (WHERE type = 'DEPOSIT') AS come
    FROM transactions_transaction AS leg JOIN accounts_account AS account ON account.id = account_id
    WHERE transfer IS NOT NULL AND leg.status = 'POSTED'
    GROUP BY transfer HAVING min(currency) <> max(currency)
), exchanged AS (
    SELECT currency, sum(change) AS exchanged FROM (
        SELECT sold AS currency, gone AS change FROM exchanges UNION ALL SELECT bought, come FROM exchanges
    ) AS legs GROUP BY currency
)
SELECT NULL::uuid, 'accounts_account', currency,
    concat('balances that add up to ', coalesce(outside, 0) + coalesce(exchanged, 0)), inside::text
FROM (
    SELECT currency, sum(balance) AS inside, sum(outside) AS outside FROM accounts_account
    LEFT JOIN (
        SELECT account_id, sum(change) AS outside
        FROM transactions_transaction WHERE status = 'POSTED' AND transfer IS NULL GROUP BY account_id
    ) AS moves ON account_id = id
    GROUP BY currency
) AS totals LEFT JOIN exchanged USING (currency)
WHERE inside <> coalesce(outside, 0) + coalesce(exchanged, 0)
"""

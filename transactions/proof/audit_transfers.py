"""What the audit asks of money that went from one account to another, and of all the money there is."""

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

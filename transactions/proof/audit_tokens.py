"""What the audit asks of tokens: whether each is what the record tells of its issue, and of its end."""

TOKENS = """
WITH ended AS (
    SELECT subject_id AS token_key, min(data -> 'after' ->> 'revoked_at') AS revoked_at
    FROM events_recordentry WHERE type = 'token.revoked' GROUP BY subject_id
), told AS (
    SELECT subject_id AS token_key, concat(
        'user ', after ->> 'user', ', created at ', after ->> 'created_at', ', expires at ',
        coalesce(after ->> 'expires_at', 'no time'), ', permissions ', after -> 'permissions', ', accounts ',
        coalesce(after ->> 'account_names', 'all'), ', types ', coalesce(after ->> 'types', 'all'),
        ', amounts to ', coalesce(after ->> 'amount_max', 'any'), ', revoked at ',
        coalesce(revoked_at, 'no time')
    ) AS words
    FROM (
        SELECT subject_id, data -> 'after' AS after FROM events_recordentry WHERE type = 'token.issued'
    ) AS issued LEFT JOIN ended ON token_key = subject_id
), times AS (
    SELECT *,
        to_char(created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_text,
        to_char(expiry AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS expiry_text,
        to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS revoked_text
    FROM (
        SELECT token_key, user_id, created, expiry, permissions, account_names, types, amount_max, revoked_at
        FROM accounts_token
    ) AS token
), tokens AS (
    SELECT token_key, concat(
        'user ', user_id, ', created at ', created_text, ', expires at ', coalesce(expiry_text, 'no time'),
        ', permissions ', permissions, ', accounts ', coalesce(account_names::text, 'all'), ', types ',
        coalesce(types::text, 'all'), ', amounts to ', coalesce(trim_scale(amount_max)::text, 'any'),
        ', revoked at ', coalesce(revoked_text, 'no time')
    ) AS words, count(*) OVER (PARTITION BY token_key) AS namesakes
    FROM times
)
SELECT NULL::uuid, 'accounts_token', token_key,
    coalesce(told.words, 'the entry of the record that says who issued it'),
    CASE WHEN namesakes > 1 THEN concat(namesakes, ' of them, ', tokens.words) ELSE tokens.words END
FROM tokens LEFT JOIN told USING (token_key)
WHERE namesakes > 1 OR tokens.words IS DISTINCT FROM told.words
UNION ALL
SELECT NULL, 'accounts_token', token_key, told.words, 'none'
FROM told LEFT JOIN tokens USING (token_key) WHERE tokens.token_key IS NULL
"""

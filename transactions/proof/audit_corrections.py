"""What the audit asks of corrections: the transaction or the claim that each became, or the claim that it
waived, and what the record tells of it.
"""

CORRECTIONS = """
WITH told AS MATERIALIZED (
    SELECT subject_id, type, actor, request_id, data -> 'after' AS after, content ->> 'reason' AS reason
    FROM events_recordentry LEFT JOIN events_text ON events_text.id = text
    WHERE subject = 'correction' AND type IN ('correction.proposed', 'correction.posted',
        'correction.declined', 'correction.approved', 'correction.rejected')
), made AS (
    SELECT subject_id, count(*) AS times, min(type) AS type, min(actor::text) AS actor,
        min(request_id) AS request_id, min(after::text)::jsonb AS after, min(reason) AS reason
    FROM told WHERE type NOT IN ('correction.approved', 'correction.rejected') GROUP BY subject_id
), decided AS (
    SELECT subject_id, count(*) AS times, min(type) AS type, min(actor::text) AS actor,
        min(after::text)::jsonb AS after, min(reason) AS reason
    FROM told WHERE type IN ('correction.approved', 'correction.rejected') GROUP BY subject_id
)
SELECT correction.account_id, 'transactions_correction', correction.id::text,
    CASE correction.status WHEN 'POSTED' THEN 'the posted transaction that it became'
        WHEN 'DECLINED' THEN 'the declined transaction that it became' ELSE 'no transaction' END,
    CASE WHEN became.status IS NULL THEN 'none'
        ELSE concat_ws(' ', became.status, became.type, became.amount, became.account_id, became.reverses,
            became.batch) END
FROM transactions_correction AS correction
CROSS JOIN LATERAL (SELECT correction.status IN ('POSTED', 'DECLINED') AS must_be_there) AS facts
LEFT JOIN LATERAL (
    SELECT account_id, type, amount, reverses, status, batch FROM transactions_transaction AS t
    WHERE t.id = correction.id OR transfer = correction.id
    ORDER BY t.account_id = correction.account_id DESC LIMIT 1
) AS became ON true
WHERE correction.kind NOT IN ('CLAIM', 'WAIVER')
    AND (became.status, became.account_id, became.type, became.amount, became.reverses, became.batch)
    IS DISTINCT FROM (
    CASE WHEN must_be_there THEN correction.status END,
    CASE WHEN must_be_there THEN correction.account_id END,
    CASE WHEN must_be_there THEN correction.type END,
    CASE WHEN must_be_there THEN correction.amount END,
    CASE WHEN must_be_there THEN correction.reverses END,
    CASE WHEN must_be_there THEN correction.batch END
)
UNION ALL
SELECT min(account_id::text)::uuid, 'transactions_correction', min(id::text),
    'a batch of as many as it has, asked for and decided together',
    concat_ws(' ', count(*), 'of', string_agg(DISTINCT batch_size::text, ', '), 'in the batch', batch)
FROM transactions_correction WHERE batch IS NOT NULL GROUP BY batch
HAVING count(*) <> min(batch_size) OR count(DISTINCT (
    batch_size, maker_id, made_at, request_id, reason, needs_approval, checker_id, decided_at,
    decision_reason, CASE WHEN status IN ('WAITING', 'REJECTED') THEN status END
)) > 1
UNION ALL
SELECT correction.account_id, 'transactions_correction', correction.id::text,
    CASE correction.status WHEN 'POSTED' THEN 'the claim that it opened'
        WHEN 'DECLINED' THEN 'the declined claim that it became' ELSE 'no claim' END,
    CASE WHEN claim.status IS NULL THEN 'none' ELSE concat_ws(
        ' ', claim.status, claim.amount, claim.account_id, claim.reason, claim.reference, claim.destination,
        claim.reverses
    ) END
FROM transactions_correction AS correction LEFT JOIN accounts_claim AS claim ON claim.id = correction.id
WHERE correction.kind = 'CLAIM' AND CASE WHEN correction.status IN ('POSTED', 'DECLINED') THEN (
        claim.status = 'DECLINED', claim.account_id, claim.amount, claim.reason, claim.reference,
        claim.reverses, CASE WHEN claim.reverses IS NULL THEN claim.destination END
    ) IS DISTINCT FROM (
        correction.status = 'DECLINED', correction.account_id, correction.amount, correction.reason,
        correction.reference, correction.reverses, correction.destination
    ) ELSE claim.id IS NOT NULL END
UNION ALL
SELECT correction.account_id, 'transactions_correction', correction.id::text,
    'an amount that its claim once had left, and if it is posted, that it was waived for this reason',
    CASE WHEN claim.id IS NULL THEN 'no such claim' ELSE concat_ws(
        ' ', claim.status, claim.account_id, claim.amount, 'collected', claim.collected, claim.waived_reason
    ) END
FROM transactions_correction AS correction LEFT JOIN accounts_claim AS claim ON claim.id = correction.claim
WHERE correction.kind = 'WAIVER' AND (
    claim.account_id = correction.account_id AND correction.amount <= claim.amount
    AND correction.status <> 'DECLINED' AND CASE WHEN correction.status = 'POSTED'
        THEN claim.waived_reason = correction.reason AND correction.amount >= claim.amount - claim.collected
        ELSE true END
) IS NOT TRUE
UNION ALL
SELECT account_id, 'transactions_correction', id::text,
    'decided by somebody other than its maker where it needs approval, by nobody else where it does not',
    concat_ws(' ', status, 'needs approval:', needs_approval, 'maker', maker_id, 'checker', checker_id)
FROM transactions_correction
WHERE CASE
    WHEN status = 'WAITING' THEN NOT needs_approval OR checker_id IS NOT NULL OR decided_at IS NOT NULL
    WHEN decided_at IS NULL THEN true
    WHEN status = 'REJECTED' THEN NOT needs_approval OR checker_id IS NULL
    WHEN needs_approval THEN checker_id IS NULL OR checker_id = maker_id
    ELSE checker_id IS NOT NULL
END
UNION ALL
SELECT account_id, 'transactions_correction', id::text, 'what the one entry of its making says',
    CASE WHEN times IS NULL THEN 'none' ELSE concat_ws(
        ' ', times, 'entries:', made.type, 'by', actor, after,
        CASE WHEN made.reason <> correction.reason THEN 'with another reason' END
    ) END
FROM transactions_correction AS correction LEFT JOIN made ON subject_id = id::text
WHERE times IS DISTINCT FROM 1 OR (
        made.type, actor, made.request_id, after ->> 'kind', after ->> 'account', after ->> 'type',
        (after ->> 'amount')::numeric, after ->> 'reference', after ->> 'reverses', after ->> 'claim',
        after ->> 'destination', after ->> 'batch', (after ->> 'place')::int, (after ->> 'batch_size')::int,
        (after ->> 'made_at')::timestamptz, (after ->> 'needs_approval')::boolean
    ) IS DISTINCT FROM (
        CASE WHEN needs_approval THEN 'correction.proposed' ELSE 'correction.' || lower(status) END,
        maker_id::text, correction.request_id, kind, account_id::text, correction.type,
        amount, reference, reverses::text, claim::text, destination::text, batch::text, place,
        batch_size, made_at, needs_approval
    )
    OR made.reason <> correction.reason
    OR NOT needs_approval AND (after ->> 'decided_at')::timestamptz IS DISTINCT FROM decided_at
UNION ALL
SELECT account_id, 'transactions_correction', id::text,
    CASE WHEN needs_approval AND status <> 'WAITING' THEN 'what the one entry of its deciding says'
        ELSE 'no decision of a second person' END,
    CASE WHEN times IS NULL THEN 'no entry' ELSE concat_ws(
        ' ', times, 'entries:', decided.type, 'by', actor, after,
        CASE WHEN decided.reason <> decision_reason THEN 'with another reason' END
    ) END
FROM transactions_correction AS correction LEFT JOIN decided ON subject_id = id::text
WHERE CASE WHEN needs_approval AND status <> 'WAITING' THEN
        times IS DISTINCT FROM 1 OR (
            decided.type, actor, after ->> 'status', (after ->> 'decided_at')::timestamptz
        ) IS DISTINCT FROM (
            CASE status WHEN 'REJECTED' THEN 'correction.rejected' ELSE 'correction.approved' END,
            checker_id::text, status, decided_at
        )
        OR status = 'REJECTED' AND decided.reason <> decision_reason
        OR status <> 'REJECTED' AND decision_reason <> ''
    ELSE times IS NOT NULL OR decision_reason <> ''
END
UNION ALL
SELECT NULL, 'transactions_correction', subject_id, 'the correction that an entry tells of', 'none'
FROM told WHERE NOT EXISTS (SELECT FROM transactions_correction WHERE id::text = subject_id)
GROUP BY subject_id
"""

"""What the audit asks of people who were forgotten: who has decided it, and that nothing else was erased."""

ERASURES = """
WITH told AS MATERIALIZED (
    SELECT subject_id, type, actor, data -> 'after' AS after,
        coalesce(content ->> 'after/reason', data -> 'after' ->> 'reason') AS asked_for,
        coalesce(content ->> 'reason', data ->> 'reason') AS reason
    FROM events_recordentry LEFT JOIN events_text ON events_text.id = text
    WHERE subject = 'erasure' AND starts_with(type, 'erasure.')
), asked AS (
    SELECT subject_id, count(*) AS times, min(after::text)::jsonb AS after, min(reason) AS reason
    FROM told WHERE type = 'erasure.asked' GROUP BY subject_id
), decided AS (
    SELECT subject_id, count(*) AS times, min(type) AS type, min(actor::text) AS actor,
        min(after::text)::jsonb AS after, min(asked_for) AS asked_for
    FROM told WHERE type <> 'erasure.asked' GROUP BY subject_id
)
SELECT NULL::uuid, 'accounts_erasure', id::text, 'what the one entry of its asking says',
    CASE WHEN times IS NULL THEN 'none' ELSE concat_ws(' ', times, 'entries:', after) END
FROM accounts_erasure AS erasure LEFT JOIN asked ON subject_id = id::text
WHERE (times, after ->> 'user', after ->> 'asked_by', (after ->> 'asked_at')::timestamptz)
        IS DISTINCT FROM (1, user_id::text, maker_id::text, asked_at)
    OR asked.reason <> erasure.reason
    OR status <> 'DONE' AND asked.reason IS NULL AND erasure.reason <> '[erased]'
UNION ALL
SELECT NULL, 'accounts_erasure', id::text,
    CASE status WHEN 'WAITING' THEN 'no decision' ELSE 'what the one entry of its deciding says' END,
    CASE WHEN times IS NULL THEN 'none' ELSE concat_ws(
        ' ', times, 'entries:', type, 'by', actor, after,
        CASE WHEN asked_for <> erasure.reason THEN 'with another reason' END
    ) END
FROM accounts_erasure AS erasure LEFT JOIN decided ON subject_id = id::text
WHERE CASE WHEN status = 'WAITING' THEN times IS NOT NULL ELSE (
        times, after ->> 'status', after ->> 'decided_by', (after ->> 'decided_at')::timestamptz,
        (status = 'REJECTED') = (type = 'erasure.rejected'),
        type = 'erasure.forced' OR actor = checker_id::text
    ) IS DISTINCT FROM (1, status, checker_id::text, decided_at, true, true)
    OR status = 'DONE' AND coalesce(asked_for, '[erased]') <> erasure.reason END
UNION ALL
SELECT NULL, 'accounts_erasure', subject_id, 'the erasure that an entry tells of', 'none'
FROM told WHERE NOT EXISTS (SELECT FROM accounts_erasure WHERE id::text = subject_id) GROUP BY subject_id
UNION ALL
SELECT NULL, 'accounts_user', coalesce(person.id, done.user_id)::text,
    'erased, as two people have decided, or not at all',
    concat('erased at ', erased_at, ', decided at ', decided_at)
FROM accounts_user AS person
FULL JOIN (SELECT * FROM accounts_erasure WHERE status = 'DONE') AS done ON done.user_id = person.id
WHERE (erased_at IS NULL) <> (done.id IS NULL)
UNION ALL
SELECT NULL, 'events_text', id::text, 'what was written, or an erasure that took it away', 'nothing'
FROM events_text AS erased
WHERE content IS NULL
    AND NOT EXISTS (SELECT FROM accounts_user WHERE accounts_user.id = owner AND erased_at IS NOT NULL)
    AND id NOT IN (
        SELECT other::uuid FROM told, jsonb_array_elements_text(after -> 'texts_of_others') AS other
    )
"""

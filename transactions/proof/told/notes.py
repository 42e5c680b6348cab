"""What the audit asks of notes: whether each is what the record tells of its writing, and of its end."""

NOTES = """
WITH ended AS (
    SELECT subject_id AS id, min(actor::text) AS done_by, min(data -> 'after' ->> 'done_at') AS done_at
    FROM events_recordentry WHERE type = 'note.done' GROUP BY subject_id
), told AS (
    SELECT id, concat(
        'text ', text, ', about ', after ->> 'about', ' ', after ->> 'about_id', ' of user ',
        after ->> 'user', ', by ', actor, ' at ', after ->> 'written_at', ', to be done: ',
        after ->> 'is_task', ', done by ', coalesce(done_by, 'nobody'), ' at ', coalesce(done_at, 'no time')
    ) AS words
    FROM (
        SELECT subject_id AS id, actor, text, data -> 'after' AS after FROM events_recordentry
        WHERE type = 'note.written'
    ) AS written LEFT JOIN ended USING (id)
), notes AS (
    SELECT id::text AS id, concat(
        'text ', text, ', about ', subject, ' ', subject_id, ' of user ', user_id, ', by ', author_id, ' at ',
        to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ', to be done: ',
        CASE WHEN is_task THEN 'true' ELSE 'false' END, ', done by ', coalesce(done_by_id::text, 'nobody'),
        ' at ',
        coalesce(to_char(done_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'no time')
    ) AS words
    FROM accounts_note
)
SELECT NULL::uuid, 'accounts_note', id,
    coalesce(told.words, 'the entry of the record that says who wrote it'), coalesce(notes.words, 'none')
FROM notes FULL JOIN told USING (id) WHERE notes.words IS DISTINCT FROM told.words
"""

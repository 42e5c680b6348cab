"""What the audit asks of members of staff: whether they are what the record tells of them."""

STAFF = """
WITH entries AS (
    SELECT id, type, subject_id, data -> 'after' AS after FROM events_recordentry WHERE subject = 'staff'
    UNION ALL  -- whoever gets a token may get groups with it
    SELECT id, type, data -> 'after' ->> 'user', data -> 'after' FROM events_recordentry
    WHERE type = 'token.issued'
), told AS (
    SELECT subject_id,
        bool_or(type IN ('staff.created', 'staff.superuser_created')) AS is_made,
        bool_or(type = 'staff.superuser_created') AS is_superuser,
        (array_agg(after ->> 'is_active' ORDER BY id DESC)
            FILTER (WHERE after ->> 'is_active' IS NOT NULL))[1]::boolean AS is_active,
        (array_agg(after -> 'groups' ORDER BY id DESC)
            FILTER (WHERE after -> 'groups' IS NOT NULL))[1] AS groups
    FROM entries GROUP BY subject_id
), people AS (
    SELECT id, is_staff, is_superuser, is_active, (
        SELECT coalesce(jsonb_agg(name ORDER BY name COLLATE "C"), '[]')
        FROM accounts_user_groups JOIN auth_group ON auth_group.id = group_id WHERE user_id = person.id
    ) AS groups
    FROM accounts_user AS person
)
SELECT NULL::uuid, 'accounts_user', id::text,
    CASE WHEN is_made THEN concat(
        'as the record tells: superuser ', told.is_superuser, ', active ', coalesce(told.is_active, true),
        ', groups ', coalesce(told.groups, '[]')
    ) ELSE 'the entry of the record that says who has let them into the office' END,
    concat(
        'staff ', is_staff, ', superuser ', people.is_superuser, ', active ', people.is_active,
        ', groups ', people.groups
    )
FROM people LEFT JOIN told ON subject_id = id::text
WHERE (is_staff OR people.is_superuser OR is_made) AND (
    (is_made, is_staff, people.is_superuser, people.is_active, people.groups)
    IS DISTINCT FROM (
        true, true, told.is_superuser, coalesce(told.is_active, true), coalesce(told.groups, '[]')
    )
)
UNION ALL
SELECT NULL, 'accounts_user', subject_id, 'the member of staff that the record tells of', 'none'
FROM told WHERE is_made AND NOT EXISTS (SELECT FROM accounts_user WHERE id::text = subject_id)
"""

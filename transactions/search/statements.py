"""The SQL of searching. Everything is found by an index; no statement looks at more than it is told to."""

from events.models import PART

# How far the follower has come, beside the feed: it is behind by the age of the first event it has not read.
LOOK = f"""
SELECT state.position, coalesce(state.rebuilding, 'people'), feed.last_position, feed.pruned_through,
    clock_timestamp(), least(
        (SELECT min(recorded_at) FROM events_pending),
        (SELECT event.recorded_at FROM events_placement AS place, LATERAL (
            SELECT recorded_at FROM events_event AS e
            WHERE e.stream = place.stream AND e.sequence = place.sequence OFFSET 0
        ) AS event
        WHERE part = {PART} AND position = state.position + 1)
    )
FROM events_feed_state AS feed LEFT JOIN transactions_searchstate AS state ON state.id = 1
WHERE part = {PART}
"""  # noqa: S608, no value is in the text
BEGIN = """
INSERT INTO transactions_searchstate (id, position, rebuilding) VALUES (1, 0, '') ON CONFLICT DO NOTHING
"""
LOCK = """
SELECT position, rebuilding, before_at, before_id FROM transactions_searchstate WHERE id = 1 FOR UPDATE
"""
LOCK_IF_FREE = f"{LOCK} SKIP LOCKED"
MOVE = "UPDATE transactions_searchstate SET position = %s WHERE id = 1"
GO_ON = "UPDATE transactions_searchstate SET rebuilding = %s, before_at = %s, before_id = %s WHERE id = 1"

# The next events, in their order. Of one that was pruned at this moment nothing is known but its position.
EVENTS = f"""
SELECT place.position, event.type, place.stream, event.about, event.thing
FROM (
    SELECT position, stream, sequence FROM events_placement
    WHERE (part, position) > ({PART}, %(after)s) AND (part, position) <= ({PART}, %(last)s)
    ORDER BY part, position LIMIT %(limit)s
) AS place LEFT JOIN LATERAL (
    SELECT type, about, CASE WHEN about IS NULL THEN data ->> 'id' END AS thing FROM events_event AS e
    WHERE e.stream = place.stream AND e.sequence = place.sequence OFFSET 0
) AS event ON true
ORDER BY position
"""  # noqa: S608
# Of somebody who was forgotten the references are not found by their parts any more.
REFERENCE = """
CASE WHEN row.reference = '' OR (
    SELECT erased_at FROM accounts_user
    WHERE id = (SELECT user_id FROM accounts_account WHERE id = row.account_id)
) IS NOT NULL THEN '' ELSE row.reference END
"""
TRANSACTION = f"row.id, false, row.amount, row.recorded_at, row.effective_at, {REFERENCE}"
HOLD = f"row.id, true, row.amount, row.created_at, row.created_at, {REFERENCE}"
# In the order of the key, so that no other index that begins with the account is as cheap.
TRANSACTIONS = f"""
SELECT {TRANSACTION} FROM unnest(%s::uuid[], %s::bigint[]) AS asked (account_id, seq), LATERAL (
    SELECT * FROM transactions_transaction AS t
    WHERE t.account_id = asked.account_id AND t.seq >= asked.seq ORDER BY t.seq LIMIT 1
) AS row WHERE row.seq = asked.seq
"""  # noqa: S608
HOLDS = f"SELECT {HOLD} FROM accounts_hold AS row WHERE row.id = ANY(%s)"  # noqa: S608
# For rebuilding: the newest first, those before a moment and an id.
BEFORE_PEOPLE = """
SELECT id, created_at FROM accounts_user
WHERE (created_at, id) < (%s, %s) ORDER BY created_at DESC, id DESC LIMIT %s
"""
BEFORE_TRANSACTIONS = f"""
SELECT {TRANSACTION} FROM transactions_transaction AS row
WHERE (row.recorded_at, row.id) < (%s, %s) ORDER BY row.recorded_at DESC, row.id DESC LIMIT %s
"""  # noqa: S608
BEFORE_HOLDS = f"""
SELECT {HOLD} FROM accounts_hold AS row
WHERE (row.created_at, row.id) < (%s, %s) ORDER BY row.created_at DESC, row.id DESC LIMIT %s
"""  # noqa: S608

WRITE_PEOPLE = """
INSERT INTO transactions_searchedperson AS known (user_id, name, external_id, contacts, keys)
SELECT user_id, name, external_id, contacts, keys FROM jsonb_to_recordset(%s::jsonb) AS person (
    user_id uuid, name text, external_id text, contacts text[], keys int[]
)
ON CONFLICT (user_id) DO UPDATE SET name = EXCLUDED.name, external_id = EXCLUDED.external_id,
    contacts = EXCLUDED.contacts, keys = EXCLUDED.keys
WHERE (known.name, known.external_id, known.contacts, known.keys)
    IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.external_id, EXCLUDED.contacts, EXCLUDED.keys)
"""
WRITE_MOVEMENTS = """
INSERT INTO transactions_searchedmovement AS known
    (id, is_hold, amount, recorded_at, effective_at, reference, keys)
SELECT id, is_hold, amount, recorded_at, effective_at, reference, keys
FROM jsonb_to_recordset(%s::jsonb) AS movement (
    id uuid, is_hold boolean, amount numeric, recorded_at timestamptz, effective_at timestamptz,
    reference text, keys int[]
)
ON CONFLICT (id, is_hold) DO UPDATE SET amount = EXCLUDED.amount, reference = EXCLUDED.reference,
    keys = EXCLUDED.keys
WHERE (known.amount, known.reference, known.keys)
    IS DISTINCT FROM (EXCLUDED.amount, EXCLUDED.reference, EXCLUDED.keys)
"""
FORGET_PEOPLE = "DELETE FROM transactions_searchedperson WHERE user_id = ANY(%s)"
FORGET_REFERENCES = """
UPDATE transactions_searchedmovement AS known SET reference = '', keys = '{}'
FROM (
    SELECT id, false AS is_hold FROM transactions_transaction WHERE account_id = ANY(%(accounts)s)
    UNION ALL SELECT id, true FROM accounts_hold WHERE account_id = ANY(%(accounts)s)
) AS theirs
WHERE known.id = theirs.id AND known.is_hold = theirs.is_hold AND known.reference <> ''
"""

# Of people by the keys of what was asked; each condition stands for itself. The limits stand where the
# planner does not see that few rows are wanted: it would rather walk through a whole table in another order.
FIND_PEOPLE = """
SELECT found.* FROM generate_series(1, 1), LATERAL (
    SELECT user_id, name, external_id, contacts FROM transactions_searchedperson WHERE {} OFFSET 0
) AS found LIMIT %s
"""
HAS_ALL, HAS_ANY = "keys @> %s::int[]", "keys && %s::int[]"
# Of movements by parts of their reference, quarter by quarter of a year, those of the last one first. What
# has all the parts may have them in other places, so it is looked at: so many at most.
FIND_REFERENCES = """
SELECT found.* FROM unnest(%s::text[]) AS quarter (keys), LATERAL (
    SELECT id, is_hold, recorded_at, reference FROM transactions_searchedmovement AS movement
    WHERE movement.keys @> quarter.keys::int[] OFFSET 0
) AS found LIMIT %s
"""
FIND_AMOUNTS = """
SELECT found.id, found.is_hold, found.recorded_at
FROM unnest(%s::numeric[]) AS amount (asked),
    unnest(%s::timestamptz[], %s::timestamptz[]) AS days (first, after),
LATERAL (
    SELECT id, is_hold, recorded_at FROM transactions_searchedmovement AS movement
    WHERE movement.amount = amount.asked AND effective_at >= days.first AND effective_at < days.after
    ORDER BY effective_at DESC LIMIT %s
) AS found
"""
FIRST = "SELECT recorded_at FROM transactions_transaction ORDER BY recorded_at, id LIMIT 1"
# Of each user some accounts.
PURSES = """
SELECT account.user_id, account.id, account.name, account.currency, account.status, account.balance,
    account.last_effective_at
FROM unnest(%s::uuid[]) AS asked (user_id), LATERAL (
    SELECT * FROM accounts_account AS a WHERE a.user_id = asked.user_id ORDER BY currency, name LIMIT %s
) AS account
"""

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

# Of the next events: how far they go; the numbers of movements, as texts, since they only come back; whose
# people and which holds changed. Of one that was pruned at this moment nothing is known but its position.
EVENTS = f"""
SELECT max(position),
    array_agg(stream) FILTER (WHERE about IS NOT NULL)::text,
    array_agg(about) FILTER (WHERE about IS NOT NULL)::text,
    array_agg(stream) FILTER (WHERE starts_with(type, 'user.')),
    array_agg(thing) FILTER (WHERE type IN ('hold.placed', 'hold.declined', 'hold.changed')),
    count(*)
FROM (
    SELECT position, stream, sequence FROM events_placement
    WHERE (part, position) > ({PART}, %(after)s) AND (part, position) <= ({PART}, %(last)s)
    ORDER BY part, position LIMIT %(limit)s
) AS place LEFT JOIN LATERAL (
    SELECT type, about, CASE WHEN about IS NULL THEN data ->> 'id' END AS thing FROM events_event AS e
    WHERE e.stream = place.stream AND e.sequence = place.sequence OFFSET 0
) AS event ON true
"""  # noqa: S608
TRANSACTION = "row.id, false AS is_hold, account_id, amount, recorded_at, effective_at, reference"
HOLD = """
row.id, true AS is_hold, account_id, amount, created_at AS recorded_at, created_at AS effective_at, reference
"""
# Keeps the amounts of some movements, and says which these are, in texts, which come back sooner. Of somebody
# who was forgotten the references are not found by their parts any more.
KEEP_AMOUNTS = """
WITH movement AS MATERIALIZED ({}), kept AS (
    INSERT INTO transactions_searchedamount (amount, effective_at, id, is_hold)
    SELECT amount, effective_at, id, is_hold FROM movement ON CONFLICT DO NOTHING
)
SELECT id::text, is_hold, recorded_at::text, CASE WHEN reference = '' OR (
    SELECT erased_at FROM accounts_user
    WHERE id = (SELECT user_id FROM accounts_account WHERE id = movement.account_id)
) IS NOT NULL THEN '' ELSE reference END
FROM movement
"""
# In the order of the key, so that no other index that begins with the account is as cheap.
NUMBERED = f"""
SELECT {TRANSACTION} FROM unnest(%s::uuid[], %s::bigint[]) AS asked (stream, about), LATERAL (
    SELECT * FROM transactions_transaction AS t
    WHERE t.account_id = asked.stream AND t.seq >= asked.about ORDER BY t.seq LIMIT 1
) AS row WHERE row.seq = asked.about
"""  # noqa: S608
TRANSACTIONS = f"{KEEP_AMOUNTS.format(NUMBERED)} WHERE reference <> ''"
HOLDS = KEEP_AMOUNTS.format(f"SELECT {HOLD} FROM accounts_hold AS row WHERE row.id = ANY(%s)")  # noqa: S608
# For rebuilding: the newest first, those before a moment and an id.
BEFORE_PEOPLE = """
SELECT id, created_at FROM accounts_user
WHERE (created_at, id) < (%s, %s) ORDER BY created_at DESC, id DESC LIMIT %s
"""
NEWEST_TRANSACTIONS = f"""
SELECT {TRANSACTION} FROM transactions_transaction AS row
WHERE (row.recorded_at, row.id) < (%s, %s) ORDER BY row.recorded_at DESC, row.id DESC LIMIT %s
"""  # noqa: S608
NEWEST_HOLDS = f"""
SELECT {HOLD} FROM accounts_hold AS row
WHERE (row.created_at, row.id) < (%s, %s) ORDER BY row.created_at DESC, row.id DESC LIMIT %s
"""  # noqa: S608
BEFORE_TRANSACTIONS = KEEP_AMOUNTS.format(NEWEST_TRANSACTIONS)
BEFORE_HOLDS = KEEP_AMOUNTS.format(NEWEST_HOLDS)

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
WRITE_REFERENCES = """
INSERT INTO transactions_searchedreference AS known (id, is_hold, recorded_at, reference, keys)
SELECT id, is_hold, recorded_at, reference, keys FROM jsonb_to_recordset(%s::jsonb) AS movement (
    id uuid, is_hold boolean, recorded_at timestamptz, reference text, keys int[]
)
ON CONFLICT (id, is_hold) DO UPDATE SET reference = EXCLUDED.reference, keys = EXCLUDED.keys
WHERE (known.reference, known.keys) IS DISTINCT FROM (EXCLUDED.reference, EXCLUDED.keys)
"""
FORGET_PEOPLE = "DELETE FROM transactions_searchedperson WHERE user_id = ANY(%s)"
FORGET_REFERENCES = """
DELETE FROM transactions_searchedreference AS known
USING (
    SELECT id, false AS is_hold FROM transactions_transaction WHERE account_id = ANY(%(accounts)s)
    UNION ALL SELECT id, true FROM accounts_hold WHERE account_id = ANY(%(accounts)s)
) AS theirs
WHERE known.id = theirs.id AND known.is_hold = theirs.is_hold
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
    SELECT id, is_hold, recorded_at, reference FROM transactions_searchedreference AS movement
    WHERE movement.keys @> quarter.keys::int[] OFFSET 0
) AS found LIMIT %s
"""
# The newest of each amount and day; of holds those that have this amount now.
FIND_AMOUNTS = """
SELECT found.id, found.is_hold, found.effective_at
FROM unnest(%s::numeric[]) AS amount (asked),
    unnest(%s::timestamptz[], %s::timestamptz[]) AS days (first, after),
LATERAL (
    SELECT id, is_hold, effective_at FROM transactions_searchedamount AS movement
    WHERE movement.amount = amount.asked AND effective_at >= days.first AND effective_at < days.after AND (
        NOT is_hold OR amount.asked = (SELECT amount FROM accounts_hold AS hold WHERE hold.id = movement.id)
    )
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

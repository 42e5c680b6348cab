"""The questions of the audit, as SQL: each answers with what is wrong, and with nothing when all is well.

`audit_walk` looks at the rows, one after the other; these look at what is beside them: holds, links, events.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from transactions.proof import (
    audit_batches,
    audit_claims,
    audit_corrections,
    audit_erasures,
    audit_staff,
    audit_tokens,
    audit_transfers,
    record,
    told,
)
from transactions.proof.told.notes import NOTES
from transactions.proof.told.thresholds import THRESHOLDS

# (account, table, row, expected, found), once for everything that is wrong.
Wrong = tuple[Any, str, str, str, str]


class Question(NamedTuple):
    """A check that one statement decides, or, where a key is needed, a function.

    A sliced one is asked of some accounts at a time; a whole one cannot be asked of a part of the ledger.
    """

    name: str
    asks: str | Callable[[dict[str, Any]], Iterable[Wrong]]
    is_sliced: bool = True
    is_whole: bool = False


QUESTIONS = [
    # What users, accounts and holds are is what their events have told.
    Question("told", told.find_wrong_accounts),
    Question("users", told.find_wrong_users, is_sliced=False, is_whole=True),
    Question(
        "empty",
        """
SELECT id, 'accounts_account', id::text, 'nothing counted without transactions',
    concat('balance ', balance, ', version ', version, ', effective at ', last_effective_at)
FROM accounts_account AS account
WHERE id BETWEEN %(first)s AND %(last)s AND (
        balance <> 0 OR version <> 0 OR seq <> 0 OR chain_head <> '' OR last_effective_at IS NOT NULL
    )
    AND NOT EXISTS (SELECT FROM transactions_transaction WHERE account_id = account.id)
""",
    ),
    # Only where something came late are the orders of effect and of recording not the same.
    Question(
        "past",
        """
WITH scope AS (
    SELECT id, credit_limit_max FROM accounts_account AS account
    WHERE id BETWEEN %(first)s AND %(last)s AND last_recorded_at > %(since)s AND EXISTS (
        SELECT FROM transactions_transaction WHERE account_id = account.id AND status = 'POSTED' AND late
    )
), instants AS (
    SELECT account_id, credit_limit_max, (array_agg(t.id ORDER BY t.seq DESC))[1] AS id, effective_at,
        sum(sum(change)) OVER (PARTITION BY account_id ORDER BY effective_at) AS balance
    FROM scope JOIN transactions_transaction AS t ON account_id = scope.id AND status = 'POSTED'
    GROUP BY account_id, credit_limit_max, effective_at
)
SELECT account_id, 'transactions_transaction', id::text,
    concat('at the end of ', effective_at, ' no less than ', -credit_limit_max), balance::text
FROM instants WHERE balance < -credit_limit_max
""",
    ),
    Question(
        "held",
        """
SELECT account.id, 'accounts_account', account.id::text, concat('held ', coalesce(rest, 0)),
    concat('held ', held)
FROM accounts_account AS account
LEFT JOIN (
    SELECT account_id, sum(amount - captured) AS rest FROM accounts_hold WHERE status = 'OPEN'
        AND account_id BETWEEN %(first)s AND %(last)s
    GROUP BY account_id
) AS holds ON account_id = account.id
WHERE account.id BETWEEN %(first)s AND %(last)s AND held <> coalesce(rest, 0)
""",
    ),
    Question("owed", audit_claims.OWED),
    Question("free", audit_claims.FREE),
    Question("thresholds", THRESHOLDS),
    Question(
        "withdrawn",
        """
SELECT account.id, 'accounts_account', account.id::text,
    concat('withdrawn ', coalesce(taken, 0), ' on ', last_on),
    concat('withdrawn ', withdrawn, ' on ', withdrawn_on)
FROM accounts_account AS account
LEFT JOIN LATERAL (
    SELECT (recorded_at AT TIME ZONE 'UTC')::date AS last_on FROM transactions_transaction
    WHERE account_id = account.id AND status = 'POSTED' AND type = 'WITHDRAW' AND reverses IS NULL
        AND claim IS NULL
    ORDER BY seq DESC LIMIT 1
) AS last ON true
CROSS JOIN LATERAL (
    SELECT sum(amount) AS taken FROM transactions_transaction
    WHERE account_id = account.id AND status = 'POSTED' AND type = 'WITHDRAW' AND reverses IS NULL
        AND claim IS NULL
        AND recorded_at >= last_on::timestamp AT TIME ZONE 'UTC'
        AND recorded_at < (last_on + 1)::timestamp AT TIME ZONE 'UTC'
) AS day
WHERE account.id BETWEEN %(first)s AND %(last)s AND last_recorded_at > %(since)s
    AND (withdrawn_on IS DISTINCT FROM last_on OR withdrawn <> coalesce(taken, 0))
""",
    ),
    # The events of an account. Those about rows may be pruned, all others stay.
    Question(
        "event_sequence",
        """
WITH told AS MATERIALIZED (
    SELECT stream, sequence, lag(sequence) OVER past AS before, recorded_at,
        lag(recorded_at) OVER past AS recorded_before, about
    FROM events_event WHERE stream BETWEEN %(first)s AND %(last)s AND NOT starts_with(type, 'user.')
    WINDOW past AS (PARTITION BY stream ORDER BY sequence)
), counted AS (
    SELECT stream, count(*) FILTER (WHERE about IS NULL) AS others, max(sequence) AS last,
        max(recorded_at) AS last_at
    FROM told GROUP BY stream
)
SELECT stream, 'events_event', concat(stream, '.', sequence),
    concat('sequence ', coalesce(before + 1, 1), ', at ', recorded_before, ' or later'),
    concat('sequence ', sequence, ', at ', recorded_at)
FROM told WHERE recorded_at > %(since)s AND (
    recorded_at < recorded_before
    OR sequence <> coalesce(before, 0) + 1 AND (SELECT pruned_through = 0 FROM events_feed_state)
)
UNION ALL
SELECT id, 'accounts_account', id::text,
    concat(coalesce(others, 0), ' events and one for each of ', seq, ' rows, the last at ', last_at),
    concat('event_sequence ', event_sequence, ', the last at ', last_recorded_at)
FROM accounts_account AS account LEFT JOIN counted ON stream = id
WHERE id BETWEEN %(first)s AND %(last)s AND (
    event_sequence <> coalesce(others, 0) + seq
    OR (last, last_at) IS DISTINCT FROM (event_sequence, last_recorded_at) AND NOT (
        last_recorded_at < clock_timestamp() - interval '30 days'
        AND (SELECT pruned_through > 0 FROM events_feed_state)
    )
)
""",
    ),
    Question(
        "events",
        """
WITH told AS (
    SELECT stream, sequence, type, recorded_at, about FROM events_event
    WHERE stream BETWEEN %(first)s AND %(last)s AND recorded_at > %(since)s AND about IS NOT NULL
), decided AS (
    SELECT id, account_id, seq, status, recorded_at FROM transactions_transaction
    WHERE account_id BETWEEN %(first)s AND %(last)s AND recorded_at > %(since)s
)
SELECT coalesce(stream, account_id),
    CASE WHEN decided.id IS NULL THEN 'events_event' ELSE 'transactions_transaction' END,
    coalesce(decided.id::text, concat(stream, '.', sequence)),
    CASE WHEN decided.id IS NULL THEN 'the transaction that the event is about'
        ELSE 'one event that tells of it, at its moment' END,
    CASE WHEN decided.id IS NULL OR stream IS NULL THEN 'none'
        ELSE concat('event ', stream, '.', sequence, ': ', told.type, ' at ', told.recorded_at) END
FROM told FULL JOIN decided ON stream = account_id AND about = seq
WHERE stream IS NULL AND NOT (
        (SELECT pruned_through > 0 FROM events_feed_state)
        AND decided.recorded_at < clock_timestamp() - interval '30 days'
    )
    OR decided.id IS NULL
    OR stream IS NOT NULL AND (told.type, told.recorded_at) IS DISTINCT FROM
        ('transaction.' || lower(decided.status), decided.recorded_at)
UNION ALL
SELECT stream, 'events_event', concat(stream, '.', max(sequence)), 'one event about a transaction',
    concat(count(*), ' about ', about)
FROM told GROUP BY stream, about HAVING count(*) > 1
""",
    ),
    # Every event is one of an account or of a user, and a user counts theirs.
    Question(
        "streams",
        """
WITH told AS MATERIALIZED (
    SELECT stream, starts_with(type, 'user.') AS is_of_user, count(*) AS many, max(sequence) AS last
    FROM events_event GROUP BY 1, 2
)
SELECT NULL::uuid, 'events_event', concat(stream, '.', last), 'the account or the user that it is of', 'none'
FROM told
LEFT JOIN accounts_account AS account ON account.id = stream AND NOT is_of_user
LEFT JOIN accounts_user AS person ON person.id = stream AND is_of_user
WHERE account.id IS NULL AND person.id IS NULL
UNION ALL
SELECT NULL, 'accounts_user', person.id::text, concat(coalesce(many, 0), ' events'),
    concat('event_sequence ', event_sequence)
FROM accounts_user AS person LEFT JOIN told ON stream = person.id AND is_of_user
WHERE event_sequence <> coalesce(many, 0)
""",
        is_sliced=False,
        is_whole=True,
    ),
    Question("transfers", audit_transfers.TRANSFERS, is_sliced=False),
    Question("reversals", audit_transfers.REVERSALS, is_sliced=False),
    Question(
        "captured",
        """
SELECT coalesce(h.account_id, taken.account_id), 'accounts_hold', coalesce(h.id, taken.hold)::text,
    concat('captured ', coalesce(total, 0)), coalesce('captured ' || h.captured, 'no such hold')
FROM accounts_hold AS h
FULL JOIN (
    SELECT hold, account_id, sum(amount) AS total FROM transactions_transaction
    WHERE hold IS NOT NULL AND status = 'POSTED' GROUP BY hold, account_id
) AS taken ON taken.hold = h.id AND taken.account_id = h.account_id
WHERE h.id IS NULL OR h.captured <> coalesce(total, 0)
""",
        is_sliced=False,
        is_whole=True,
    ),
    Question("collected", audit_claims.COLLECTED, is_sliced=False, is_whole=True),
    Question("money", audit_transfers.MONEY, is_sliced=False, is_whole=True),
    Question(
        "places",
        """
WITH odd AS MATERIALIZED (
    SELECT coalesce(event.stream, place.stream, pending.stream) AS stream,
        coalesce(event.sequence, place.sequence, pending.sequence) AS sequence, event.type, position,
        pending.stream IS NOT NULL AS waits
    FROM events_event AS event
    FULL JOIN events_placement AS place ON (place.stream, place.sequence) = (event.stream, event.sequence)
    FULL JOIN events_pending AS pending
        ON (pending.stream, pending.sequence, pending.recorded_at)
        = (event.stream, event.sequence, event.recorded_at)
    WHERE event.stream IS NULL OR (position IS NULL) = (pending.stream IS NULL) AND NOT (
        position IS NULL AND about IS NULL AND event.recorded_at < clock_timestamp() - interval '30 days'
        AND (SELECT pruned_through > 0 FROM events_feed_state)
    )
), ordered AS (
    SELECT stream, sequence, position, lag(position) OVER (PARTITION BY stream ORDER BY sequence) AS before
    FROM events_placement
)
SELECT stream, CASE WHEN type IS NULL THEN 'events_pending' ELSE 'events_event' END,
    concat(stream, '.', sequence), 'an event with a place in the feed, or that waits for one',
    CASE WHEN type IS NULL THEN 'no event' WHEN waits THEN 'both' ELSE 'neither' END
FROM odd WHERE type IS NOT NULL OR waits
UNION ALL
SELECT stream, 'events_placement', position::text, 'the event that has this place', 'none'
FROM odd WHERE type IS NULL AND position IS NOT NULL
UNION ALL
SELECT stream, 'events_placement', position::text, concat('a place after ', before), position::text
FROM ordered WHERE position < before
UNION ALL
SELECT NULL, 'events_feed_state', '0',
    concat('places from ', pruned_through + 1, ' to ', last_position, ' without gaps'),
    concat(many, ' places from ', low, ' to ', high)
FROM events_feed_state, (
    SELECT count(*) AS many, min(position) AS low, max(position) AS high FROM events_placement
) AS places
WHERE many <> last_position - pruned_through
    OR many > 0 AND (low, high) IS DISTINCT FROM (pruned_through + 1, last_position)
UNION ALL
SELECT NULL, 'events_feed_state', '0', 'how it is', 'no row' WHERE NOT EXISTS (SELECT FROM events_feed_state)
""",
        is_sliced=False,
        is_whole=True,
    ),
    Question("batches", audit_batches.find_wrong_batches, is_sliced=False, is_whole=True),
    Question("corrections", audit_corrections.CORRECTIONS, is_sliced=False, is_whole=True),
    Question("erasures", audit_erasures.ERASURES, is_sliced=False, is_whole=True),
    Question("notes", NOTES, is_sliced=False, is_whole=True),
    Question("staff", audit_staff.STAFF, is_sliced=False, is_whole=True),
    Question("tokens", audit_tokens.TOKENS, is_sliced=False, is_whole=True),
    Question("record", record.find_wrong_entries, is_sliced=False, is_whole=True),
]

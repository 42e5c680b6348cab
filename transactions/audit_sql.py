"""The questions of the audit, as SQL: each answers with what is wrong, and with nothing when all is well.

`WALK` reads every row of some accounts once, in the order of the chain; what can be seen from one row and
those before it is decided there, and what the chain's hash is made of is handed out. The others look at what
is beside the rows: holds, links between rows, events.
"""

from typing import NamedTuple

# What may be wrong with a row of WALK: bits of its flags, with the name of the check and what it expects.
FLAGS = {
    1: ("sequence", "the version after that of the posted row before it"),
    2: ("running", "the balance of the posted row before it, and its own amount"),
    4: ("order", "effective no later than recorded"),
    8: ("late", "late when something effective later was posted before it, else not"),
    16: ("below", "a balance no lower than the highest credit limit allows"),
    32: ("account", "an account whose balance, version, times and chain are those of this, its last row"),
}

# Accounts from one id to another; with `since`, of those that changed after it only the rows that came after,
# and the one before them to begin with.
WALK = """
WITH scope AS (
    SELECT account.id, balance, account.version, last_recorded_at, last_effective_at, chain_head,
        credit_limit_max,
        seed.recorded_at AS seed_at, coalesce(base.version, 0) AS base_version,
        coalesce(base.balance_after, 0) AS base_balance, base_effect.effective_at AS base_effective_at
    FROM accounts_account AS account
    LEFT JOIN LATERAL (
        SELECT recorded_at FROM transactions_transaction
        WHERE account_id = account.id AND recorded_at <= %(since)s ORDER BY recorded_at DESC LIMIT 1
    ) AS seed ON true
    LEFT JOIN LATERAL (
        SELECT version, balance_after FROM transactions_transaction
        WHERE account_id = account.id AND status = 'POSTED' AND recorded_at <= seed.recorded_at
        ORDER BY recorded_at DESC LIMIT 1
    ) AS base ON true
    LEFT JOIN LATERAL (
        SELECT effective_at FROM transactions_transaction
        WHERE account_id = account.id AND status = 'POSTED' AND NOT late AND version <= base.version
        ORDER BY effective_at DESC, version DESC LIMIT 1
    ) AS base_effect ON true
    WHERE account.id BETWEEN %(first)s AND %(last)s
        AND (last_recorded_at > %(since)s OR last_recorded_at IS NULL)
), walk AS (
    SELECT t.*, scope.seed_at, scope.balance, scope.version AS account_version, scope.last_recorded_at,
        scope.last_effective_at, scope.chain_head, scope.credit_limit_max, base_effective_at,
        base_version + count(*) FILTER (WHERE t.status = 'POSTED' AND is_new) OVER chain AS nth,
        base_balance + coalesce(sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END)
            FILTER (WHERE t.status = 'POSTED' AND is_new) OVER chain, 0) AS total,
        greatest(base_effective_at, max(effective_at) FILTER (WHERE t.status = 'POSTED' AND is_new) OVER (
            chain ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )) AS latest_before,
        lag(t.chain_hash) OVER chain AS previous_hash,
        lead(true) OVER chain IS NULL AS is_last
    FROM scope JOIN transactions_transaction AS t ON t.account_id = scope.id
        AND t.recorded_at >= coalesce(scope.seed_at, '-infinity')
    CROSS JOIN LATERAL (SELECT t.recorded_at > coalesce(scope.seed_at, '-infinity') AS is_new) AS new
    WINDOW chain AS (PARTITION BY t.account_id ORDER BY t.recorded_at)
)
SELECT account_id, id,
    CASE WHEN status = 'POSTED' AND version <> nth THEN 1 ELSE 0 END
    + CASE WHEN status = 'POSTED' AND balance_after <> total THEN 2 ELSE 0 END
    + CASE WHEN effective_at > recorded_at THEN 4 ELSE 0 END
    + CASE WHEN late <> coalesce(effective_at < latest_before, false) THEN 8 ELSE 0 END
    + CASE WHEN status = 'POSTED' AND balance_after < -credit_limit_max THEN 16 ELSE 0 END
    + CASE WHEN is_last AND (
        (balance, account_version, last_recorded_at, chain_head) IS DISTINCT FROM
            (total, nth, recorded_at, chain_hash)
        OR last_effective_at IS DISTINCT FROM
            CASE WHEN status = 'POSTED' THEN greatest(latest_before, effective_at) ELSE latest_before END
    ) THEN 32 ELSE 0 END,
    encode(coalesce(previous_hash, ''), 'hex'), encode(chain_hash, 'hex'),
    concat('36:', id, '36:', account_id, octet_length(type), ':', type,
        octet_length(amount::text), ':', amount, octet_length(reference), ':', reference),
    nullif(metadata, '{}'),
    concat(
        coalesce(octet_length(asked) || ':' || asked, '-'), octet_length(status), ':', status,
        coalesce(octet_length(decline_reason) || ':' || decline_reason, '-')),
    decline_details,
    concat(
        coalesce(octet_length(version::text) || ':' || version, '-'),
        coalesce(octet_length(balance_after::text) || ':' || balance_after, '-'),
        octet_length(recorded), ':', recorded, octet_length(effect), ':', effect,
        CASE WHEN late THEN '4:True' ELSE '5:False' END,
        coalesce('36:' || transfer, '-'), coalesce('36:' || reverses, '-'), coalesce('36:' || hold, '-'),
        '36:', actor, octet_length(request_id), ':', request_id)
FROM walk
CROSS JOIN LATERAL (
    SELECT (extract(epoch FROM effective_at_asked) * 1000000)::bigint::text AS asked,
        (extract(epoch FROM recorded_at) * 1000000)::bigint::text AS recorded,
        (extract(epoch FROM effective_at) * 1000000)::bigint::text AS effect
) AS moments
WHERE recorded_at > coalesce(seed_at, '-infinity')
"""


class Question(NamedTuple):
    """A check that one statement decides: it gives (account, table, row, expected, found) of what is wrong.

    A sliced one is asked of some accounts at a time; a whole one cannot be asked of a part of the ledger.
    """

    name: str
    sql: str
    is_sliced: bool = True
    is_whole: bool = False


EMPTY = """
SELECT id, 'accounts_account', id::text, 'no balance and no version without transactions',
    concat('balance ', balance, ', version ', version)
FROM accounts_account AS account
WHERE id BETWEEN %(first)s AND %(last)s AND (balance <> 0 OR version <> 0)
    AND NOT EXISTS (SELECT FROM transactions_transaction WHERE account_id = account.id)
"""
# Only where something came late are the orders of effect and of recording not the same.
PAST = """
WITH scope AS (
    SELECT id, credit_limit_max FROM accounts_account AS account
    WHERE id BETWEEN %(first)s AND %(last)s AND last_recorded_at > %(since)s AND EXISTS (
        SELECT FROM transactions_transaction WHERE account_id = account.id AND status = 'POSTED' AND late
    )
), instants AS (
    SELECT account_id, credit_limit_max, (array_agg(t.id ORDER BY t.version DESC))[1] AS id, effective_at,
        sum(sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END)) OVER (
            PARTITION BY account_id ORDER BY effective_at
        ) AS balance
    FROM scope JOIN transactions_transaction AS t ON account_id = scope.id AND status = 'POSTED'
    GROUP BY account_id, credit_limit_max, effective_at
)
SELECT account_id, 'transactions_transaction', id::text,
    concat('at the end of ', effective_at, ' no less than ', -credit_limit_max), balance::text
FROM instants WHERE balance < -credit_limit_max
"""
HELD = """
SELECT account.id, 'accounts_account', account.id::text, concat('held ', coalesce(rest, 0)),
    concat('held ', held)
FROM accounts_account AS account
LEFT JOIN (
    SELECT account_id, sum(amount - captured) AS rest FROM accounts_hold WHERE status = 'OPEN'
        AND account_id BETWEEN %(first)s AND %(last)s
    GROUP BY account_id
) AS holds ON account_id = account.id
WHERE account.id BETWEEN %(first)s AND %(last)s AND held <> coalesce(rest, 0)
"""
WITHDRAWN = """
SELECT account.id, 'accounts_account', account.id::text,
    concat('withdrawn ', coalesce(taken, 0), ' on ', withdrawn_on), concat('withdrawn ', withdrawn)
FROM accounts_account AS account
CROSS JOIN LATERAL (
    SELECT sum(amount) AS taken FROM transactions_transaction
    WHERE account_id = account.id AND status = 'POSTED' AND type = 'WITHDRAW' AND reverses IS NULL
        AND recorded_at >= withdrawn_on::timestamp AT TIME ZONE 'UTC'
        AND recorded_at < (withdrawn_on + 1)::timestamp AT TIME ZONE 'UTC'
) AS day
WHERE account.id BETWEEN %(first)s AND %(last)s AND withdrawn_on IS NOT NULL
    AND last_recorded_at > %(since)s AND withdrawn <> coalesce(taken, 0)
"""
# The events of an account: without gaps from what was pruned on, each transaction told as it is.
SEQUENCE_OF_EVENTS = """
SELECT account_id, 'events_event', id::text, concat('account_sequence ', coalesce(before + 1, 1)),
    concat('account_sequence ', account_sequence)
FROM (
    SELECT id, account_id, account_sequence, recorded_at,
        lag(account_sequence) OVER (PARTITION BY account_id ORDER BY account_sequence) AS before
    FROM events_event WHERE account_id BETWEEN %(first)s AND %(last)s
) AS told
WHERE recorded_at > %(since)s AND (
    account_sequence <> before + 1
    OR before IS NULL AND account_sequence > 1 AND (SELECT pruned_through = 0 FROM events_feed_state)
)
UNION ALL
SELECT id, 'accounts_account', id::text, concat('event_sequence ', told),
    concat('event_sequence ', event_sequence)
FROM accounts_account AS account
CROSS JOIN LATERAL (
    SELECT max(account_sequence) AS told FROM events_event WHERE account_id = account.id
) AS events
WHERE id BETWEEN %(first)s AND %(last)s AND told IS DISTINCT FROM event_sequence
    AND (told IS NOT NULL OR (SELECT pruned_through = 0 FROM events_feed_state))
"""
TOLD = """
WITH told AS (
    SELECT id, account_id, type, data, recorded_at,
        CASE WHEN data ->> 'amount' ~ '^[0-9]{1,20}([.][0-9]{1,8})?$'
            THEN (data ->> 'amount')::numeric END AS amount,
        CASE WHEN data ->> 'balance_after' ~ '^-?[0-9]{1,20}([.][0-9]{1,8})?$'
            THEN (data ->> 'balance_after')::numeric END AS balance_after
    FROM events_event
    WHERE account_id BETWEEN %(first)s AND %(last)s AND recorded_at > %(since)s
        AND type IN ('transaction.posted', 'transaction.declined')
), decided AS (
    SELECT t.id, t.account_id, t.type, amount, status, t.version, balance_after, t.recorded_at
    FROM transactions_transaction AS t
    WHERE t.account_id BETWEEN %(first)s AND %(last)s AND t.recorded_at > %(since)s
)
SELECT coalesce(told.account_id, decided.account_id),
    CASE WHEN decided.id IS NULL THEN 'events_event' ELSE 'transactions_transaction' END,
    coalesce(decided.id::text, told.id::text),
    CASE WHEN decided.id IS NULL THEN 'the transaction that the event tells of'
        ELSE 'an event that tells of it as it is' END,
    CASE WHEN decided.id IS NULL THEN 'none' WHEN told.id IS NULL THEN 'none'
        ELSE concat('event ', told.id, ': ', told.type, ' ', told.data ->> 'type', ' ',
            told.data ->> 'amount', ', version ', told.data ->> 'version', ', balance after ',
            told.data ->> 'balance_after') END
FROM told FULL JOIN decided ON told.account_id = decided.account_id AND told.data ->> 'id' = decided.id::text
WHERE told.id IS NULL AND decided.recorded_at > coalesce((
        SELECT min(recorded_at) FROM events_event WHERE account_id = decided.account_id
            AND (SELECT pruned_through > 0 FROM events_feed_state)
    ), '-infinity')
    OR decided.id IS NULL
    OR (told.type, told.data ->> 'type', told.data ->> 'version', told.recorded_at) IS DISTINCT FROM
        ('transaction.' || lower(decided.status), decided.type::text, decided.version::text,
            decided.recorded_at)
    OR (told.amount, told.balance_after) IS DISTINCT FROM (decided.amount, decided.balance_after)
"""
TRANSFERS = """
SELECT (array_agg(account_id))[1], 'transactions_transaction',
    (array_agg(leg.id ORDER BY type DESC))[1]::text,
    'two legs: a WITHDRAW and a DEPOSIT, of the same amount, currency, status and moment, on two accounts',
    string_agg(concat_ws(' ', type, amount, currency, leg.status, leg.recorded_at), '; ' ORDER BY type DESC)
FROM transactions_transaction AS leg JOIN accounts_account AS account ON account.id = account_id
WHERE transfer IN (SELECT transfer FROM transactions_transaction
    WHERE transfer IS NOT NULL AND recorded_at > %(since)s)
GROUP BY transfer
HAVING count(*) <> 2 OR count(DISTINCT type) <> 2 OR count(DISTINCT account_id) <> 2
    OR count(DISTINCT (amount, currency, leg.status, leg.recorded_at)) <> 1
"""
REVERSALS = """
SELECT taken.account_id, 'transactions_transaction', taken.id::text,
    'the opposite of a posted transaction of the same account and amount that is no reversal itself',
    concat_ws(' ', 'reverses', taken.reverses, given.type, given.amount, given.status)
FROM transactions_transaction AS taken
LEFT JOIN transactions_transaction AS given ON given.id = taken.reverses
WHERE taken.status = 'POSTED' AND taken.reverses IS NOT NULL AND taken.recorded_at > %(since)s AND (
    (given.account_id, given.amount, given.status, given.type <> taken.type, given.reverses IS NULL)
    IS DISTINCT FROM (taken.account_id, taken.amount, 'POSTED', true, true)
)
"""
CAPTURED = """
SELECT coalesce(h.account_id, taken.account_id), 'accounts_hold', coalesce(h.id, taken.hold)::text,
    concat('captured ', coalesce(total, 0)), coalesce('captured ' || h.captured, 'no such hold')
FROM accounts_hold AS h
FULL JOIN (
    SELECT hold, account_id, sum(amount) AS total FROM transactions_transaction
    WHERE hold IS NOT NULL AND status = 'POSTED' GROUP BY hold, account_id
) AS taken ON taken.hold = h.id AND taken.account_id = h.account_id
WHERE h.id IS NULL OR h.captured <> coalesce(total, 0)
"""
MONEY = """
SELECT NULL::uuid, 'accounts_account', currency, concat('balances that add up to ', outside), inside::text
FROM (
    SELECT currency, sum(balance) AS inside, sum(outside) AS outside FROM accounts_account
    LEFT JOIN (
        SELECT account_id, sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END) AS outside
        FROM transactions_transaction WHERE status = 'POSTED' AND transfer IS NULL GROUP BY account_id
    ) AS moves ON account_id = id
    GROUP BY currency
) AS totals WHERE inside <> coalesce(outside, 0)
"""
PLACES = """
SELECT event.account_id, 'events_event', event.id::text, 'a place in the feed, or to wait for one',
    CASE WHEN pending.event_id IS NULL THEN 'neither' ELSE 'both' END
FROM events_event AS event
LEFT JOIN events_placement AS place ON place.event_id = event.id
LEFT JOIN events_pending AS pending ON pending.event_id = event.id
WHERE (place.event_id IS NULL) = (pending.event_id IS NULL)
UNION ALL
SELECT NULL, 'events_pending', event_id::text, 'the event that waits', 'none'
FROM events_pending LEFT JOIN events_event AS event ON event.id = event_id WHERE event.id IS NULL
UNION ALL
SELECT place.account_id, 'events_placement', position::text,
    'the event that has this place, of that account', 'none'
FROM events_placement AS place LEFT JOIN events_event AS event
    ON event.id = place.event_id AND event.account_id IS NOT DISTINCT FROM place.account_id
WHERE event.id IS NULL
UNION ALL
SELECT NULL, 'events_feed_state', '1',
    concat('places from ', pruned_through + 1, ' to ', last_position, ' without gaps'),
    concat(many, ' places from ', low, ' to ', high)
FROM events_feed_state, (
    SELECT count(*) AS many, min(position) AS low, max(position) AS high FROM events_placement
) AS places
WHERE many <> last_position - pruned_through
    OR many > 0 AND (low, high) IS DISTINCT FROM (pruned_through + 1, last_position)
"""
QUESTIONS = [
    Question("empty", EMPTY),
    Question("past", PAST),
    Question("held", HELD),
    Question("withdrawn", WITHDRAWN),
    Question("event_sequence", SEQUENCE_OF_EVENTS),
    Question("events", TOLD),
    Question("transfers", TRANSFERS, is_sliced=False),
    Question("reversals", REVERSALS, is_sliced=False),
    Question("captured", CAPTURED, is_sliced=False, is_whole=True),
    Question("money", MONEY, is_sliced=False, is_whole=True),
    Question("places", PLACES, is_sliced=False, is_whole=True),
]

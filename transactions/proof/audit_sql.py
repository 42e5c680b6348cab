"""The questions of the audit, as SQL: each answers with what is wrong, and with nothing when all is well.

`audit_walk` looks at the rows, one after the other; these look at what is beside them: holds, links between
rows, events.
"""

from typing import NamedTuple

from transactions.models import SIGNED_AMOUNT


class Question(NamedTuple):
    """A check that one statement decides: it gives (account, table, row, expected, found) of what is wrong.

    A sliced one is asked of some accounts at a time; a whole one cannot be asked of a part of the ledger.
    """

    name: str
    sql: str
    is_sliced: bool = True
    is_whole: bool = False


def _is_told(number: str, text: str) -> str:
    """Whether an event's text is a number of the ledger, in the precision of some currency.

    The text is where the number's own, with its eight decimals, begins; what follows is nothing but zeros.
    """
    zeros = ", ".join(f"'{'0' * count}'" for count in range(8))
    return f"""(
        {number} IS NULL AND {text} IS NULL OR coalesce(starts_with({number}::text, {text})
            AND substr({number}::text, octet_length({text}) + 1) IN ({zeros}, '.00000000'), false)
    )"""


QUESTIONS = [
    Question(
        "empty",
        """
SELECT id, 'accounts_account', id::text, 'no balance and no version without transactions',
    concat('balance ', balance, ', version ', version)
FROM accounts_account AS account
WHERE id BETWEEN %(first)s AND %(last)s AND (balance <> 0 OR version <> 0)
    AND NOT EXISTS (SELECT FROM transactions_transaction WHERE account_id = account.id)
""",
    ),
    # Only where something came late are the orders of effect and of recording not the same.
    Question(
        "past",
        f"""
WITH scope AS (
    SELECT id, credit_limit_max FROM accounts_account AS account
    WHERE id BETWEEN %(first)s AND %(last)s AND last_recorded_at > %(since)s AND EXISTS (
        SELECT FROM transactions_transaction WHERE account_id = account.id AND status = 'POSTED' AND late
    )
), instants AS (
    SELECT account_id, credit_limit_max, (array_agg(t.id ORDER BY t.version DESC))[1] AS id, effective_at,
        sum(sum({SIGNED_AMOUNT})) OVER (
            PARTITION BY account_id ORDER BY effective_at
        ) AS balance
    FROM scope JOIN transactions_transaction AS t ON account_id = scope.id AND status = 'POSTED'
    GROUP BY account_id, credit_limit_max, effective_at
)
SELECT account_id, 'transactions_transaction', id::text,
    concat('at the end of ', effective_at, ' no less than ', -credit_limit_max), balance::text
FROM instants WHERE balance < -credit_limit_max
""",  # noqa: S608, no value is in the text
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
    Question(
        "withdrawn",
        """
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
""",
    ),
    # The events of an account: without gaps from what was pruned on, each transaction told as it is.
    Question(
        "event_sequence",
        """
SELECT account_id, 'events_event', id::text, concat('account_sequence ', coalesce(before + 1, 1)),
    concat('account_sequence ', account_sequence)
FROM (
    SELECT account_id, account_sequence,
        lag(account_sequence) OVER (PARTITION BY account_id ORDER BY account_sequence) AS before
    FROM events_event WHERE account_id BETWEEN %(first)s AND %(last)s
) AS told
CROSS JOIN LATERAL (  -- OFFSET keeps it apart: an index tells of gaps, only what follows one is read
    SELECT id, recorded_at FROM events_event
    WHERE account_id = told.account_id AND account_sequence = told.account_sequence OFFSET 0
) AS event
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
""",
    ),
    Question(
        "events",
        f"""
WITH told AS (
    SELECT id, account_id, type, recorded_at, data ->> 'id' AS transaction_id, data ->> 'type' AS its_type,
        data ->> 'amount' AS amount, data ->> 'version' AS version, data ->> 'balance_after' AS balance_after
    FROM events_event
    WHERE account_id BETWEEN %(first)s AND %(last)s AND recorded_at > %(since)s
        AND type IN ('transaction.posted', 'transaction.declined')
), decided AS (
    SELECT id, account_id, type, amount, status, version, balance_after, recorded_at
    FROM transactions_transaction
    WHERE account_id BETWEEN %(first)s AND %(last)s AND recorded_at > %(since)s
)
SELECT coalesce(told.account_id, decided.account_id),
    CASE WHEN decided.id IS NULL THEN 'events_event' ELSE 'transactions_transaction' END,
    coalesce(decided.id::text, told.id::text),
    CASE WHEN decided.id IS NULL THEN 'the transaction that the event tells of, at its moment'
        ELSE 'an event that tells of it as it is' END,
    CASE WHEN decided.id IS NULL THEN 'none' WHEN told.id IS NULL THEN 'none'
        ELSE concat('event ', told.id, ': ', told.type, ' ', its_type, ' ', told.amount, ', version ',
            told.version, ', balance after ', told.balance_after) END
FROM told FULL JOIN decided ON told.account_id = decided.account_id
    AND told.recorded_at = decided.recorded_at AND transaction_id = decided.id::text
WHERE told.id IS NULL AND decided.recorded_at > coalesce((
        SELECT min(recorded_at) FROM events_event WHERE account_id = decided.account_id
            AND (SELECT pruned_through > 0 FROM events_feed_state)
    ), '-infinity')
    OR decided.id IS NULL
    OR told.id IS NOT NULL AND (
        (told.type, its_type, told.version) IS DISTINCT FROM
            ('transaction.' || lower(decided.status), decided.type::text, decided.version::text)
        OR NOT {_is_told("decided.amount", "told.amount")}
        OR NOT {_is_told("decided.balance_after", "told.balance_after")}
    )
""",  # noqa: S608, no value is in the text
    ),
    Question(
        "transfers",
        """
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
""",
        is_sliced=False,
    ),
    Question(
        "reversals",
        """
SELECT taken.account_id, 'transactions_transaction', taken.id::text,
    'the opposite of a posted transaction of the same account and amount that is no reversal itself',
    concat_ws(' ', 'reverses', taken.reverses, given.type, given.amount, given.status)
FROM transactions_transaction AS taken
LEFT JOIN transactions_transaction AS given ON given.id = taken.reverses
WHERE taken.status = 'POSTED' AND taken.reverses IS NOT NULL AND taken.recorded_at > %(since)s AND (
    (given.account_id, given.amount, given.status, given.type <> taken.type, given.reverses IS NULL)
    IS DISTINCT FROM (taken.account_id, taken.amount, 'POSTED', true, true)
)
""",
        is_sliced=False,
    ),
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
    Question(
        "money",
        f"""
SELECT NULL::uuid, 'accounts_account', currency, concat('balances that add up to ', outside), inside::text
FROM (
    SELECT currency, sum(balance) AS inside, sum(outside) AS outside FROM accounts_account
    LEFT JOIN (
        SELECT account_id, sum({SIGNED_AMOUNT}) AS outside
        FROM transactions_transaction WHERE status = 'POSTED' AND transfer IS NULL GROUP BY account_id
    ) AS moves ON account_id = id
    GROUP BY currency
) AS totals WHERE inside <> coalesce(outside, 0)
""",  # noqa: S608, no value is in the text
        is_sliced=False,
        is_whole=True,
    ),
    Question(
        "places",
        """
WITH odd AS MATERIALIZED (
    SELECT event.id, event.account_id, pending.event_id AS pending, position, place.account_id AS owner
    FROM events_event AS event
    FULL JOIN events_placement AS place ON place.event_id = event.id
    FULL JOIN events_pending AS pending ON pending.event_id = coalesce(event.id, place.event_id)
    WHERE event.id IS NULL OR (position IS NULL) = (pending.event_id IS NULL)
        OR position IS NOT NULL AND event.account_id IS DISTINCT FROM place.account_id
)
SELECT account_id, 'events_event', id::text, 'a place in the feed, or to wait for one',
    CASE WHEN pending IS NULL THEN 'neither' ELSE 'both' END
FROM odd WHERE id IS NOT NULL AND (position IS NULL) = (pending IS NULL)
UNION ALL
SELECT NULL, 'events_pending', pending::text, 'the event that waits', 'none'
FROM odd WHERE id IS NULL AND pending IS NOT NULL
UNION ALL
SELECT owner, 'events_placement', position::text, 'the event that has this place, of that account', 'none'
FROM odd WHERE position IS NOT NULL AND (id IS NULL OR account_id IS DISTINCT FROM owner)
UNION ALL
SELECT NULL, 'events_feed_state', '1',
    concat('places from ', pruned_through + 1, ' to ', last_position, ' without gaps'),
    concat(many, ' places from ', low, ' to ', high)
FROM events_feed_state, (
    SELECT count(*) AS many, min(position) AS low, max(position) AS high FROM events_placement
) AS places
WHERE many <> last_position - pruned_through
    OR many > 0 AND (low, high) IS DISTINCT FROM (pruned_through + 1, last_position)
""",
        is_sliced=False,
        is_whole=True,
    ),
]

"""What a restored ledger must have of what was acknowledged, and what it must not have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

Content = tuple[str, ...]


@dataclass(frozen=True)
class Reply:
    """One thing that was asked for and acknowledged: a transaction or a hold, and what it was."""

    id: str
    asked_at: datetime
    acknowledged_at: datetime
    content: Content


CHARGES = LOST, WRONG, LATER, UNSOUND = (
    "lost",
    "not what was acknowledged",
    "of later",
    "sums that are not right",
)

TRANSACTIONS = """
SELECT id::text, account_id::text, type, amount::text, status, coalesce(version::text, ''),
    encode(chain_hash, 'hex')
FROM transactions_transaction
"""
HOLDS = "SELECT id::text, account_id::text, 'HOLD', amount::text, status FROM accounts_hold"
# Each counts what must not be.
SUMS = {
    "balances that are not the sum of their transactions": """
        SELECT count(*) FROM accounts_account AS account WHERE balance <> (
            SELECT coalesce(sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END), 0)
            FROM transactions_transaction WHERE account_id = account.id AND status = 'POSTED')""",
    "accounts whose versions have gaps": """
        SELECT count(*) FROM accounts_account AS account WHERE (version, version) <> (
            SELECT count(*), coalesce(max(version), 0) FROM transactions_transaction
            WHERE account_id = account.id AND status = 'POSTED')""",
    "accounts whose holds do not add up": """
        SELECT count(*) FROM accounts_account AS account WHERE held <> (
            SELECT coalesce(sum(amount - captured), 0) FROM accounts_hold
            WHERE account_id = account.id AND status = 'OPEN')""",
    "accounts whose events have gaps": """
        SELECT count(*) FROM accounts_account AS account WHERE (event_sequence, event_sequence) <> (
            SELECT count(*), coalesce(max(sequence), 0) FROM events_event
            WHERE stream = account.id)""",
    "transactions without their one event": """
        SELECT count(*) FROM transactions_transaction AS row WHERE 1 <> (
            SELECT count(*) FROM events_event WHERE stream = row.account_id AND about = row.seq)""",
    "transfers with one leg": """
        SELECT count(*) FROM (
            SELECT FROM transactions_transaction WHERE transfer IS NOT NULL AND status = 'POSTED'
            GROUP BY transfer HAVING count(*) <> 2 OR count(DISTINCT type) <> 2) AS alone""",
    "events without a place that do not wait for one": """
        SELECT count(*) FROM events_event
        WHERE (stream, sequence) NOT IN (SELECT stream, sequence FROM events_placement)
            AND (stream, sequence) NOT IN (SELECT stream, sequence FROM events_pending)""",
    "money from nowhere": """
        SELECT ((SELECT coalesce(sum(balance), 0) FROM accounts_account) <> (
            SELECT coalesce(sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END), 0)
            FROM transactions_transaction WHERE status = 'POSTED' AND transfer IS NULL))::int""",
}


def read_contents(connection: psycopg.Connection) -> dict[str, Content]:
    rows = [*connection.execute(TRANSACTIONS), *connection.execute(HOLDS)]
    return {row[0]: row[1:] for row in rows}


def find_unsound(connection: psycopg.Connection) -> Iterator[tuple[str, str]]:
    for name, statement in SUMS.items():
        [count] = connection.execute(statement).fetchone()
        if count:
            yield UNSOUND, f"{count} {name}"


def compare(
    replies: Sequence[Reply], contents: dict[str, Content], since: datetime, until: datetime
) -> Iterator[tuple[str, str]]:
    """Everything acknowledged before `since` is there, and nothing that was asked for after `until`."""
    for reply in replies:
        found = contents.get(reply.id)
        if found is None:
            if reply.acknowledged_at < since:
                yield LOST, reply.id
        elif reply.asked_at > until:
            yield LATER, reply.id
        elif found[: len(reply.content)] != reply.content:
            yield WRONG, f"{reply.id}: {found}"

"""The statements of posting that are written by hand: the look under the lock, the past, and the one write.

A posting writes its transactions, events, pending events and accounts in one statement, because the guards
of the database let a balance and its transactions change only together.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from accounts import holds
from accounts.models import Account, Hold
from accounts.operations import write_ids
from events import outbox
from events.wire import format_time
from transactions.models import Transaction


@dataclass(frozen=True)
class Look:
    """What a look at the database found: its clock, and which of the ids are decided already."""

    clock: datetime
    isolation: str
    decided: set[UUID]


# Each id is looked up by itself, by OFFSET, so that the plan does not depend on what is known of the table.
LOOK = """
SELECT clock_timestamp(), current_setting('transaction_isolation'), array(
    SELECT decided.id FROM unnest(%s::uuid[]) AS asked(id), LATERAL (
        SELECT id FROM transactions_transaction WHERE id = asked.id OFFSET 0
    ) AS decided
)
"""


def look(ids: Iterable[UUID]) -> Look:
    """One statement, so that under a lock it sees all that was committed before."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [write_ids(ids)])
        clock, isolation, decided = cursor.fetchone()
    return Look(clock=clock, isolation=isolation, decided=set(decided))


def find_existing(account_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are an account's, whoever has locked it."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING, [write_ids(set(account_ids))])
        return {id for (id,) in cursor.fetchall()}


EXISTING = "SELECT id FROM accounts_account WHERE id = ANY((SELECT %s::uuid[])::uuid[])"


def find_broken_instant(
    account: Account, effective_at: datetime, amount: Decimal, unwritten: Iterable[Transaction]
) -> tuple[datetime, Decimal] | None:
    """The first instant at which a late withdrawal would break the past, and the balance there; or None.

    The balance at the end of every instant from `effective_at` on must stay at or above minus the
    credit limit. `account.balance` and `unwritten` hold what this same posting has decided before. Linear in
    the rows that are effective after the instant.
    """
    moves = [
        {"effective_at": format_time(row.effective_at), "change": str(row.change)}
        for row in unwritten
        if row.account_id == account.id and row.version and row.effective_at > effective_at
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            BROKEN_INSTANT,
            {
                "account": account.id,
                "at": effective_at,
                "balance": account.balance,
                "needed": amount - account.credit_limit,
                "unwritten": json.dumps(moves),
            },
        )
        broken: tuple[datetime, Decimal] | None = cursor.fetchone()
    return broken


# From the present backwards: the balance at the end of an instant is today's less all that moved later.
BROKEN_INSTANT = """
WITH later AS (
    SELECT effective_at, sum(change) AS change FROM (
        SELECT effective_at, CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END AS change
        FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late AND effective_at > %(at)s
        UNION ALL
        SELECT effective_at, CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END
        FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND late AND effective_at > %(at)s
        UNION ALL
        SELECT effective_at, change
        FROM jsonb_to_recordset(%(unwritten)s::jsonb) AS move (effective_at timestamptz, change numeric)
    ) AS moves GROUP BY effective_at
), instants AS (
    SELECT effective_at, %(balance)s::numeric - coalesce(sum(change) OVER (
        ORDER BY effective_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS balance FROM later
    UNION ALL
    SELECT %(at)s::timestamptz, %(balance)s::numeric - coalesce(sum(change), 0) FROM later
)
SELECT effective_at, balance FROM instants WHERE balance < %(needed)s::numeric
ORDER BY effective_at LIMIT 1
"""

WRITTEN = """
WITH written AS (
    INSERT INTO transactions_transaction (
        id, account_id, type, amount, reference, metadata, effective_at_asked, status, decline_reason,
        decline_details, version, balance_after, recorded_at, effective_at, late, transfer, reverses, hold,
        actor, request_id, chain_hash
    )
    SELECT id, account, type, amount, reference, metadata, effective_at_asked, status, decline_reason,
        decline_details, version, balance_after, recorded_at, effective_at, late, transfer, reverses, hold,
        actor, request_id, chain_hash
    FROM jsonb_to_recordset(%s::jsonb) AS row (
        id uuid, account uuid, type text, amount numeric, reference text, metadata jsonb,
        effective_at_asked timestamptz, status text, decline_reason text, decline_details jsonb,
        version bigint, balance_after numeric, recorded_at timestamptz, effective_at timestamptz,
        late boolean, transfer uuid, reverses uuid, hold uuid, actor uuid, request_id text, chain_hash bytea
    )
)"""
UPDATED = """
UPDATE accounts_account AS account SET
    balance = new.balance, held = new.held, version = new.version, event_sequence = new.event_sequence,
    last_recorded_at = new.last_recorded_at, last_effective_at = new.last_effective_at,
    chain_head = new.chain_head, withdrawn_on = new.withdrawn_on, withdrawn = new.withdrawn
FROM jsonb_to_recordset(%s::jsonb) AS new (
    id uuid, balance numeric, held numeric, version bigint, event_sequence bigint,
    last_recorded_at timestamptz, last_effective_at timestamptz, chain_head bytea, withdrawn_on date,
    withdrawn numeric
)
WHERE account.id = new.id AND account.id = ANY((SELECT %s::uuid[])::uuid[])
"""
WRITE = f"{WRITTEN}, {outbox.WRITE_EVENTS}{UPDATED}"
WRITE_WITH_HOLDS = f"{WRITTEN}, {holds.CHANGE_HOLDS}, {outbox.WRITE_EVENTS}{UPDATED}"


def describe_write(
    transactions: Iterable[Transaction],
    accounts: Iterable[Account],
    events: Sequence[outbox.NewEvent],
    changed_holds: Sequence[Hold] = (),
) -> tuple[str, list[str]]:
    """The one statement that writes a posting, and its parameters."""
    accounts = list(accounts)
    parameters = [
        "[" + ",".join([_as_row(transaction) for transaction in transactions]) + "]",
        *(holds.describe_changes(changed_holds) if changed_holds else ()),
        orjson.dumps(events).decode(),
        orjson.dumps([_as_account_row(account) for account in accounts]).decode(),
        f"{{{','.join([account.id_text for account in accounts])}}}",  # so that they are looked up by index
    ]
    return WRITE_WITH_HOLDS if changed_holds else WRITE, parameters


def write(statement: str, parameters: Sequence[str]) -> None:
    """Write a posting in the caller's transaction, as `describe_write` tells it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _as_row(row: Transaction) -> str:
    """What the API shows of it, and what it does not show."""
    asked = f'"{format_time(row.effective_at_asked)}"' if row.effective_at_asked else "null"
    return (
        f'{row.as_json()[:-1].decode()},"effective_at_asked":{asked},"actor":"{row.actor_text}",'
        f'"chain_hash":"\\\\x{row.chain_hash.hex()}"}}'
    )


def _as_account_row(account: Account) -> dict[str, Any]:
    return {
        "id": account.id_text,
        "balance": str(account.balance),
        "held": str(account.held),
        "version": account.version,
        "event_sequence": account.event_sequence,
        "last_recorded_at": account.last_recorded_at and format_time(account.last_recorded_at),
        "last_effective_at": account.last_effective_at and format_time(account.last_effective_at),
        "chain_head": "\\x" + bytes(account.chain_head).hex(),
        "withdrawn_on": account.withdrawn_on and account.withdrawn_on.isoformat(),
        "withdrawn": str(account.withdrawn),
    }

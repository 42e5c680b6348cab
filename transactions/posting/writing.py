"""The statements of posting: the look under the lock, the past, and the one that writes everything.

A posting writes its transactions, holds, events, pending events and accounts in one statement, because the
triggers of the database let a balance and its transactions change only together.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, cast
from uuid import UUID

import orjson
from django.db import connection

from accounts.models import HOLD_TABLE, Account, Hold
from events import outbox
from ledger.sql import fetch
from ledger.values import format_optional_time, format_time, write_ids
from transactions.models import SIGNED_AMOUNT, TABLE, Transaction
from transactions.posting.state import AccountState, State


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
    [(clock, isolation, decided)] = fetch(LOOK, [write_ids(ids)])
    return Look(clock=clock, isolation=isolation, decided=set(decided))


def find_existing(account_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are an account's, whoever has locked it."""
    return {id for (id,) in fetch(EXISTING, [write_ids(set(account_ids))])}


EXISTING = "SELECT id FROM accounts_account WHERE id = ANY((SELECT %s::uuid[])::uuid[])"


def find_broken_instant(
    account: AccountState, effective_at: datetime, amount: Decimal, unwritten: Iterable[Transaction]
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
    asked = {
        "account": account.id,
        "at": effective_at,
        "balance": account.balance,
        "needed": amount - account.credit_limit,
        "unwritten": json.dumps(moves),
    }
    found = fetch(BROKEN_INSTANT, asked)
    return cast(tuple[datetime, Decimal], found[0]) if found else None


# From the present backwards: the balance at the end of an instant is today's less all that moved later.
BROKEN_INSTANT = f"""
WITH later AS (
    SELECT effective_at, sum(change) AS change FROM (
        SELECT effective_at, {SIGNED_AMOUNT} AS change
        FROM transactions_transaction
        WHERE account_id = %(account)s AND status = 'POSTED' AND NOT late AND effective_at > %(at)s
        UNION ALL
        SELECT effective_at, {SIGNED_AMOUNT}
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
"""  # noqa: S608, no value is in the text

# The arms of the one statement. The ids of what is changed stand twice, so that rows are found by index,
# however many they are thought to be.
CHANGED_HOLDS = """
    UPDATE accounts_hold AS hold
    SET captured = new.captured, status = new.status, closed_at = new.closed_at
    FROM jsonb_to_recordset(%s::jsonb) AS new (
        id uuid, captured numeric, status text, closed_at timestamptz
    )
    WHERE hold.id = new.id AND hold.id = ANY((SELECT %s::uuid[])::uuid[])"""
ACCOUNT_COLUMNS = {
    "balance": "numeric",
    "held": "numeric",
    "withdrawn_on": "date",
    "withdrawn": "numeric",
    "version": "bigint",
    "event_sequence": "bigint",
    "last_recorded_at": "timestamptz",
    "last_effective_at": "timestamptz",
    "chain_head": "bytea",
}
RULES = {
    "status": "text",
    "status_reason": "text",
    "credit_limit": "numeric",
    "credit_limit_max": "numeric",
    "withdraw_max": "numeric",
    "withdraw_day_max": "numeric",
}


def describe_write(state: State) -> list[tuple[str, list[str]]]:
    """The one statement that writes what was decided, and its parameters; nothing if nothing changes."""
    if not (state.is_decided and state.touched):
        return []
    # By account, as the indexes are: neighbours are on one page.
    accounts = sorted([state.accounts[id] for id in state.touched], key=_get_id)
    rows = sorted(state.rows, key=_get_account_id)
    events = sorted(state.events, key=_get_account_of_event)
    parameters = []
    if rows:
        parameters.append("[" + ",".join([TABLE.to_row(row, row.to_json()) for row in rows]) + "]")
    if state.placed:
        holds = [HOLD_TABLE.to_row(hold, orjson.dumps(hold.to_dict())) for hold in state.placed.values()]
        parameters.append("[" + ",".join(holds) + "]")
    if state.changed:
        changed = [_describe_hold(hold) for hold in state.changed.values()]
        parameters += [orjson.dumps(changed).decode(), write_ids(state.changed)]
    parameters.append(orjson.dumps(events).decode())
    parameters.append(orjson.dumps([_describe_account(account) for account in accounts]).decode())
    if state.changed_rules:
        rules = [_describe_rules(account) for account in state.changed_rules.values()]
        parameters.append(orjson.dumps(rules).decode())
    parameters.append(f"{{{','.join([account.id_text for account in accounts])}}}")
    statement = compile_write(
        rows=bool(rows),
        placed=bool(state.placed),
        changed=bool(state.changed),
        rules=bool(state.changed_rules),
    )
    return [(statement, parameters)]


@cache
def compile_write(*, rows: bool, placed: bool, changed: bool, rules: bool) -> str:
    arms = []
    if rows:
        arms.append(f"written AS ({TABLE.insert}\n)")
    if placed:
        arms.append(f"placed AS ({HOLD_TABLE.insert}\n)")
    if changed:
        arms.append(f"changed AS ({CHANGED_HOLDS}\n)")
    names = list(ACCOUNT_COLUMNS)
    sets = ", ".join(f"{name} = new.{name}" for name in names)
    typed = ", ".join(f"{name} {type}" for name, type in ACCOUNT_COLUMNS.items())
    beside = ""
    if rules:
        sets += ", " + ", ".join(
            f"{name} = CASE WHEN rules.id IS NULL THEN account.{name} ELSE rules.{name} END" for name in RULES
        )
        of_rules = ", ".join(f"{name} {type}" for name, type in RULES.items())
        beside = (
            f"\nLEFT JOIN jsonb_to_recordset(%s::jsonb) AS rules (id uuid, {of_rules}) ON rules.id = new.id"
        )
    return f"""WITH {", ".join([*arms, outbox.WRITE_EVENTS.strip()])}
UPDATE accounts_account AS account SET {sets}
FROM jsonb_to_recordset(%s::jsonb) AS new (id uuid, {typed}){beside}
WHERE account.id = new.id AND account.id = ANY((SELECT %s::uuid[])::uuid[])
"""  # noqa: S608, of names, never of values


def write(statement: str, parameters: Sequence[str]) -> None:
    """Write a posting in the caller's transaction, as `describe_write` tells it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


_get_id = attrgetter("id_text")
_get_account_id = attrgetter("account_id_text")
_get_account_of_event = itemgetter("account_id")


def _describe_hold(hold: Hold) -> dict[str, Any]:
    return {
        "id": str(hold.id),
        "captured": str(hold.captured),
        "status": hold.status,
        "closed_at": format_optional_time(hold.closed_at),
    }


def _describe_account(account: AccountState) -> dict[str, Any]:
    return {
        "id": account.id_text,
        "balance": str(account.balance),
        "held": str(account.held),
        "withdrawn_on": account.withdrawn_on and account.withdrawn_on.isoformat(),
        "withdrawn": str(account.withdrawn),
        "version": account.version,
        "event_sequence": account.event_sequence,
        "last_recorded_at": format_optional_time(account.last_recorded_at),
        "last_effective_at": format_optional_time(account.last_effective_at),
        "chain_head": "\\x" + account.chain_head.hex(),
    }


def _describe_rules(account: Account) -> dict[str, Any]:
    values = {name: getattr(account, name) for name in RULES}
    return {"id": str(account.id)} | {
        name: value if value is None or RULES[name] == "text" else str(value)
        for name, value in values.items()
    }

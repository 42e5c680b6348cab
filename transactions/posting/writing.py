"""The statements of posting: the look under the lock, and the one that writes everything.

A posting writes its transactions, holds, events, pending events and accounts in one statement, because the
triggers of the database let a balance and its transactions change only together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter, itemgetter
from uuid import UUID

import orjson
from django.db import OperationalError, connection

from accounts.models import CLAIM_TABLE, HOLD_TABLE, write_changes
from events import outbox
from ledger.sql import fetch
from ledger.values import write_bytes, write_ids
from transactions.errors import RequestInProgress
from transactions.models import BATCH_TABLE, TABLE, chain
from transactions.posting.settling import writing as settling
from transactions.posting.state import State

LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Look:
    """What a look at the database found: its clock, and which of the ids are decided already."""

    clock: datetime
    isolation: str
    decided: set[UUID]
    batches: Mapping[UUID, bytes] = field(default_factory=dict)  # the fingerprints of those decided already


# Each id is looked up by itself, by OFFSET, so that the plan does not depend on what is known of the table.
LOOK = """
SELECT clock_timestamp(), current_setting('transaction_isolation'), array(
    SELECT decided.id FROM unnest(%s::uuid[]) AS asked(id), LATERAL (
        SELECT id FROM transactions_transaction WHERE id = asked.id OFFSET 0
    ) AS decided
)
"""


# With the lists that are decided already, each as its id, a colon and its fingerprint.
LOOK_AT_BATCHES = f"""{LOOK.rstrip()}, array(
    SELECT concat(known.id, ':', encode(known.fingerprint, 'hex'))
    FROM unnest(%s::uuid[]) AS asked(id), LATERAL (
        SELECT id, fingerprint FROM transactions_batch WHERE id = asked.id OFFSET 0
    ) AS known
)
"""  # noqa: S608, of constants


def look(ids: Iterable[UUID], batch_ids: Sequence[UUID] = ()) -> Look:
    """One statement, so that under a lock it sees all that was committed before."""
    asked = [write_ids(ids), *([write_ids(batch_ids)] if batch_ids else ())]
    [(clock, isolation, decided, *batches)] = fetch(LOOK_AT_BATCHES if batch_ids else LOOK, asked)
    known = read_fingerprints(batches[0]) if batches else {}
    return Look(clock=clock, isolation=isolation, decided=set(decided), batches=known)


def read_fingerprints(texts: Iterable[str]) -> dict[UUID, bytes]:
    """Of lists, as a look finds them."""
    pairs = (text.split(":") for text in texts)
    return {UUID(id): bytes.fromhex(fingerprint) for id, fingerprint in pairs}


def find_existing(account_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are an account's, whoever has locked it."""
    return {id for (id,) in fetch(EXISTING, [write_ids(set(account_ids))])}


EXISTING = "SELECT id FROM accounts_account WHERE id = ANY((SELECT %s::uuid[])::uuid[])"


# What is changed of rows, and of an account by commands about its rules alone.
HOLD_COLUMNS = {
    "amount": "numeric",
    "expires_at": "timestamptz",
    "captured": "numeric",
    "status": "text",
    "closed_at": "timestamptz",
    "event_sequence": "bigint",
}
CLAIM_COLUMNS = {
    "collected": "numeric",
    "collections": "int",
    "status": "text",
    "waived_reason": "text",
    "closed_at": "timestamptz",
    "event_sequence": "bigint",
}
ACCOUNT_COLUMNS = {
    "balance": "numeric",
    "held": "numeric",
    "withdrawn_on": "date",
    "withdrawn": "numeric",
    "seq": "bigint",
    "version": "bigint",
    "event_sequence": "bigint",
    "last_recorded_at": "timestamptz",
    "last_effective_at": "timestamptz",
    "chain_head": "bytea",
}
OWING_COLUMNS = ACCOUNT_COLUMNS | {"owed": "numeric"}  # where claims are among what is written
RULES = {
    "status": "text",
    "status_reason": "text",
    "credit_limit": "numeric",
    "credit_limit_max": "numeric",
    "withdraw_max": "numeric",
    "withdraw_day_max": "numeric",
    "metadata": "jsonb",
}


def describe_write(state: State) -> list[tuple[str, list[str]]]:
    """The one statement that writes what was decided, and its parameters; nothing if nothing changes."""
    if not ((state.is_decided and state.touched) or state.batches):
        return []
    # By account, as the indexes are: neighbours are on one page.
    rows = sorted(state.rows, key=_get_account_id)
    events = sorted(state.events, key=_get_stream)
    heads = {id: state.accounts[id].chain_head for id in state.touched}
    for row in rows:
        heads[row.account_id] = chain.link(row, heads[row.account_id])
    accounts = [state.accounts[id]._replace(chain_head=head) for id, head in heads.items()]
    accounts.sort(key=_get_id)
    parameters = []
    if state.batches:
        batches = [BATCH_TABLE.to_row(batch, orjson.dumps(batch.to_dict())) for batch in state.batches]
        parameters.append("[" + ",".join(batches) + "]")
    if rows:
        parameters.append("[" + ",".join([TABLE.to_row(row, row.as_json) for row in rows]) + "]")
    if state.placed:
        holds = [HOLD_TABLE.to_row(hold, orjson.dumps(hold.to_dict())) for hold in state.placed.values()]
        parameters.append("[" + ",".join(holds) + "]")
    if state.changed:
        parameters += [write_changes(state.changed.values(), HOLD_COLUMNS), write_ids(state.changed)]
    owing = state.opened_claims or state.changed_claims
    if state.opened_claims:
        claims = [
            CLAIM_TABLE.to_row(each, orjson.dumps(each.to_dict())) for each in state.opened_claims.values()
        ]
        parameters.append("[" + ",".join(claims) + "]")
    if state.changed_claims:
        parameters.append(write_changes(state.changed_claims.values(), CLAIM_COLUMNS))
        parameters.append(write_ids(state.changed_claims))
    if state.changed_thresholds:
        parameters += settling.write_thresholds(state.changed_thresholds)
    if state.is_told:
        parameters.append(outbox.write_texts(state.texts))
    parameters.append(orjson.dumps(events, default=write_bytes).decode())
    parameters.append(write_changes(accounts, OWING_COLUMNS if owing else ACCOUNT_COLUMNS))
    if state.changed_rules:
        parameters.append(write_changes(state.changed_rules.values(), RULES))
    if state.changed_thresholds:
        parameters.append(settling.write_nearest(each for each in accounts if each.id in state.thresholds))
    parameters.append(f"{{{','.join([account.id_text for account in accounts])}}}")
    statement = compile_write(
        batches=bool(state.batches),
        rows=bool(rows),
        placed=bool(state.placed),
        changed=bool(state.changed),
        rules=bool(state.changed_rules),
        opened_claims=bool(state.opened_claims),
        changed_claims=bool(state.changed_claims),
        thresholds=bool(state.changed_thresholds),
        told=state.is_told,
    )
    return [(statement, parameters)]


@cache
def compile_write(
    *,
    batches: bool,
    rows: bool,
    placed: bool,
    changed: bool,
    rules: bool,
    opened_claims: bool,
    changed_claims: bool,
    thresholds: bool,
    told: bool,
) -> str:
    """The ids of what is changed stand twice in it, so that rows are found by index, however many they are
    thought to be.
    """
    arms = []
    if batches:
        arms.append(f"batches AS ({BATCH_TABLE.insert}\n)")
    if rows:
        arms.append(f"written AS ({TABLE.insert}\n)")
    if placed:
        arms.append(f"placed AS ({HOLD_TABLE.insert}\n)")
    if changed:
        arms.append(_write_update("changed", "accounts_hold", HOLD_COLUMNS))
    if opened_claims:
        arms.append(f"opened_claims AS ({CLAIM_TABLE.insert}\n)")
    if changed_claims:
        arms.append(_write_update("changed_claims", "accounts_claim", CLAIM_COLUMNS))
    if thresholds:
        arms.append(settling.WRITE_THRESHOLDS)
    columns = OWING_COLUMNS if opened_claims or changed_claims else ACCOUNT_COLUMNS
    sets, beside = _list_sets(columns), ""
    if rules:
        sets += ", " + ", ".join(
            f"{name} = CASE WHEN rules.id IS NULL THEN account.{name} ELSE rules.{name} END" for name in RULES
        )
        beside = (
            f"\nLEFT JOIN jsonb_to_recordset(%s::jsonb) AS rules (id uuid, {_list_types(RULES)})"
            " ON rules.id = new.id"
        )
    if thresholds:
        sets += settling.SET_NEAREST
        beside += settling.BESIDE_NEAREST
    arms.append((outbox.WRITE_TOLD_EVENTS if told else outbox.WRITE_EVENTS).strip())
    return f"""WITH {", ".join(arms)}
UPDATE accounts_account AS account SET {sets}
FROM jsonb_to_recordset(%s::jsonb) AS new (id uuid, {_list_types(columns)}){beside}
WHERE account.id = new.id AND account.id = ANY((SELECT %s::uuid[])::uuid[])
"""  # noqa: S608, of names, never of values


def _write_update(name: str, table: str, columns: Mapping[str, str]) -> str:
    """An arm that changes rows of the table."""
    return f"""{name} AS (
    UPDATE {table} AS kept SET {_list_sets(columns)}
    FROM jsonb_to_recordset(%s::jsonb) AS new (id uuid, {_list_types(columns)})
    WHERE kept.id = new.id AND kept.id = ANY((SELECT %s::uuid[])::uuid[])
)"""  # noqa: S608, of names, never of values


def _list_sets(columns: Iterable[str]) -> str:
    return ", ".join(f"{name} = new.{name}" for name in columns)


def _list_types(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {type}" for name, type in columns.items())


def write(statement: str, parameters: Sequence[str]) -> None:
    """Write a posting in the caller's transaction, as `describe_write` tells it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except OperationalError as error:
        require_no_lock(error)
        raise


def require_no_lock(error: OperationalError) -> None:
    """Who waits in the write waits for another transaction that has one of its ids in hand.

    Raises `RequestInProgress` if it was in vain.
    """
    if is_lock_timeout(error):
        raise RequestInProgress("The same id is being worked on at this moment.") from error


def is_lock_timeout(error: Exception) -> bool:
    """Whether somebody else held a lock for longer than anybody waits."""
    return getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE


_get_id = attrgetter("id_text")
_get_account_id = attrgetter("account_id_text")
_get_stream = itemgetter("stream")

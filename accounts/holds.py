"""Setting funds aside: a hold is placed, then captured by withdrawals (`transactions`), released, or expires.

All of it is decided under the lock of the account, by the database's clock. Whoever holds that lock ends the
due holds first, so that an expired one never stands in the way of anything.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.transaction import atomic

from accounts import currencies, errors, queries
from accounts.models import BALANCE_MAX, Account, Hold, Is
from accounts.operations import (
    describe_next_event,
    lock_account,
    lock_accounts,
    once_more_after_a_race,
    read_clock,
    write_ids,
)
from events import outbox
from events.errors import gettext_noop
from events.wire import format_time

# The ids stand twice, so that rows are found by index however many they are thought to be.
# An arm of a WITH clause: what captures, releases and expiry change of a hold.
CHANGE_HOLDS = """
changed AS (
    UPDATE accounts_hold AS hold
    SET captured = new.captured, status = new.status, closed_at = new.closed_at
    FROM jsonb_to_recordset(%s::jsonb) AS new (
        id uuid, captured numeric, status text, closed_at timestamptz
    )
    WHERE hold.id = new.id AND hold.id = ANY((SELECT %s::uuid[])::uuid[])
)"""

WRITE = f"""
WITH placed AS (
    INSERT INTO accounts_hold (
        id, account_id, amount, captured, status, decline_reason, decline_details, expires_at, reference,
        metadata, created_at, closed_at, actor, request_id
    )
    SELECT id, account_id, amount, captured, status, decline_reason, decline_details, expires_at, reference,
        metadata, created_at, closed_at, actor, request_id
    FROM jsonb_to_recordset(%s::jsonb) AS hold (
        id uuid, account_id uuid, amount numeric, captured numeric, status text, decline_reason text,
        decline_details jsonb, expires_at timestamptz, reference text, metadata jsonb,
        created_at timestamptz, closed_at timestamptz, actor uuid, request_id text
    )
), {CHANGE_HOLDS}, {outbox.WRITE_EVENTS}
UPDATE accounts_account AS account SET held = new.held, event_sequence = new.event_sequence
FROM jsonb_to_recordset(%s::jsonb) AS new (id uuid, held numeric, event_sequence bigint)
WHERE account.id = new.id AND account.id = ANY((SELECT %s::uuid[])::uuid[])
"""  # noqa: S608, no value is in the text


def place_hold(
    *,
    id: UUID,
    account_id: UUID,
    amount: Decimal,
    expires_at: datetime | None = None,
    reference: str = "",
    metadata: dict[str, str] | None = None,
    actor: UUID,
    request_id: str = "",
) -> tuple[Hold, bool]:
    """The hold, OPEN or DECLINED, and whether it was there before: the same command is answered again.

    Raises `AccountNotFound`, `AmountInvalid`, `AmountNotPositive`, `AmountTooLarge`, `AmountScale`,
    `ExpiresAtInvalid`, `HoldReused`.
    """
    currencies.require_amount(amount)
    asked = {
        "account_id": account_id,
        "amount": amount,
        "expires_at": expires_at,
        "reference": reference,
        "metadata": metadata or {},
    }

    def find_or_place() -> tuple[Hold, bool]:
        if before := _find_same_command(id, asked):
            return before, True
        account = lock_account(account_id)
        if before := _find_same_command(id, asked):
            return before, True
        clock = read_clock()
        currencies.require_scale(amount, account.currency)
        if expires_at is not None and expires_at <= clock:
            raise errors.ExpiresAtInvalid("A hold expires later than now.")
        changed, events = expire_due([account], clock, {account_id: request_id})
        hold = Hold(
            id=id, status=Hold.Status.OPEN, created_at=clock, actor=actor, request_id=request_id, **asked
        )
        hold.account = account
        if decline := _find_decline(hold):
            hold.decline_reason, hold.decline_details = decline
            hold.close(Hold.Status.DECLINED, clock)
        else:
            account.held += amount
            events.append(_tell("hold.placed", hold, clock, request_id))
        write([account], placed=[hold], changed=changed, events=events)
        return hold, False

    return once_more_after_a_race(find_or_place)


@atomic
def release_hold(*, id: UUID, request_id: str = "") -> Hold:
    """The hold without what it had left; one that was released already, as it is.

    Raises `HoldNotFound`, `HoldNotOpen`.
    """
    account = lock_account(queries.find_hold(id).account_id)
    hold, clock = queries.find_hold(id), read_clock()
    hold.account = account
    if hold.status == Hold.Status.RELEASED:
        return hold
    if hold.remaining == 0 or hold.is_due(clock):
        state = Hold.Status.EXPIRED if hold.remaining else hold.status
        raise errors.HoldNotOpen(gettext_noop("The hold is not open any more."), hold_status=state)
    changed, events = expire_due([account], clock, {account.id: request_id})
    account.held -= hold.remaining
    hold.close(Hold.Status.RELEASED, clock)
    events.append(_tell("hold.released", hold, clock, request_id))
    write([account], changed=[*changed, hold], events=events)
    return hold


def expire_holds(account: Account, *, request_id: str = "") -> int:
    """End the due holds of a locked account; how many there were."""
    changed, events = expire_due([account], read_clock(), {account.id: request_id})
    if changed:
        write([account], changed=changed, events=events)
    return len(changed)


def expire_some(accounts_max: int = 100) -> int:
    """End due holds of so many accounts at most, an account per commit; how many holds there were.

    An account that is being worked on is left alone: who works on it ends its due holds.
    """
    expired = 0
    for id in queries.find_accounts_with_due_holds(accounts_max):
        with atomic():
            for account in lock_accounts([id], skip_locked=True).values():
                expired += expire_holds(account)
    return expired


def expire_due(
    accounts: Iterable[Account], clock: datetime, request_ids: Mapping[UUID, str]
) -> tuple[list[Hold], list[outbox.NewEvent]]:
    """End the due holds of locked accounts, in memory: to be written with the accounts, in one statement.

    `request_ids` tells for which request each account was locked.
    """
    by_id = {account.id: account for account in accounts if account.held}
    if not by_id:
        return [], []
    due = Hold.objects.filter(Is("status", value="OPEN"), account__in=by_id, expires_at__lte=clock)
    holds, events = list(due.order_by("expires_at", "id")), []
    for hold in holds:
        hold.account = by_id[hold.account_id]
        hold.account.held -= hold.remaining
        hold.close(Hold.Status.EXPIRED, hold.expires_at or clock)
        events.append(_tell("hold.expired", hold, clock, request_ids.get(hold.account_id, "")))
    return holds, events


def capture(hold: Hold, amount: Decimal, *, final: bool, clock: datetime, request_id: str) -> outbox.NewEvent:
    """Take `amount` out of an open hold of a locked account; a final capture gives back the rest.

    To be written with the withdrawal that it is part of.
    """
    hold.account.held -= amount
    hold.captured += amount
    if final or hold.remaining == 0:
        hold.account.held -= hold.remaining
        hold.close(Hold.Status.CAPTURED, clock)
    return _tell("hold.captured", hold, clock, request_id)


def write(
    accounts: Sequence[Account],
    *,
    placed: Sequence[Hold] = (),
    changed: Sequence[Hold] = (),
    events: Sequence[outbox.NewEvent] = (),
) -> None:
    """Holds, what their accounts hold for them, and the events, in one statement as the guards want it."""
    parameters = [
        json.dumps([_as_row(hold) for hold in placed]),
        *describe_changes(changed),
        orjson.dumps(events).decode(),
        json.dumps(
            [
                {"id": str(account.id), "held": str(account.held), "event_sequence": account.event_sequence}
                for account in accounts
            ]
        ),
        write_ids(account.id for account in accounts),
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, parameters)


def describe_changes(holds: Sequence[Hold]) -> list[str]:
    """The parameters of `CHANGE_HOLDS`."""
    rows = [
        {
            "id": str(hold.id),
            "captured": str(hold.captured),
            "status": hold.status,
            "closed_at": hold.closed_at and format_time(hold.closed_at),
        }
        for hold in holds
    ]
    return [json.dumps(rows), write_ids(hold.id for hold in holds)]


def _find_same_command(id: UUID, asked: dict[str, Any]) -> Hold | None:
    before = Hold.objects.filter(id=id).first()
    if before and (differs := [name for name in asked if asked[name] != getattr(before, name)]):
        raise errors.HoldReused(before, [name.removesuffix("_id") for name in differs])
    return before


def _find_decline(hold: Hold) -> tuple[str, dict[str, str]] | None:
    account = hold.account
    if account.status == Account.Status.CLOSED:
        return errors.ACCOUNT_CLOSED, {}
    if account.status == Account.Status.FROZEN:
        return errors.ACCOUNT_FROZEN, {}
    if account.held + hold.amount > BALANCE_MAX:
        limit, required = (
            currencies.format_amount(amount, account.currency) for amount in (BALANCE_MAX, hold.amount)
        )
        return errors.LIMIT_EXCEEDED, {"rule": "held", "limit": limit, "required": required}
    if hold.amount > account.available:
        return errors.INSUFFICIENT_FUNDS, {
            "available": currencies.format_amount(account.available, account.currency),
            "required": currencies.format_amount(hold.amount, account.currency),
        }
    return None


def _tell(type: str, hold: Hold, clock: datetime, request_id: str) -> outbox.NewEvent:
    return describe_next_event(
        type, hold.account, clock=clock, request_id=request_id, data=hold.as_resource()
    )


def _as_row(hold: Hold) -> dict[str, Any]:
    return {
        "id": str(hold.id),
        "account_id": str(hold.account_id),
        "amount": str(hold.amount),
        "captured": str(hold.captured),
        "status": hold.status,
        "decline_reason": hold.decline_reason,
        "decline_details": hold.decline_details,
        "expires_at": hold.expires_at and format_time(hold.expires_at),
        "reference": hold.reference,
        "metadata": hold.metadata,
        "created_at": format_time(hold.created_at),
        "closed_at": hold.closed_at and format_time(hold.closed_at),
        "actor": str(hold.actor),
        "request_id": hold.request_id,
    }

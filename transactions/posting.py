"""The engine: the only code that moves money.

One path: look the ids up, lock the accounts, look again and read the clock, decide in memory, write
everything in one statement, commit. One order is a batch of one.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.transaction import atomic, on_commit

from accounts import operations
from accounts.currencies import format_amount, has_scale
from accounts.errors import AccountNotFound
from accounts.models import BALANCE_MAX, Account
from events import outbox
from events.wire import format_time
from transactions import chain, errors, ledger_sql, metrics, queries
from transactions.models import Transaction
from transactions.orders import Order

ATTEMPTS_MAX = 5
CLOCK_SKEW_MAX = timedelta(minutes=5)
MICROSECOND = timedelta(microseconds=1)
# A duplicate id, a serialization failure, a deadlock: nothing was written. A shutdown: unknown.
RUN_AGAIN = {"23505", "40001", "40P01", "57P01", "57P02", "57P03"}


@dataclass(frozen=True, slots=True)
class Posting:
    """The answer to one order: its transaction, POSTED or DECLINED, and whether it was decided before."""

    transaction: Transaction
    replayed: bool


def post(orders: Sequence[Order], *, actor: UUID, request_id: str = "") -> list[Posting]:
    """Decide the orders in turn and write them in one commit; answers in the order of the orders.

    An id decided before is answered from its row, whatever has happened since. A decline is an answer, not an
    exception. Raises `LedgerError`s for what is refused unrecorded; then nothing of the list is written.

    Called outside a transaction it owns one, and runs again (with the same ids, so that nothing is doubled)
    after a lost connection, a deadlock or a lost race. Inside a caller's `atomic()` it is part of that
    transaction: one call, before the caller locks other rows; errors propagate, retries are the caller's.
    """
    if len({order.id for order in orders}) < len(orders):
        raise ValueError("An id stands twice in one posting.")
    with metrics.POSTING_SECONDS.time():
        if connection.in_atomic_block:
            return _post_once(orders, actor, request_id)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return _post_and_commit(orders, actor, request_id)
            except (Error, errors.CommitNotConfirmed) as error:
                if attempt == ATTEMPTS_MAX or not _may_run_again(error):
                    raise
            metrics.POSTING_RETRIES.inc()
            connection.close_if_unusable_or_obsolete()
            time.sleep(random.uniform(0.005, 0.02 * 2**attempt))  # noqa: S311, not a secret
    raise AssertionError("unreachable")


def _post_and_commit(orders: Sequence[Order], actor: UUID, request_id: str) -> list[Posting]:
    committed: list[bool] = []
    with atomic():
        postings = _post_once(orders, actor, request_id)
        on_commit(lambda: committed.append(True))
    if not committed:
        raise errors.CommitNotConfirmed
    return postings


def _may_run_again(error: Exception) -> bool:
    """Whether running the whole posting again can answer it. A lost connection has no SQLSTATE."""
    if isinstance(error, errors.CommitNotConfirmed):
        return True
    sqlstate: str | None = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in RUN_AGAIN or sqlstate.startswith("08")


def _post_once(orders: Sequence[Order], actor: UUID, request_id: str) -> list[Posting]:
    ids = [order.id for order in orders]
    decided = ledger_sql.look(ids).decided
    accounts = {}
    if open_orders := [order for order in orders if order.id not in decided]:
        accounts = operations.lock_accounts(order.account_id for order in open_orders)
        seen = ledger_sql.look(ids)
        if seen.isolation != "read committed":
            raise ImproperlyConfigured(f"Postings run in READ COMMITTED, not in {seen.isolation.upper()}.")
        decided = seen.decided
    before = queries.find_transactions(decided)
    new: list[Transaction] = []
    happened: list[outbox.NewEvent] = []
    postings = []
    for order in orders:
        if order.id in before:
            postings.append(_replay(order, before[order.id]))
        else:
            row = _decide(order, accounts, seen.clock, new, actor, request_id)
            new.append(row)
            happened.append(_describe(row))
            postings.append(Posting(row, replayed=False))
    if new:
        changed = {row.account_id: row.account for row in new}
        ledger_sql.write(new, list(changed.values()), happened)
    on_commit(lambda: _count(postings), robust=True)
    return postings


def _replay(order: Order, before: Transaction) -> Posting:
    if differs := list(order.find_differences(before)):
        raise errors.IdempotencyKeyReused(before, differs)
    return Posting(before, replayed=True)


def _decide(
    order: Order,
    accounts: dict[UUID, Account],
    clock: datetime,
    unwritten: Sequence[Transaction],
    actor: UUID,
    request_id: str,
) -> Transaction:
    """The new row, and its effect on the locked account."""
    account = accounts.get(order.account_id)
    if account is None:
        raise AccountNotFound("There is no such account.")
    if order.currency not in (None, account.currency):
        raise errors.CurrencyMismatch(f"The account is in {account.currency}, not in {order.currency}.")
    if not has_scale(order.amount, account.currency):
        raise errors.AmountScale(f"The amount has more decimals than {account.currency} has.")
    if order.effective_at is not None and order.effective_at > clock + CLOCK_SKEW_MAX:
        raise errors.EffectiveAtInFuture("Money cannot move later than now.")
    recorded_at = clock
    if account.last_recorded_at is not None:
        recorded_at = max(clock, account.last_recorded_at + MICROSECOND)
    effective_at = min(order.effective_at or recorded_at, recorded_at)
    late = account.last_effective_at is not None and effective_at < account.last_effective_at
    row = Transaction(
        id=order.id,
        account=account,
        type=order.type,
        amount=order.amount,
        reference=order.reference,
        metadata=order.metadata,
        effective_at_asked=order.effective_at,
        recorded_at=recorded_at,
        effective_at=effective_at,
        late=late,
        transfer=order.transfer,
        reverses=order.reverses,
        hold=order.hold,
        actor=actor,
        request_id=request_id,
    )
    decline = _find_decline(order, row, account, unwritten)
    if decline:
        row.status = Transaction.Status.DECLINED
        row.decline_reason, row.decline_details = decline
    else:
        row.status = Transaction.Status.POSTED
        account.balance = row.balance_after = account.balance + row.change
        account.version = row.version = account.version + 1
        account.last_effective_at = max(account.last_effective_at or effective_at, effective_at)
    account.last_recorded_at = recorded_at
    account.event_sequence += 1
    account.chain_head = row.chain_hash = chain.compute_hash(bytes(account.chain_head), row)
    return row


def _describe(row: Transaction) -> outbox.NewEvent:
    """The event of a row just decided; the account's counter stands at it."""
    return outbox.describe(
        f"transaction.{row.status.lower()}",
        account_id=row.account_id,
        account_sequence=row.account.event_sequence,
        recorded_at=row.recorded_at,
        request_id=row.request_id,
        data=row.as_resource(),
    )


def _find_decline(
    order: Order, row: Transaction, account: Account, unwritten: Sequence[Transaction]
) -> tuple[str, dict[str, str]] | None:
    """The reason not to post, with its particulars, or None."""

    def amount(value: Decimal) -> str:
        return format_amount(value, account.currency)

    if order.expected_version is not None and order.expected_version != account.version:
        return errors.VERSION_MISMATCH, {
            "expected_version": str(order.expected_version),
            "version": str(account.version),
        }
    if account.status == Account.Status.CLOSED:
        return errors.ACCOUNT_CLOSED, {}
    if order.type == Transaction.Type.DEPOSIT:
        if account.balance + order.amount > BALANCE_MAX:
            return errors.BALANCE_LIMIT_EXCEEDED, {
                "balance": amount(account.balance),
                "limit": amount(BALANCE_MAX),
            }
        return None
    if account.status == Account.Status.FROZEN:
        return errors.ACCOUNT_FROZEN, {}
    if order.amount > account.available:
        return errors.INSUFFICIENT_FUNDS, {
            "available": amount(account.available),
            "required": amount(order.amount),
        }
    if row.late:
        broken = ledger_sql.find_broken_instant(account, row.effective_at, order.amount, unwritten)
        if broken:
            instant, balance = broken
            return errors.INSUFFICIENT_FUNDS_AT, {
                "instant": format_time(instant),
                "available": amount(balance + account.credit_limit),
                "required": amount(order.amount),
            }
    return None


def _count(postings: Sequence[Posting]) -> None:
    for posting in postings:
        row = posting.transaction
        outcome = "replayed" if posting.replayed else row.decline_reason or "posted"
        metrics.POSTINGS.labels(type=row.type, outcome=outcome).inc()

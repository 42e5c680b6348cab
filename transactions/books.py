"""Deciding in memory: the locked accounts of one posting, and all that was decided on them so far."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from accounts import holds
from accounts.currencies import require_scale
from accounts.errors import AccountNotFound, HoldNotFound
from accounts.models import Account, Hold, make_row
from accounts.operations import describe_next_event
from events import outbox
from events.errors import LedgerError
from transactions import chain, errors, ledger_sql, queries
from transactions.declines import Decline, find_decline, find_withdrawn
from transactions.models import Transaction
from transactions.orders import NOT_FINAL, Order, PostingRequest

CLOCK_SKEW_MAX = timedelta(minutes=5)
MICROSECOND = timedelta(microseconds=1)

_write_actor = lru_cache(str)  # one, who is the same in many rows


class Books:
    """Opened under the locks, with the clock read after them; due holds are ended before anything else.

    Of the locked accounts those count that `requests` want to move money on, other than by orders that were
    `decided` before; the end of a hold is told as of the first request on its account.
    """

    def __init__(
        self,
        requests: Sequence[PostingRequest],
        accounts: dict[UUID, Account],
        *,
        clock: datetime,
        decided: Collection[UUID] = (),
    ) -> None:
        self.accounts = accounts
        self.clock = clock
        self.rows: list[Transaction] = []
        self.changed_holds: list[Hold] = []
        self.events: list[outbox.NewEvent] = []
        orders = [order for request in requests for order in request.orders]
        if any(account.held for account in accounts.values()):
            request_ids: dict[UUID, str] = {}
            for request in requests:
                for order in request.orders:
                    if order.id not in decided:
                        request_ids.setdefault(order.account_id, request.request_id)
            locked = [account for id, account in accounts.items() if id in request_ids]
            self.changed_holds, self.events = holds.expire_due(locked, clock, request_ids)
        self.holds = self._find_holds({order.hold for order in orders if order.hold})
        self.reversals = queries.find_reversals({order.reverses for order in orders if order.reverses})
        self.legs: dict[UUID, list[UUID]] = {}  # the accounts of each transfer
        for order in orders:
            if order.transfer:
                self.legs.setdefault(order.transfer, []).append(order.account_id)
        self.transfer_times: dict[UUID, datetime] = {}

    def decide(
        self, orders: Sequence[Order], request: PostingRequest, decline: Decline | None = None
    ) -> list[Transaction]:
        """The rows of orders that are posted together or declined together; one order is a group of one.

        `request` tells who asked. `decline` is why none of them can be posted. Raises the refusals of
        `posting.post`; then nothing of the group is in the books.
        """
        if len(orders) == 1:
            return [self._decide(orders[0], request, decline)]
        before = self.take_stock(orders)
        try:
            rows = []
            for order in orders:
                row = self._decide(order, request, decline)
                rows.append(row)
                if row.decline_reason and decline is None:
                    self.restore(before)
                    return self._decline(orders, request, row)
            return rows
        except LedgerError:
            self.restore(before)
            raise

    def describe_write(self) -> tuple[str, list[str]]:
        """All of it in one statement, and the parameters of that."""
        # Not `row.account_id`: a foreign key's column is looked up by Django, in every row anew.
        touched = {id: self.accounts[id] for id in {vars(row)["account_id"] for row in self.rows}}
        touched |= {hold.account_id: hold.account for hold in self.changed_holds}
        return ledger_sql.describe_write(self.rows, touched.values(), self.events, self.changed_holds)

    def _decline(
        self, orders: Sequence[Order], request: PostingRequest, culprit: Transaction
    ) -> list[Transaction]:
        """Everything declined: the culprit with its reason, the others because of it."""
        rows = []
        for order in orders:
            if order.id == culprit.id:
                decline = (culprit.decline_reason or "", culprit.decline_details or {})
            else:
                same_transfer = order.transfer is not None and order.transfer == culprit.transfer
                reason = errors.TRANSFER_DECLINED if same_transfer else errors.BATCH_DECLINED
                decline = (reason, {"culprit": str(culprit.id)})
            rows.append(self._decide(order, request, decline))
        return rows

    def _decide(self, order: Order, request: PostingRequest, decline: Decline | None) -> Transaction:
        """The new row, and its effect on the locked account."""
        try:
            row, hold = self._make_row(order, request)
        except LedgerError as error:
            error.command_id = order.id
            raise
        account = self.accounts[order.account_id]
        decline = decline or find_decline(
            order, row, account, hold, reversals=self.reversals, unwritten=self.rows
        )
        if decline:
            row.status = Transaction.Status.DECLINED
            row.decline_reason, row.decline_details = decline
        else:
            row.status = Transaction.Status.POSTED
            account.balance = row.balance_after = account.balance + row.change
            account.version = row.version = account.version + 1
            account.last_effective_at = max(account.last_effective_at or row.effective_at, row.effective_at)
            if row.reverses:
                self.reversals[row.reverses] = row.id
            elif row.type == Transaction.Type.WITHDRAW:
                account.withdrawn = find_withdrawn(row, account) + row.amount
                account.withdrawn_on = row.recorded_at.date()
        account.last_recorded_at = row.recorded_at
        account.chain_head = row.chain_hash = chain.compute_hash(bytes(account.chain_head), row)
        self.rows.append(row)
        self.events.append(self._describe(row, account))
        if hold and not decline:
            self._capture(hold, row)
        return row

    def _make_row(self, order: Order, request: PostingRequest) -> tuple[Transaction, Hold | None]:
        """The row of what was asked, not decided yet, and the hold it captures."""
        account = self.accounts.get(order.account_id)
        if account is None:
            raise AccountNotFound("There is no such account.")
        if order.currency not in (None, account.currency):
            raise errors.CurrencyMismatch(f"The account is in {account.currency}, not in {order.currency}.")
        hold = self.holds.get(order.hold) if order.hold else None
        if order.hold and (hold is None or hold.account_id != account.id):
            raise HoldNotFound("There is no such hold.")
        amount = order.amount
        if amount is None:
            amount = (hold.remaining or hold.amount) if hold else Decimal(0)
        require_scale(amount, account.currency)
        if order.effective_at is not None and order.effective_at > self.clock + CLOCK_SKEW_MAX:
            raise errors.EffectiveAtInFuture("Money cannot move later than now.")
        recorded_at = self._find_time(account)
        if order.transfer:
            recorded_at = max(recorded_at, self._find_transfer_time(order.transfer))
        effective_at = min(order.effective_at or recorded_at, recorded_at)
        row = make_row(
            Transaction,
            {
                "id": order.id,
                "account_id": account.id,
                "account_id_text": account.id_text,
                "type": order.type,
                "amount": amount,
                "reference": order.reference,
                "metadata": order.metadata,
                "effective_at_asked": order.effective_at,
                "status": None,
                "decline_reason": None,
                "decline_details": None,
                "version": None,
                "balance_after": None,
                "recorded_at": recorded_at,
                "effective_at": effective_at,
                "late": account.last_effective_at is not None and effective_at < account.last_effective_at,
                "transfer": order.transfer,
                "reverses": order.reverses,
                "hold": order.hold,
                "actor": request.actor,
                "actor_text": _write_actor(request.actor),
                "request_id": request.request_id,
            },
            is_stored=False,
        )
        row._state.fields_cache["account"] = account
        return row, hold

    def _find_time(self, account: Account) -> datetime:
        """When the account's next row is recorded: now, but after its last one."""
        if account.last_recorded_at is None:
            return self.clock
        return max(self.clock, account.last_recorded_at + MICROSECOND)

    def _find_transfer_time(self, transfer: UUID) -> datetime:
        """Both legs are recorded at the same moment, and in the same currency."""
        if transfer not in self.transfer_times:
            accounts = [self.accounts[id] for id in self.legs[transfer] if id in self.accounts]
            if len({account.currency for account in accounts}) > 1:
                raise errors.CurrencyMismatch("The accounts of a transfer have the same currency.")
            self.transfer_times[transfer] = max(self._find_time(account) for account in accounts)
        return self.transfer_times[transfer]

    def _capture(self, hold: Hold, row: Transaction) -> None:
        final = row.metadata != NOT_FINAL
        self.events.append(
            holds.capture(hold, row.amount, final=final, clock=row.recorded_at, request_id=row.request_id)
        )
        if hold not in self.changed_holds:
            self.changed_holds.append(hold)

    def _find_holds(self, ids: set[UUID]) -> dict[UUID, Hold]:
        """The holds as they are in these books: those that have just expired included."""
        if not ids:
            return {}
        found = {hold.id: hold for hold in Hold.objects.filter(id__in=ids)}
        found |= {hold.id: hold for hold in self.changed_holds if hold.id in ids}
        for hold in found.values():
            hold.clock = None  # here the clock of the posting says what is due
            hold.account = self.accounts.get(hold.account_id, hold.account)
        return found

    def _describe(self, row: Transaction, account: Account) -> outbox.NewEvent:
        return describe_next_event(
            f"transaction.{row.status.lower()}",
            account,
            clock=row.recorded_at,
            request_id=row.request_id,
            data=orjson.Fragment(row.as_json()),
        )

    def take_stock(self, orders: Iterable[Order]) -> Any:
        """What deciding these orders can change."""
        touched: list[Account | Hold] = [
            self.accounts[id] for id in {order.account_id for order in orders} if id in self.accounts
        ]
        touched += [self.holds[id] for id in {order.hold for order in orders} if id in self.holds]
        return (
            [(each, vars(each).copy()) for each in touched],
            [(each, each.copy()) for each in (self.rows, self.events, self.changed_holds)],
            self.reversals.copy(),
        )

    def restore(self, before: Any) -> None:
        objects, lists, self.reversals = before
        for each, values in objects:
            vars(each).update(values)
        for each, items in lists:
            each[:] = items

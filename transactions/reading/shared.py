"""Reads that requests share: what is asked for at the same moment is read by one statement."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from ledger.grouping import Grouping, Waiting
from transactions.models import Transaction
from transactions.reading.balances import (
    Balance,
    OfThen,
    read_balances_at,
    read_balances_of_users,
    read_current_balances,
)
from transactions.reading.queries import get_transactions

READS_MAX = 500  # of a group

Reader = Callable[[list[Any]], dict[Any, Any]]  # of what some keys stand for, by key
Read = tuple[Reader, Any]  # with the key that is asked for


def share_balance(account_id: UUID) -> "Future[Balance | None]":
    """What the account holds now; None: there is no such account."""
    return _share(read_current_balances, account_id)


def share_balances_of_user(user_id: UUID, name: str) -> "Future[dict[str, Balance]]":
    """What the user's accounts of that name hold now, by currency."""
    return _share(read_balances_of_users, (user_id, name))


def share_balance_at(asked: OfThen) -> "Future[tuple[Balance, bool] | None]":
    """What the account held then, and whether that stays true for ever; None: there is no such account."""
    return _share(read_balances_at, asked)


def share_transaction(id: UUID) -> "Future[Transaction | None]":
    """The decided transaction of that id, or None."""
    return _share(get_transactions, id)


def start() -> None:
    """From now on reads are shared, by a thread of this process. Before, each is read at once and alone."""
    _reads.start()


def stop() -> None:
    _reads.stop()


def _share(read: Reader, key: Any) -> "Future[Any]":
    if _reads.is_on:
        return _reads.ask((read, key))
    waiting: Waiting[Read, Any] = Waiting((read, key))
    _serve([waiting])
    return waiting.answer


def _serve(group: list[Waiting[Read, Any]]) -> None:
    by_read: dict[Reader, list[Waiting[Read, Any]]] = {}
    for waiting in group:
        by_read.setdefault(waiting.asked[0], []).append(waiting)
    for read, some in by_read.items():
        try:
            found = _read(read, list({waiting.asked[1] for waiting in some}))
        except Exception as error:
            for waiting in some:
                waiting.answer.set_exception(error)
        else:
            for waiting in some:
                waiting.answer.set_result(found.get(waiting.asked[1]))


def _read(read: Reader, keys: list[Any]) -> dict[Any, Any]:
    """What is found. A connection that has ended meanwhile is noticed by asking, and then replaced."""
    try:
        return read(keys)
    except (InterfaceError, OperationalError):
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return read(keys)


_reads: Grouping[Read, Any] = Grouping("reads", _serve, weight_max=READS_MAX)

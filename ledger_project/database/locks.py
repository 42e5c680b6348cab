"""Advisory locks of PostgreSQL, by which one process alone does something to a database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

WAIT_SECONDS = 0.2
# The time-outs of a role would end a transaction that only holds the lock.
NO_TIME_OUTS = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""


@contextmanager
def alone(wrapper: BaseDatabaseWrapper, key: int) -> Iterator[None]:
    """Wait until nobody else has the lock, and have it while the block runs.

    The lock is of a transaction, on a connection of its own: a pooler keeps it, and it goes with the process.
    Who waits has no transaction open, which an index that is made concurrently would wait for.
    """
    holder = wrapper.copy()
    try:
        with holder.cursor() as cursor:
            while not try_lock(holder, cursor, key):
                time.sleep(WAIT_SECONDS)
        yield
    finally:
        holder.close()


@contextmanager
def if_free(wrapper: BaseDatabaseWrapper, key: int) -> Iterator[bool]:
    """Have the lock while the block runs, if nobody else has it: whether it is so."""
    holder = wrapper.copy()
    try:
        with holder.cursor() as cursor:
            is_ours = try_lock(holder, cursor, key)
        yield is_ours
    finally:
        holder.close()


def try_lock(holder: BaseDatabaseWrapper, cursor: Any, key: int) -> bool:
    """Whether the lock was free; then the transaction that has it stays open."""
    holder.set_autocommit(False)
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
    [is_ours] = cursor.fetchone()
    if is_ours:
        cursor.execute(NO_TIME_OUTS)
    else:
        holder.rollback()
        holder.set_autocommit(True)
    return bool(is_ours)

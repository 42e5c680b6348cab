"""Django's `migrate`, one at a time, by the address that migrations have."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger_project.database.addresses import as_owner

LOCK = 7_237_641_001  # the key of the advisory lock, which only says that somebody migrates
WAIT_SECONDS = 0.2
# The time-outs of a role would end a transaction that only holds the lock.
NO_TIME_OUTS = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} Of several that begin at once one migrates, and the others wait. With "
        "MIGRATION_DATABASE_URL it goes by that address."
    )

    def execute(self, *args: Any, **options: Any) -> Any:
        """The checks look into the database too: at the first time the service's role is not there yet."""
        with as_owner(connections[options["database"]]):
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        with alone(connections[options["database"]]):
            super().handle(*args, **options)


@contextmanager
def alone(wrapper: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait until nobody else migrates this database, and let nobody else while the block runs.

    The lock is of a transaction, on a connection of its own: a pooler keeps it, and it goes with the process.
    Who waits has no transaction open, which an index that is made concurrently would wait for.
    """
    holder = wrapper.copy()
    try:
        with holder.cursor() as cursor:
            while not try_lock(holder, cursor):
                time.sleep(WAIT_SECONDS)
        yield
    finally:
        holder.close()


def try_lock(holder: BaseDatabaseWrapper, cursor: Any) -> bool:
    """Whether the lock was free; then the transaction that has it stays open."""
    holder.set_autocommit(False)
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
    [is_ours] = cursor.fetchone()
    if is_ours:
        cursor.execute(NO_TIME_OUTS)
    else:
        holder.rollback()
        holder.set_autocommit(True)
    return bool(is_ours)

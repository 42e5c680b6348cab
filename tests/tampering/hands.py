"""The two who change rows past the ledger: the service's role, and a superuser without the guards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.db.transaction import atomic, set_rollback

from ledger_project.database.roles import Roles
from tests.database import execute

ROLES = Roles("test_tampering")


class Hands(StrEnum):
    SERVICE = "the service's role, guards on"
    SUPERUSER = "a superuser, guards off and on again"


def prepare() -> None:
    """Make the roles, in the transaction of the test; and let no constraint wait for the end of it."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    ROLES.apply()


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is done in it has not been done afterwards."""
    with atomic():
        yield
        set_rollback(True)


@contextmanager
def guards_off(table: str) -> Iterator[None]:
    """Foreign keys too, as in a replica's session; the guards, which hold there, by hand."""
    guards = execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", table)
    execute(f"SET LOCAL session_replication_role = replica; ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for (guard,) in guards:
        execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")
    execute("SET LOCAL session_replication_role = origin")


def change(hands: Hands, table: str, statement: str) -> list[dict[str, Any]]:
    """Run a statement that changes the table and returns rows as `to_jsonb` has them.

    Raises Django's `DatabaseError`: refused.
    """
    with atomic():
        if hands is Hands.SUPERUSER:
            with guards_off(table):
                returned = execute(statement)
        else:
            execute(f"SET LOCAL SESSION AUTHORIZATION {ROLES.names['app']}")
            returned = execute(statement)
            execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
    return [json.loads(row) for (row,) in returned]

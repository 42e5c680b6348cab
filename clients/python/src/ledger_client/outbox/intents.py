"""Writing an intent down."""

from typing import Any

from django.db import connections, transaction

from ledger_client.commands import Command
from ledger_client.ids import new_id
from ledger_client.outbox import settings
from ledger_client.outbox.models import MoneyIntent
from ledger_client.wire import Id


def intend(command: Command[Any], *, in_line: Id | None = None) -> MoneyIntent:
    """Have it done after your transaction, which must be open: if that is rolled back, nothing ever was.

    `in_line`: an account, say. Intents of a line are sent one after the other, each when the one before was
    answered, in the order of their transactions: who writes to a line waits until others' are over.
    """
    using = settings.get_database()
    if not connections[using].in_atomic_block:
        raise transaction.TransactionManagementError("An intent is part of a transaction: open one first.")
    if command.method != "POST":
        raise ValueError(f"{command.method} {command.path} cannot be an intent.")
    line = "" if in_line is None else str(in_line)
    if line:
        stand_in(line, using)
    intent = MoneyIntent(id=command.id or new_id(), path=command.path, body=command.body, line=line)
    intent.save(using=using, force_insert=True)
    return intent


def stand_in(line: str, using: str) -> None:
    """Until the end of the transaction: numbers are given in the order of the commits then."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"ledger_outbox {line}"])

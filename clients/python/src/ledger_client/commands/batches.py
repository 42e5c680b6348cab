"""Many commands in one request and one commit."""

from collections.abc import Sequence
from typing import Any

from ledger_client.commands.command import Command, Metadata
from ledger_client.resources import DecidedBatch
from ledger_client.wire import Id, write_body


def batch(
    *,
    id: Id,
    atomic: bool,
    commands: Sequence[Command[Any]],
    reference: str | None = None,
    metadata: Metadata | None = None,
) -> Command[DecidedBatch]:
    """1 to 1,000 commands: atomic, all or none; else each for itself, and each result says what it came to.

    `#0` names the first one's hold: `capture(id=..., hold="#0")`.
    """
    items = [each.write_item() for each in commands]
    body = write_body(id=id, atomic=atomic, reference=reference, metadata=metadata, commands=items)
    return Command(path="/batches", body=body, kind=DecidedBatch)


def reverse_batch(*, id: Id, batch: Id, reason: str) -> Command[DecidedBatch]:
    """Take back what is left of a list, all or nothing."""
    return Command(path=f"/batches/{batch}/reverse", body=write_body(id=id, reason=reason), kind=DecidedBatch)

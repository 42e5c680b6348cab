"""Lists of commands with an id of their own: how one is known again, and how one is taken back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from accounts.errors import IdempotencyKeyReused
from accounts.idempotency import make_uuid8
from accounts.models import Hold, make_row
from ledger import macs
from ledger.callers import Caller
from ledger.text import TypeInvalid
from ledger.values import format_time
from transactions.models import Batch, Transaction
from transactions.posting.asked import require_asked
from transactions.posting.commands import Command, Release, Reversal

ROWS_MAX = 1000  # of money, and holds, that one list writes


@dataclass(slots=True, kw_only=True)
class NewBatch:
    """What a list of commands is known by: under its id there is one list for ever.

    `asked` is the list as it was asked for, in values that JSON has, ids, times and amounts: by it a
    repetition is known, whatever its commands are made of. Raises what `require_asked` does.
    """

    id: UUID
    asked: Sequence[Any]
    atomic: bool
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_asked(self)
        try:
            told = orjson.dumps(
                [self.atomic, self.reference, self.metadata, self.asked],
                default=_write_value,
                option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME,
            )
        except TypeError as error:  # orjson's own is one
            raise TypeInvalid(f"What was asked cannot be written: {error}") from error
        self.digest = sha256(told).digest()

    def is_among(self, known: Mapping[UUID, bytes]) -> bool:
        """Whether it was decided before, by the fingerprints of lists. Raises `IdempotencyKeyReused`."""
        fingerprint = known.get(self.id)
        if fingerprint is not None and not macs.is_right(fingerprint, "commands", self.digest):
            raise IdempotencyKeyReused("This id was used before, for another list of commands.")
        return fingerprint is not None

    def make_row(self, caller: Caller, clock: datetime) -> Batch:
        batch = make_row(
            Batch,
            {
                "id": self.id,
                "atomic": self.atomic,
                "reference": self.reference,
                "metadata": self.metadata,
                "fingerprint": macs.compute("commands", self.digest),
                "recorded_at": clock,
                "actor": caller.actor,
                "actor_kind": str(caller.actor_kind),
                "request_id": caller.request_id,
            },
            is_stored=False,
        )
        batch.mac = macs.compute("batch", *batch.sealed)
        return batch


def _write_value(value: object) -> str:
    """Of an amount what it is worth, of a time when it was: however they were written."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return format_time(value)
    raise TypeError(f"There is no {type(value).__name__} in a list of commands.")


def make_reversals(
    id: UUID, reason: str, transactions: Iterable[Transaction], holds: Iterable[Hold]
) -> list[Command]:
    """What takes back a list under the list `id`: its holds are released, then what it moved is taken back,
    the last one first.

    `transactions` and `holds` are all that the list has made. An id is derived from what is taken back, so
    that a repetition finds what was made the first time, whatever was taken back since.
    """
    released: list[Command] = [
        Release(hold_id=hold.id, account_id=hold.account_id, reason=reason, if_open=True)
        for hold in holds
        if hold.status != Hold.Status.DECLINED
    ]
    whole: dict[UUID, list[Transaction]] = {}
    for row in sorted(transactions, key=lambda row: (row.recorded_at, row.id), reverse=True):
        if row.status == Transaction.Status.POSTED and not (row.reverses or row.claim):
            whole.setdefault(row.transfer or row.id, []).append(row)
    return released + [
        Reversal(
            id=make_uuid8(str(id).encode() + b"\x00reversal\x00" + str(taken).encode()),
            reason=reason,
            rows=rows,
            if_left=True,
        )
        for taken, rows in whole.items()
    ]

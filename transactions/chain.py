"""The chain of an account: every row's keyed hash covers the row before it, so that no change goes unseen.

Canonical form 1: the text `1`, the previous row's hash (empty for the first), then every field in the order
of `_fields`, each as its length in bytes, a colon and its UTF-8 text; null is `-`. Amounts have 8 decimals,
times are whole microseconds since 1970 in UTC, objects are JSON with sorted keys and no spaces. The hash is
HMAC-SHA256 of that under `settings.CHAIN_KEY`, which the database never sees.
"""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from transactions.models import Transaction

FORMAT = b"1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def compute_hash(previous: bytes, row: Transaction) -> bytes:
    """The 32 bytes that link `row` to the row recorded before it on the same account."""
    message = FORMAT + _prefix(previous) + b"".join(_prefix(_encode(field)) for field in _fields(row))
    return hmac.digest(settings.CHAIN_KEY.encode(), message, "sha256")


def _fields(row: Transaction) -> Iterator[Any]:
    yield from (row.id, row.account_id, row.type, row.amount, row.reference, row.metadata)
    yield from (row.effective_at_asked, row.status, row.decline_reason, row.decline_details)
    yield from (row.version, row.balance_after, row.recorded_at, row.effective_at, row.late)
    yield from (row.transfer, row.reverses, row.hold, row.actor, row.request_id)


def _encode(value: str | int | bool | UUID | Decimal | datetime | dict[str, str] | None) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return f"{value:.8f}".encode()
    if isinstance(value, datetime):
        return str((value - EPOCH) // MICROSECOND).encode()
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return str(value).encode()


def _prefix(value: bytes | None) -> bytes:
    return b"-" if value is None else b"%d:%s" % (len(value), value)

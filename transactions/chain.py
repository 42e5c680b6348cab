"""The chain of an account: every row's keyed hash covers the row before it, so that no change goes unseen.

Canonical form 1: the text `1`, the previous row's hash (empty for the first), then every field in the order
of `_parts`, each as its length in bytes, a colon and its UTF-8 text; null is `-`. Amounts have 8 decimals,
times are whole microseconds since 1970 in UTC, objects are JSON with sorted keys and no spaces. The hash is
HMAC-SHA256 of that under `settings.CHAIN_KEY`, which the database never sees.
"""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings

from transactions.models import Transaction

FORMAT = b"1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def compute_hash(previous: bytes, row: Transaction) -> bytes:
    """The 32 bytes that link `row` to the row recorded before it on the same account."""
    texts = [None if part is None else str(part).encode() for part in _parts(row)]
    fields = [b"-" if text is None else b"%d:%s" % (len(text), text) for text in texts]
    message = b"%s%d:%s%s" % (FORMAT, len(previous), previous, b"".join(fields))
    return hmac.digest(settings.CHAIN_KEY.encode(), message, "sha256")


def _parts(row: Transaction) -> Iterator[object]:
    yield row.id
    yield row.account_id
    yield row.type
    yield f"{row.amount:.8f}"
    yield row.reference
    yield write_json(row.metadata)
    yield _count_microseconds(row.effective_at_asked)
    yield row.status
    yield row.decline_reason
    yield write_json(row.decline_details)
    yield row.version
    yield None if row.balance_after is None else f"{row.balance_after:.8f}"
    yield _count_microseconds(row.recorded_at)
    yield _count_microseconds(row.effective_at)
    yield row.late
    yield row.transfer
    yield row.reverses
    yield row.hold
    yield row.actor
    yield row.request_id


@lru_cache(maxsize=1024)
def _count_microseconds(instant: datetime | None) -> str | None:
    return None if instant is None else str((instant - EPOCH) // MICROSECOND)


def write_json(value: dict[str, str] | None) -> str | None:
    if not value:
        return None if value is None else "{}"
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

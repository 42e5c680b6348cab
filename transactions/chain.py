"""The chain of an account: every row's keyed hash covers the row before it, so that no change goes unseen.

Canonical form 1: the text `1`, the previous row's hash (empty for the first), then every field in the order
of `compute_hash`, each as its length in bytes, a colon and its UTF-8 text; null is `-`. Amounts have 8
decimals, times are whole microseconds since 1970 in UTC, objects are JSON with sorted keys and no spaces. The
hash is HMAC-SHA256 of that under `settings.CHAIN_KEY`, which the database never sees.
"""

import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from uuid import UUID

from django.conf import settings

from transactions.models import Transaction

FORMAT = b"1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def compute_hash(previous: bytes, row: Transaction) -> bytes:
    """The 32 bytes that link `row` to the row recorded before it on the same account."""
    amount, balance = f"{row.amount:.8f}", None if row.balance_after is None else f"{row.balance_after:.8f}"
    message = (
        f"36:{row.id_text}36:{row.account_id_text}{_field_of_choice(row.type)}{len(amount)}:{amount}"
        f"{_field(row.reference) if row.reference else '0:'}"
        f"{_field(write_json(row.metadata)) if row.metadata else '2:{}'}"
        f"{_field_of_time(row.effective_at_asked)}"
        f"{_field_of_choice(row.status)}{_field(row.decline_reason)}{_field(write_json(row.decline_details))}"
        f"{_field(None if row.version is None else str(row.version))}{_field(balance)}"
        f"{_field_of_time(row.recorded_at)}{_field_of_time(row.effective_at)}"
        f"{'4:True' if row.late else '5:False'}"
        f"{_field_of_id(row.transfer)}{_field_of_id(row.reverses)}{_field_of_id(row.hold)}"
        f"36:{row.actor_text}{_field(row.request_id)}"
    )
    keyed = _begin(settings.CHAIN_KEY).copy()
    keyed.update(b"%s%d:%s%s" % (FORMAT, len(previous), previous, message.encode()))
    return keyed.digest()


@cache
def _begin(key: str) -> hmac.HMAC:
    """What is the same for every hash of this key."""
    return hmac.new(key.encode(), digestmod="sha256")


def _field(text: str | None) -> str:
    if text is None:
        return "-"
    return f"{len(text) if text.isascii() else len(text.encode())}:{text}"


@cache
def _field_of_choice(choice: str) -> str:
    return _field(str(choice))  # its value


def _field_of_id(id: UUID | None) -> str:
    return "-" if id is None else f"36:{id}"


@lru_cache(maxsize=1024)
def _field_of_time(instant: datetime | None) -> str:
    return _field(None if instant is None else str((instant - EPOCH) // MICROSECOND))


def write_json(value: dict[str, str] | None) -> str | None:
    if not value:
        return None if value is None else "{}"
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

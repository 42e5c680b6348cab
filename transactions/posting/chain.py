"""The chain of an account: every row's keyed hash covers the row before it, so that no change goes unseen.

Canonical form 1: the text `1`, the previous row's hash (empty for the first), then every hashed column in the
order of `transactions.models.TABLE`, each as its length in bytes, a colon and its UTF-8 text; null is `-`.
Amounts have 8 decimals, times are whole microseconds since 1970 in UTC, objects are JSON with sorted keys and
no spaces. The hash is HMAC-SHA256 of that under `settings.CHAIN_KEY`, which the database never sees.
"""

import hmac
from functools import cache

from django.conf import settings

from transactions.models import TABLE, Transaction

FORMAT = b"1"


def link(row: Transaction, previous: bytes) -> bytes:
    """Give the row the 32 bytes that link it to the row recorded before it on the same account."""
    row.chain_hash = link = compute_hash(previous, row)
    return link


def compute_hash(previous: bytes, row: Transaction) -> bytes:
    keyed = _begin(settings.CHAIN_KEY).copy()
    keyed.update(b"%s%d:%s%s" % (FORMAT, len(previous), previous, TABLE.to_canonical(row).encode()))
    return keyed.digest()


@cache
def _begin(key: str) -> hmac.HMAC:
    """What is the same for every hash of this key."""
    return hmac.new(key.encode(), digestmod="sha256")

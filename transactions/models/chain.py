"""The chain of an account: every row's keyed hash covers the row before it, so that no change goes unseen.

The hash is HMAC-SHA256 under `settings.CHAIN_KEY`, which the database never sees, of: the number of the form
and a colon, the length of the previous row's hash (0 for the first row), a colon and that hash, and the row
in the form of that number (`accounts.models.tables.Form`). docs/proof.md computes one by hand.
"""

import hmac
from functools import cache

from django.conf import settings

from transactions.models.transactions import TABLE, Transaction

# Every form that rows of a ledger may have. One that was written once stays; a new column makes a new one.
FORMATS = {1: TABLE.form}
FORMAT = max(FORMATS)  # of what is written now


def link(row: Transaction, previous: bytes) -> bytes:
    """Give the row the 32 bytes that link it to the row before it on the same account."""
    row.chain_format = FORMAT
    row.chain_hash = link = compute_hash(previous, row)
    return link


def compute_hash(previous: bytes, row: Transaction) -> bytes:
    """The hash of the row, by its own format."""
    keyed = _begin(settings.CHAIN_KEY).copy()
    form = FORMATS[row.chain_format].write(row).encode()
    keyed.update(b"%d:%d:%s%s" % (row.chain_format, len(previous), previous, form))
    return keyed.digest()


@cache
def _begin(key: str) -> hmac.HMAC:
    """What is the same for every hash of this key."""
    return hmac.new(key.encode(), digestmod="sha256")

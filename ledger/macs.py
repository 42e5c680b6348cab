"""Keyed hashes (MACs) of rows: only who has CHAIN_KEY, which the database never sees, can make one.

A MAC begins with a byte that is the number of its form, and is verified by that form for ever; a new one may
come beside it. Form 1 is HMAC-SHA256 of the number, a colon, and the name of the kind of row and its values,
each as `write_canonical` has it. docs/proof.md computes one by hand.
"""

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from ledger.values import EPOCH, MICROSECOND

LENGTH = 33


def write_canonical(value: object) -> bytes:
    """Its length in bytes, a colon and its text; null is `-`. Amounts have 8 decimals, times are whole
    microseconds since 1970 in UTC, objects are JSON with sorted keys and no spaces, bytes are hexadecimal.
    """
    match value:
        case None:
            return b"-"
        case Decimal():
            value = f"{value:.8f}"
        case datetime():
            value = (value - EPOCH) // MICROSECOND
        case dict() | list():
            value = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        case bytes():
            value = value.hex()
    text = str(value).encode()
    return b"%d:%s" % (len(text), text)


def _write_values(kind: str, values: tuple[object, ...]) -> bytes:
    return b"".join(map(write_canonical, (kind, *values)))


# Every form that rows of a ledger may have. One that was written once stays.
FORMS: dict[int, Callable[[str, tuple[object, ...]], bytes]] = {1: _write_values}


def compute(kind: str, *values: object) -> bytes:
    """The MAC of a row of this kind with these values, in the newest form."""
    form = max(FORMS)
    return bytes([form]) + _hash(settings.CHAIN_KEY, form, kind, values)


def compute_all(kind: str, *values: object) -> list[bytes]:
    """Every MAC that such a row may have: in each form, under the present key or one it was rotated from."""
    keys = (settings.CHAIN_KEY, *settings.CHAIN_KEY_FALLBACKS)
    return [bytes([form]) + _hash(key, form, kind, values) for form in FORMS for key in keys]


def is_right(mac: bytes | None, kind: str, *values: object) -> bool:
    """Whether it is the MAC of these values, under the present key or one that it was rotated from."""
    form = mac[0] if mac and len(mac) == LENGTH else 0
    if not mac or form not in FORMS:
        return False
    keys = (settings.CHAIN_KEY, *settings.CHAIN_KEY_FALLBACKS)
    return any(hmac.compare_digest(mac[1:], _hash(key, form, kind, values)) for key in keys)


def _hash(key: str, form: int, kind: str, values: tuple[object, ...]) -> bytes:
    return hmac.digest(key.encode(), b"%d:%s" % (form, FORMS[form](kind, values)), "sha256")

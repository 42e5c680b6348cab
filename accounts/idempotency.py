"""The identity of a command: an id the client chose, or one derived from the key it sent.

Under an identity there is one command for ever. Sent again, it is answered with what it made; another one is
refused.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.errors import IdempotencyKeyInvalid, IdentityRequired, IdInvalid, TwoIdentities
from ledger.errors import gettext_noop
from ledger.values import CHOSEN_ID_TEXT, NO_CHOSEN_ID

NIL = UUID(int=0)
DERIVED_VERSION = 8
KEY = re.compile(r"[\x20-\x7e]{1,255}")


def identify(*, caller_id: UUID, id: UUID | None, key: str | None) -> UUID | None:
    """The id of a command that came with an id, an `Idempotency-Key`, or neither (None).

    Raises `TwoIdentities`, `IdInvalid`, `IdempotencyKeyInvalid`.
    """
    if id is not None and key is not None:
        raise TwoIdentities("Send an id or the Idempotency-Key header, not both.")
    if key is not None:
        return derive_id(caller_id, key)
    if id is not None and not CHOSEN_ID_TEXT.fullmatch(str(id)):
        raise IdInvalid(NO_CHOSEN_ID)
    return id


def require_identity(*, caller_id: UUID, id: UUID | None, key: str | None) -> UUID:
    """As `identify`, for commands that have no other identity. Raises `IdentityRequired` too."""
    if identity := identify(caller_id=caller_id, id=id, key=key):
        return identity
    raise IdentityRequired("Send an id (a UUID, best of version 7) or the Idempotency-Key header.")


def find_differences(asked: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """The parts of a command, by name, that are not as they were when it was sent before."""
    return [name for name in asked if asked[name] != before.get(name)]


def derive_id(caller_id: UUID, key: str) -> UUID:
    """The same id for the same caller and key, for ever."""
    if not KEY.fullmatch(key):
        raise IdempotencyKeyInvalid(
            gettext_noop("An Idempotency-Key is one header of 1 to 255 printable ASCII characters.")
        )
    return make_uuid8(b"ledger-key-1" + str(caller_id).encode() + b"\x00" + key.encode())


def make_uuid8(name: bytes) -> UUID:
    """A UUID of version 8 (RFC 9562) out of the SHA-256 of the name."""
    number = int.from_bytes(hashlib.sha256(name).digest()[:16])
    version_and_variant = (DERIVED_VERSION << 76) | (0x2 << 62)
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | version_and_variant)

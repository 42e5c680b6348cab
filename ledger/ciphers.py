"""Encrypting what is kept or shown where others can read it: under a key that they do not have.

A text says nothing of what is in it but how long it is, and no two are alike. It begins with a byte that is
the number of its form. Form 1 is AES-256-SIV with 16 random bytes beside; its key is the HMAC-SHA512 of the
purpose under the setting's key, so that what was encrypted for one purpose is nothing for another.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

FORM = b"\x01"
NONCE_BYTES = 16


class Undecipherable(ValueError):
    """The text was not encrypted for this purpose under any of these keys, or it was changed."""


def encrypt(purpose: str, plain: bytes, keys: Sequence[str]) -> str:
    """The text, of letters, digits, `-` and `_` (and `=` at its end), under the first key."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = _make_cipher(purpose, keys[0]).encrypt(plain, [nonce])
    return urlsafe_b64encode(FORM + nonce + sealed).decode()


def decrypt(purpose: str, text: str, keys: Sequence[str]) -> bytes:
    """What was encrypted, under any of the keys. Raises `Undecipherable`."""
    try:
        found = urlsafe_b64decode(text)
    except ValueError:
        raise Undecipherable from None
    # As it was written: other letters may stand for the same bytes.
    if not found.startswith(FORM) or urlsafe_b64encode(found).decode() != text:
        raise Undecipherable
    nonce, sealed = found[1 : NONCE_BYTES + 1], found[NONCE_BYTES + 1 :]
    for key in keys:
        try:
            return _make_cipher(purpose, key).decrypt(sealed, [nonce])
        except (InvalidTag, ValueError):
            pass
    raise Undecipherable


@lru_cache(maxsize=32)
def _make_cipher(purpose: str, key: str) -> AESSIV:
    return AESSIV(hmac.digest(key.encode(), purpose.encode(), "sha512"))

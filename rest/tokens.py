"""A token in the database: found by its beginning, and known by its digest."""

import math
from hmac import compare_digest
from typing import NamedTuple

from django.contrib.auth.models import AbstractUser
from knox.crypto import hash_token
from knox.models import get_token_model
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed

from ledger.callers import Bounds

TOKEN_LENGTH_MAX = 200


class Token(NamedTuple):
    """A valid token, `request.auth`: whose it is, until when (Unix time), and what it may.

    The `permissions` are those of its own that its user has, too. `digest` is the key of its row.
    """

    user: AbstractUser
    expires_at: float
    permissions: frozenset[str]
    digest: str
    bounds: Bounds | None


def look_up(token: bytes) -> Token:
    """The token in the database, expired or not. Raises `AuthenticationFailed`."""
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        raise AuthenticationFailed
    text = token.decode()
    tokens = get_token_model().objects.select_related("user").filter(user__is_active=True, revoked_at=None)
    for candidate in tokens.filter(token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH]):
        if compare_digest(hash_token(text), candidate.digest):
            expires_at = candidate.expiry.timestamp() if candidate.expiry else math.inf
            own = candidate.permissions and candidate.user.get_all_permissions()
            permissions = frozenset(candidate.permissions).intersection(own)
            return Token(candidate.user, expires_at, permissions, candidate.digest, candidate.bounds)
    raise AuthenticationFailed

"""Who is calling: knox's tokens, looked up once in a few seconds; and whether they may do what they ask."""

import math
import time
from hashlib import sha256
from hmac import compare_digest
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from knox import auth
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from rest.answers import ask_once

TOKEN_LENGTH_MAX = 200
TOKENS_MAX = 10_000  # that are known at once
BEARER = "Bearer "


class Token(NamedTuple):
    """A valid token, `request.auth`: whose it is, until when (Unix time), and what its user may."""

    user: AbstractUser
    expires_at: float
    permissions: frozenset[str]


class KnownTokens(dict[bytes, tuple[float, Token]]):
    """The tokens that were found valid in the last `TOKEN_CACHE_SECONDS`, by their SHA-256.

    For all threads: each step is one of a dict's. Wrong tokens are not kept.
    """

    def find(self, token: bytes) -> Token | None:
        """None if it has to be looked up. An expiry counts at once: raises `AuthenticationFailed`."""
        forgotten_at, known = self.get(sha256(token).digest(), (0.0, None))
        if known is None or forgotten_at <= time.monotonic():
            return None
        if known.expires_at <= time.time():
            raise AuthenticationFailed
        return known

    def keep(self, token: bytes, known: Token) -> None:
        if len(self) >= TOKENS_MAX:
            self.clear()
        self[sha256(token).digest()] = time.monotonic() + settings.TOKEN_CACHE_SECONDS, known


known_tokens = KnownTokens()


class TokenAuthentication(auth.TokenAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer <token>`.

    The token's user, permissions and expiry are kept for `TOKEN_CACHE_SECONDS` in this process, so in the
    steady state no query is needed; a revoked token or a changed group counts after that time, an expiry at
    once.
    """

    def authenticate(self, request: Request) -> tuple[AbstractUser, Token] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        if header.startswith(BEARER) and header.isascii():
            known = known_tokens.find(header[len(BEARER) :].encode())
            if known is not None:
                return known.user, known
        return cast("tuple[AbstractUser, Token] | None", super().authenticate(request))

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractUser, Token]:
        known = known_tokens.find(token)
        if known is None:
            known = ask_once(look_up, token)
            known_tokens.keep(token, known)
            known_tokens.find(token)  # raises when it has expired
        return known.user, known


def look_up(token: bytes) -> Token:
    """The token in the database, expired or not. Raises `AuthenticationFailed`."""
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        raise AuthenticationFailed
    text = token.decode()
    digest = hash_token(text)
    for candidate in AuthToken.objects.select_related("user").filter(
        token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH], user__is_active=True
    ):
        if compare_digest(digest, candidate.digest):
            expires_at = candidate.expiry.timestamp() if candidate.expiry else math.inf
            return Token(candidate.user, expires_at, frozenset(candidate.user.get_all_permissions()))
    raise AuthenticationFailed


class HasPermission(BasePermission):
    """A view's `permissions` map its actions to what each needs; reading needs none, it is narrowed.

    A command that no permission is named for is nobody's. An action of None is a method that is not served.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        permission: str | None = view.permissions.get(view.action)
        if permission is None:
            return view.action is None or request.method in SAFE_METHODS
        return bool(request.may(permission))

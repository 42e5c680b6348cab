"""Who is calling: knox's tokens, looked up once in a few seconds instead of on every request."""

import math
import time
from hashlib import sha256
from hmac import compare_digest
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox import auth
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from rest.permissions import Token
from rest.waiting import ask_once

TOKEN_LENGTH_MAX = 200
TOKENS_MAX = 10_000  # that are known at once
BEARER = "Bearer "


class KnownTokens:
    """The tokens that were found valid in the last `TOKEN_CACHE_SECONDS`, by their SHA-256.

    For all threads: each step is one of a dict's. Wrong tokens are not kept.
    """

    def __init__(self) -> None:
        self.tokens: dict[bytes, tuple[float, Token]] = {}

    def find(self, token: bytes) -> Token | None:
        """None if it has to be looked up. An expiry counts at once: raises `AuthenticationFailed`."""
        forgotten_at, known = self.tokens.get(sha256(token).digest(), (0.0, None))
        if known is None or forgotten_at <= time.monotonic():
            return None
        if known.expires_at <= time.time():
            raise AuthenticationFailed
        return known

    def keep(self, token: bytes, known: Token) -> None:
        if len(self.tokens) >= TOKENS_MAX:
            self.tokens.clear()
        self.tokens[sha256(token).digest()] = time.monotonic() + settings.TOKEN_CACHE_SECONDS, known

    def clear(self) -> None:
        self.tokens.clear()


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
    candidates = AuthToken.objects.select_related("user").filter(
        token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH], user__is_active=True
    )
    digest = hash_token(text)
    for candidate in candidates:
        if compare_digest(digest, candidate.digest):
            user = candidate.user
            expires_at = candidate.expiry.timestamp() if candidate.expiry else math.inf
            return Token(user, expires_at, frozenset(user.get_all_permissions()))
    raise AuthenticationFailed


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "rest.authentication.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `manage.py issue_token`."}

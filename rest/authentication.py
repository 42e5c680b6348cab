"""Who is calling: knox's tokens, looked up once in a few seconds instead of on every request."""

import hashlib
from datetime import datetime
from hmac import compare_digest

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox import auth
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed

from rest.waiting import ask

TOKEN_LENGTH_MAX = 200
Known = tuple[AbstractBaseUser, datetime | None]


class TokenAuthentication(auth.TokenAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer <token>`.

    The token's user, permissions and expiry are kept for `TOKEN_CACHE_SECONDS` in this process, so in the
    steady state no query is needed; a revoked token or a changed group counts after that time, an expiry at
    once.
    """

    def authenticate_credentials(self, token: bytes) -> Known:
        key = "token:" + hashlib.sha256(token).hexdigest()
        known: Known | None = cache.get(key)
        if known is None:
            known = ask(self._look_up, token)
            cache.set(key, known, settings.TOKEN_CACHE_SECONDS)
        _, expiry = known
        if expiry is not None and expiry <= timezone.now():
            raise AuthenticationFailed
        return known

    def _look_up(self, token: bytes) -> Known:
        if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
            raise AuthenticationFailed
        text = token.decode()
        candidates = AuthToken.objects.select_related("user").filter(
            token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH], user__is_active=True
        )
        digest = hash_token(text)
        for candidate in candidates:
            if compare_digest(digest, candidate.digest):
                candidate.user.get_all_permissions()  # kept on the user, for every has_perm to come
                return candidate.user, candidate.expiry
        raise AuthenticationFailed


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "rest.authentication.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `manage.py issue_token`."}

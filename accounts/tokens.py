"""Tokens: what services call the API with. Only a digest of each is kept."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db.transaction import atomic

from accounts.models import Token, User
from accounts.queries import list_groups
from events import record
from ledger.callers import Caller
from ledger.values import format_optional_time

DAYS_MAX = 3650


class TokenError(Exception):
    """Why no token is issued. The API never gives this answer."""


class DaysInvalid(TokenError):
    """A token is good for 1 to `DAYS_MAX` days."""


class GroupsUnknown(TokenError):
    """There are no groups of these names, which are its `args`."""


class UserIsStaff(TokenError):
    """A token asks for no second factor, and would have all the permissions of a member of staff."""


class UserIsInactive(TokenError):
    """Tokens of inactive users are refused; this one would be valid once the user is active again."""


@atomic
def issue(
    *,
    name: str,
    groups: Collection[str],
    days: int,
    service_only: bool = False,
    caller: Caller,
    reason: str = "",
) -> tuple[str, User, bool]:
    """A token for the user of that name, who is made if there is none, and put into the groups.

    Returns the token itself, to be shown once, its user, and whether the user is new. Every call makes
    another token. With `service_only`, users who are staff or inactive get none. Raises `TokenError`.
    """
    if not 1 <= days <= DAYS_MAX:
        raise DaysInvalid
    found = list(Group.objects.filter(name__in=groups))
    if unknown := set(groups) - {group.name for group in found}:
        raise GroupsUnknown(*sorted(unknown))
    user, is_new = User.objects.get_or_create(
        username=User.normalize_username(name), defaults={"name": name, "password": make_password(None)}
    )
    if service_only and (user.is_staff or user.is_superuser):
        raise UserIsStaff
    if service_only and not user.is_active:
        raise UserIsInactive
    before = list_groups(user)
    user.groups.add(*found)
    made, token = Token.objects.create(user=user, expiry=timedelta(days=days))
    record.write(
        caller,
        type="token.issued",
        subject="token",
        subject_id=made.token_key,
        owner=user.pk,
        before={"groups": before},
        after={**_describe(made), "groups": list_groups(user), "is_new_user": is_new},
        reason=reason,
    )
    return token, user, is_new


@atomic
def revoke(*, token_key: str, caller: Caller, reason: str = "") -> int:
    """Delete the token: it is refused within `TOKEN_CACHE_SECONDS`. Returns 0 if there was none."""
    tokens = list(Token.objects.filter(token_key=token_key).select_related("user"))
    deleted = int(Token.objects.filter(digest__in=[token.digest for token in tokens]).delete()[0])
    if deleted:
        record.write(
            caller,
            type="token.revoked",
            subject="token",
            subject_id=token_key,
            owner=tokens[0].user_id,
            before={**_describe(tokens[0]), "groups": list_groups(tokens[0].user)},
            reason=reason,
        )
    return deleted


def _describe(token: Token) -> dict[str, Any]:
    """What of a token is no secret."""
    return {
        "user": str(token.user_id),
        "username": token.user.username,
        "expires_at": format_optional_time(token.expiry),
    }

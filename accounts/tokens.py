"""Tokens: what services call the API with. Only a digest of each is kept."""

from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db.transaction import atomic

from accounts.models import Token, User

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
    *, name: str, groups: Collection[str], days: int, service_only: bool = False
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
    user.groups.add(*found)
    _, token = Token.objects.create(user=user, expiry=timedelta(days=days))
    return token, user, is_new


def revoke(*, token_key: str) -> int:
    """Delete the token: it is refused within `TOKEN_CACHE_SECONDS`. Returns 0 if there was none."""
    return int(Token.objects.filter(token_key=token_key).delete()[0])

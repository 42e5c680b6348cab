"""Tokens: what services and account holders call the API with. Only a digest of each is kept.

A token has permissions of its own, from the beginning to the end; of these, those count that its user has at
the moment. It may be bound to accounts, types and amounts, too (`ledger.callers.Bounds`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.db.transaction import atomic

from accounts import operations
from accounts.currencies import AMOUNT_MAX, DECIMALS_MAX
from accounts.models import NAME_LENGTH_MAX, Token, User
from accounts.queries import list_groups, name_permissions
from events import record
from ledger.callers import Bounds, Caller
from ledger.sql import fetch
from ledger.values import format_time

DAYS_MAX = 3650
GROUPS = ("api-read", "api-post", "api-admin", "monitoring")  # what the API asks for
TYPES = frozenset({"DEPOSIT", "WITHDRAW"})
ACCOUNT_NAMES_MAX = 50
NO_BOUNDS = Bounds()
# Of several processes that saw a token used, one writes it in a minute. Locked in one order by all of them.
NOTE_USES = """
WITH used AS MATERIALIZED (
    SELECT token.digest, seen.used_at
    FROM unnest(%s::text[], %s::timestamptz[]) AS seen (digest, used_at)
        JOIN accounts_token AS token USING (digest)
    WHERE (token.last_used_at > seen.used_at - interval '1 minute') IS NOT TRUE
    ORDER BY digest FOR NO KEY UPDATE OF token
)
UPDATE accounts_token AS token SET last_used_at = used.used_at FROM used WHERE token.digest = used.digest
RETURNING token.token_key
"""


class TokenError(Exception):
    """Why no token is issued. The API never gives this answer."""


class DaysInvalid(TokenError):
    """A token is good for 1 to `DAYS_MAX` days."""


class GroupsUnknown(TokenError):
    """There are no groups of these names, which are its `args`."""


class PermissionsUnknown(TokenError):
    """There are no permissions of these names, which are its `args`."""


class PermissionsBeyondUser(TokenError):
    """The user has not got these permissions, which are its `args`, and no group named gives them."""


class AccountNamesInvalid(TokenError):
    """These are no names of accounts, or there are none of them, or more than `ACCOUNT_NAMES_MAX`."""


class TypesInvalid(TokenError):
    """The types are some of `TYPES`."""


class AmountMaxInvalid(TokenError):
    """The largest amount is more than zero, at most `AMOUNT_MAX`, and has `DECIMALS_MAX` decimals at most."""


class UserIsStaff(TokenError):
    """A token asks for no second factor, and would have all the permissions of a member of staff."""


class UserIsInactive(TokenError):
    """Tokens of inactive users are refused; this one would be valid once the user is active again."""


@atomic
def issue(
    *,
    name: str,
    groups: Collection[str] = (),
    permissions: Collection[str] = (),
    bounds: Bounds = NO_BOUNDS,
    days: int,
    service_only: bool = False,
    caller: Caller,
    reason: str = "",
) -> tuple[str, User, bool]:
    """A token for the user of that name, who is made if there is none, and put into the groups.

    It has the permissions of the groups that are named here, whatever others the user is in, and those that
    are named one by one, which the user must have. With none of either it sees what is its user's own.

    Returns the token itself, to be shown once, its user, and whether the user is new. Every call makes
    another token. With `service_only`, users who are staff or inactive get none. Raises `TokenError`.
    """
    if not 1 <= days <= DAYS_MAX:
        raise DaysInvalid
    _require_bounds(bounds)
    found = list(Group.objects.filter(name__in=groups))
    if unknown := set(groups) - {group.name for group in found}:
        raise GroupsUnknown(*sorted(unknown))
    user, is_new = User.objects.get_or_create(
        username=User.normalize_username(name), defaults={"name": name, "password": make_password(None)}
    )
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if service_only and (user.is_staff or user.is_superuser):
        raise UserIsStaff
    if service_only and not user.is_active:
        raise UserIsInactive
    before = list_groups(user)
    user.groups.add(*found)
    _require_permissions(user, permissions)
    given = name_permissions(Permission.objects.filter(group__in=found))
    made, token = Token.objects.create(
        user=user,
        expiry=timedelta(days=days),
        permissions=sorted({*given, *permissions}),
        account_names=None if bounds.account_names is None else sorted(bounds.account_names),
        types=None if bounds.types is None else sorted(bounds.types),
        amount_max=bounds.amount_max,
    )
    record.write(
        caller,
        type="token.issued",
        subject="token",
        subject_id=made.token_key,
        owner=user.pk,
        before={"groups": before},
        after={**made.describe(), "groups": list_groups(user), "is_new_user": is_new},
        reason=reason,
    )
    return token, user, is_new


@atomic
def revoke(*, token_key: str, caller: Caller, reason: str = "") -> int:
    """Take it back for ever: it is refused within `TOKEN_CACHE_SECONDS`. Returns 0 if there was none left."""
    tokens = list(
        Token.objects.filter(token_key=token_key, revoked_at=None)
        .select_related("user")
        .select_for_update(no_key=True, of=("self",))
    )
    for token in tokens:
        token.revoked_at = operations.read_clock()
        token.save(update_fields=["revoked_at"])
        record.write(
            caller,
            type="token.revoked",
            subject="token",
            subject_id=token_key,
            owner=token.user_id,
            before={**token.describe(), "groups": list_groups(token.user), "revoked_at": None},
            after={"revoked_at": format_time(token.revoked_at)},
            reason=reason,
        )
    return len(tokens)


def note_uses(uses: Mapping[str, datetime]) -> int:
    """Write when tokens were used last, by their digests. Returns how many were written.

    One that another process has noted within the last minute is left as it is; none ever goes back.
    """
    if not uses:
        return 0
    return len(fetch(NOTE_USES, [list(uses), list(uses.values())]))


def _require_bounds(bounds: Bounds) -> None:
    names, types, amount = bounds
    if names is not None and not (
        0 < len(names) <= ACCOUNT_NAMES_MAX
        and all(0 < len(name) <= NAME_LENGTH_MAX and "\x00" not in name for name in names)
    ):
        raise AccountNamesInvalid
    if types is not None and not (types and types <= TYPES):
        raise TypesInvalid
    if amount is not None and not (
        amount.is_finite() and 0 < amount <= AMOUNT_MAX and amount == round(amount, DECIMALS_MAX)
    ):
        raise AmountMaxInvalid


def _require_permissions(user: User, permissions: Collection[str]) -> None:
    """Raises `PermissionsUnknown`, `PermissionsBeyondUser`."""
    if not permissions:
        return
    if unknown := set(permissions) - name_permissions(Permission.objects.all()):
        raise PermissionsUnknown(*sorted(unknown))
    # Not `get_all_permissions`, which finds none for who is not active at the moment.
    own = Permission.objects.filter(Q(group__user=user) | Q(user=user))
    if not user.is_superuser and (beyond := set(permissions) - name_permissions(own)):
        raise PermissionsBeyondUser(*sorted(beyond))

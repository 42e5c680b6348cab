"""Members of staff: who they are, and what they may do.

Nobody changes themselves, and nobody gives or takes over permissions that they do not have; a superuser has
all of them. Superusers are made by `manage.py createsuperuser` and nowhere else. Each function here names its
`actor`, owns its database transaction, and raises a `StaffError` for what is refused.
"""

import secrets
from collections.abc import Collection
from uuid import UUID

import axes.utils
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.db.transaction import atomic
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Staff, User

GROUPS = ("support", "operations", "auditor")
PASSWORD_BYTES = 15  # at random: 20 characters that nobody guesses


class StaffError(Exception):
    """A refusal that only the back office gives: the API knows no staff."""


class UsernameTaken(StaffError):
    """Somebody else has this user name."""


class ChangesThemselves(StaffError):
    """The actor and the other are the same person."""


class BeyondOwnPermissions(StaffError):
    """The actor lacks permissions that the other has, or would get."""


class LastSuperuser(StaffError):
    """Without one nobody could let anybody in."""


def find_staff() -> QuerySet[Staff]:
    """Members of staff with their groups, and whether they have a second factor."""
    return (
        Staff.objects.filter(is_staff=True)
        .annotate(has_second_factor=Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)))
        .prefetch_related("groups")
    )


@atomic
def create(*, username: str, name: str, groups: Collection[str], actor: User) -> tuple[User, str]:
    """A new member of staff, and the password for their first login.

    Raises `UsernameTaken`, `BeyondOwnPermissions`.
    """
    _require_permissions(actor, Permission.objects.filter(group__name__in=groups))
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        with atomic():
            member = User.objects.create_user(username, password=password, name=name, is_staff=True)
    except IntegrityError:
        raise UsernameTaken from None
    member.groups.set(Group.objects.filter(name__in=groups))
    return member, password


@atomic
def set_groups(*, id: UUID, groups: Collection[str], actor: User) -> User:
    """Put them into exactly these of `GROUPS`. Raises `ChangesThemselves`, `BeyondOwnPermissions`."""
    member = _lock(id, actor)
    _require_permissions(actor, Permission.objects.filter(group__name__in=groups))
    member.groups.set(Group.objects.filter(name__in=set(groups) & set(GROUPS)))
    return member


@atomic
def deactivate(*, id: UUID, actor: User) -> User:
    """Let them in no more; their sessions end with their next request.

    Raises `LastSuperuser`, `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    superusers = User.objects.filter(is_staff=True, is_superuser=True, is_active=True).order_by("id")
    active = [each.pk for each in superusers.select_for_update(no_key=True)]
    member = _lock(id, actor)
    if active == [member.pk]:
        raise LastSuperuser
    return _set_active(member, False)


@atomic
def activate(*, id: UUID, actor: User) -> User:
    """Let them in again. Raises `ChangesThemselves`, `BeyondOwnPermissions`."""
    return _set_active(_lock(id, actor), True)


@atomic
def reset_password(*, id: UUID, actor: User) -> tuple[User, str]:
    """Give them a new password, which ends their sessions.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    member, password = _lock(id, actor), secrets.token_urlsafe(PASSWORD_BYTES)
    member.set_password(password)
    member.save(update_fields=["password"])
    return member, password


@atomic
def reset_second_factor(*, id: UUID, actor: User) -> User:
    """Forget their second factor: they set up another at their next page.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    member = _lock(id, actor)
    TOTPDevice.objects.filter(user=member).delete()
    return member


@atomic
def unlock(*, id: UUID, actor: User) -> User:
    """Forget their wrong passwords, from all addresses.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    member = _lock(id, actor)
    axes.utils.reset(username=member.username)
    return member


def is_locked_out(username: str) -> bool:
    """Whether the login of that name is locked, from one address at least."""
    recent = AccessAttempt.objects.filter(
        username=username, attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    by_address = recent.order_by().values("ip_address").annotate(failures=Sum("failures_since_start"))
    return bool(by_address.filter(failures__gte=settings.AXES_FAILURE_LIMIT).exists())


def require_may_change(member: User, *, actor: User) -> None:
    """Refuse an actor who lacks permissions that the member has.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    if member.pk == actor.pk:
        raise ChangesThemselves
    if member.is_superuser and not actor.is_superuser:
        raise BeyondOwnPermissions
    # Not `get_all_permissions`, which finds none for who is not active at the moment.
    _require_permissions(
        actor, Permission.objects.filter(group__user=member), Permission.objects.filter(user=member)
    )


def _lock(id: UUID, actor: User) -> User:
    member = User.objects.select_for_update(no_key=True).get(pk=id, is_staff=True)
    require_may_change(member, actor=actor)
    return member


def _set_active(member: User, is_active: bool) -> User:
    member.is_active = is_active
    member.save(update_fields=["is_active"])
    return member


def _require_permissions(actor: User, *needed: QuerySet[Permission]) -> None:
    if actor.is_superuser:
        return
    names = {
        f"{app}.{codename}"
        for some in needed
        for app, codename in some.order_by().values_list("content_type__app_label", "codename")
    }
    if not names <= actor.get_all_permissions():
        raise BeyondOwnPermissions

"""Members of staff: who they are, and what they may do.

Nobody changes themselves, and nobody gives or takes over permissions that they do not have; a superuser has
all of them, and so have operators, whose commands have no actor. Superusers are made by
`manage.py createsuperuser` and nowhere else. Each function here names its `caller`, owns its database
transaction, writes its entry of the record, and raises a `StaffError` for what is refused.
"""

import secrets
from collections.abc import Collection
from typing import Any
from uuid import UUID

import axes.utils
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.db.transaction import atomic
from django.utils import timezone

from accounts.models import SecondFactor, Staff, User
from accounts.queries import list_groups, name_permissions
from events import record
from events.models import NIL
from ledger.callers import ActorKind, Caller

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
        .annotate(has_second_factor=Exists(SecondFactor.objects.filter(user=OuterRef("pk"), confirmed=True)))
        .prefetch_related("groups")
    )


def find_names() -> QuerySet[User]:
    """All members of staff, in the order of their user names: as many as there are, which is not many."""
    return User.objects.filter(is_staff=True).only("username", "name", "is_staff").order_by("username")


@atomic
def create(
    *, username: str, name: str, groups: Collection[str], caller: Caller, reason: str = ""
) -> tuple[User, str]:
    """A new member of staff, and the password for their first login, when they must choose another one.

    Raises `UsernameTaken`, `BeyondOwnPermissions`.
    """
    _require_permissions(_find_actor(caller), Permission.objects.filter(group__name__in=groups))
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        with atomic():
            member = User.objects.create_user(
                username, password=password, name=name, must_change_password=True
            )
    except IntegrityError:
        raise UsernameTaken from None
    member.groups.set(Group.objects.filter(name__in=groups))
    after = {
        "username": member.username,
        "name": name,
        "is_staff": True,
        "is_active": True,
        "groups": list_groups(member),
        "must_change_password": True,
    }
    _record(caller, member, "created", reason, after=after)
    member.is_staff = True  # which the database takes after the entry only
    member.save(update_fields=["is_staff"])
    return member, password


@atomic
def set_groups(*, id: UUID, groups: Collection[str], caller: Caller, reason: str = "") -> User:
    """Put them into exactly these of `GROUPS`. Raises `ChangesThemselves`, `BeyondOwnPermissions`."""
    member = _lock(id, caller, Permission.objects.filter(group__name__in=groups))
    before = list_groups(member)
    member.groups.set(Group.objects.filter(name__in=set(groups) & set(GROUPS)))
    _record(
        caller,
        member,
        "groups_changed",
        reason,
        before={"groups": before},
        after={"groups": list_groups(member)},
    )
    return member


@atomic
def deactivate(*, id: UUID, caller: Caller, reason: str = "") -> User:
    """Let them in no more; their sessions end with their next request.

    Raises `LastSuperuser`, `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    superusers = User.objects.filter(is_staff=True, is_superuser=True, is_active=True).order_by("id")
    active = [each.pk for each in superusers.select_for_update(no_key=True)]
    member = _lock(id, caller)
    if active == [member.pk]:
        raise LastSuperuser
    return _set_active(member, False, caller, reason)


@atomic
def activate(*, id: UUID, caller: Caller, reason: str = "") -> User:
    """Let them in again. Raises `ChangesThemselves`, `BeyondOwnPermissions`."""
    return _set_active(_lock(id, caller), True, caller, reason)


@atomic
def reset_password(*, id: UUID, caller: Caller, reason: str = "") -> tuple[User, str]:
    """Give them a new password, which ends their sessions; they must choose another one at the next login.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    member, password = _lock(id, caller), secrets.token_urlsafe(PASSWORD_BYTES)
    member.set_password(password)
    member.must_change_password = True
    member.save(update_fields=["password", "must_change_password"])
    _record(caller, member, "password_reset", reason, after={"must_change_password": True})
    return member, password


@atomic
def reset_second_factor(*, id: UUID, caller: Caller, reason: str = "") -> bool:
    """Forget their second factor: they set up another at their next page. Whether they had one.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    member = _lock(id, caller)
    has_had: bool = SecondFactor.objects.filter(user=member, confirmed=True).exists()
    SecondFactor.objects.filter(user=member).delete()
    _record(
        caller,
        member,
        "second_factor_reset",
        reason,
        before={"has_second_factor": has_had},
        after={"has_second_factor": False},
    )
    return has_had


@atomic
def unlock(*, id: UUID, caller: Caller, reason: str = "") -> User:
    """Forget their wrong passwords, from all addresses.

    Raises `ChangesThemselves`, `BeyondOwnPermissions`.
    """
    member = _lock(id, caller)
    before = {"is_locked_out": is_locked_out(member.username)}
    axes.utils.reset(username=member.username)
    _record(caller, member, "unlocked", reason, before=before, after={"is_locked_out": False})
    return member


@atomic
def set_time_zone(*, time_zone: str, caller: Caller) -> None:
    """The zone that the actor, who is staff, sees and gives times in: a name of the IANA database."""
    member = User.objects.select_for_update(no_key=True).get(pk=caller.actor or NIL, is_staff=True)
    before, member.time_zone = member.time_zone, time_zone
    member.save(update_fields=["time_zone"])
    _record(
        caller, member, "time_zone_changed", "", before={"time_zone": before}, after={"time_zone": time_zone}
    )


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


def _find_actor(caller: Caller) -> User | None:
    """Whose permissions count; None for an operator, who has all of them."""
    return None if caller.actor_kind == ActorKind.COMMAND else User.objects.get(pk=caller.actor or NIL)


def _lock(id: UUID, caller: Caller, *given: QuerySet[Permission]) -> User:
    """The member of staff, whom the caller may change, and who may be given these permissions by them."""
    member = User.objects.select_for_update(no_key=True).get(pk=id, is_staff=True)
    if actor := _find_actor(caller):
        require_may_change(member, actor=actor)
        _require_permissions(actor, *given)
    return member


def _set_active(member: User, is_active: bool, caller: Caller, reason: str) -> User:
    before = {"is_active": member.is_active}
    member.is_active = is_active
    member.save(update_fields=["is_active"])
    change = "activated" if is_active else "deactivated"
    _record(caller, member, change, reason, before=before, after={"is_active": is_active})
    return member


def _record(
    caller: Caller,
    member: User,
    change: str,
    reason: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record.write(
        caller,
        type=f"staff.{change}",
        subject="staff",
        subject_id=member.pk,
        owner=member.pk,
        before=before,
        after=after,
        reason=reason,
    )


def _require_permissions(actor: User | None, *needed: QuerySet[Permission]) -> None:
    if actor is None or actor.is_superuser:
        return
    if not set().union(*map(name_permissions, needed)) <= actor.get_all_permissions():
        raise BeyondOwnPermissions

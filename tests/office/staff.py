"""Staff, and browsers in which they have come into the back office."""

import secrets
import time
from base64 import b32decode, b32encode
from itertools import count

from django.contrib.auth.models import Group
from django.db.transaction import atomic
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP

from accounts.models import SecondFactor, User, read_secret, seal_secret
from events import record
from ledger.callers import ActorKind, Caller
from tests import roles

BACKEND = "django.contrib.auth.backends.ModelBackend"
PASSWORD = "a password of staff"
_numbers = count(1)


def make_staff(
    *groups: str, superuser: bool = False, username: str = "", name: str = "", password: str | None = None
) -> User:
    """A member of staff with the permissions of these groups. Hashing a password is slow: most need none."""
    username = username or f"staff-{next(_numbers)}"
    user = User.objects.create_user(username=username, password=password, name=name or username)
    found = list(Group.objects.filter(name__in=groups))
    assert len(found) == len(groups), groups
    user.groups.add(*found)
    type = "staff.superuser_created" if superuser else "staff.created"
    return set_staff(user, type, is_superuser=superuser, is_active=True, groups=sorted(groups))


def set_staff(user: User, type: str, *, is_staff: bool = True, is_superuser: bool = False, **also) -> User:
    """As an operator does it: with the entry in the record that the database and the audit look for."""
    with roles.commanding(), atomic():
        record.write(
            Caller(None, ActorKind.COMMAND),
            type=type,
            subject="staff",
            subject_id=user.pk,
            owner=user.pk,
            after={"is_staff": is_staff, "is_superuser": is_superuser, **also},
        )
        user.is_staff, user.is_superuser = is_staff, is_superuser
        user.save(update_fields=["is_staff", "is_superuser"])
    return user


def dismiss(user: User) -> User:
    """They are no staff any more."""
    return set_staff(user, "staff.dismissed", is_staff=False, is_superuser=user.is_superuser)


def give_device(user: User) -> SecondFactor:
    """A confirmed authenticator app."""
    secret = seal_secret(user.pk, secrets.token_bytes(20))
    made: SecondFactor = SecondFactor.objects.create(user=user, name="authenticator", secret=secret)
    return made


def open_office(user: User, **options: object) -> Client:
    """A browser of theirs that has passed the password and the second factor."""
    client = Client(**options)
    client.force_login(user, backend=BACKEND)
    device = SecondFactor.objects.filter(user=user, confirmed=True).first() or give_device(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client


def code_of(secret: str | bytes, seconds: float = 0) -> str:
    """What an authenticator app shows that was given the secret as text, so many seconds from now."""
    totp = TOTP(b32decode(secret))
    totp.time = time.time() + seconds
    return f"{totp.token():06d}"


def enter_code(device: SecondFactor) -> str:
    return code_of(b32encode(read_secret(device.user_id, device.secret)))

"""Staff, and browsers in which they have come into the back office."""

import time
from itertools import count

from django.contrib.auth.models import Group
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
PASSWORD = "a password of staff"
_numbers = count(1)


def make_staff(
    *groups: str, superuser: bool = False, username: str = "", password: str | None = None
) -> User:
    """A member of staff with the rights of these groups. Hashing a password is slow: most need none."""
    username = username or f"staff-{next(_numbers)}"
    user = User.objects.create_user(
        username=username, password=password, name=username, is_staff=True, is_superuser=superuser
    )
    found = list(Group.objects.filter(name__in=groups))
    assert len(found) == len(groups), groups
    user.groups.add(*found)
    return user


def give_device(user: User) -> TOTPDevice:
    """A confirmed authenticator app."""
    return TOTPDevice.objects.create(user=user, name="authenticator")


def open_office(user: User, **options: object) -> Client:
    """A browser of theirs that has passed the password and the second factor."""
    client = Client(**options)
    client.force_login(user, backend=BACKEND)
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first() or give_device(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client


def enter_code(device: TOTPDevice, seconds: float = 0) -> str:
    """What the authenticator app shows, so many seconds from now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + seconds
    return f"{totp.token():06d}"

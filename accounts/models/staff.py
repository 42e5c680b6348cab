"""Members of staff, and the authenticator app that each of them has beside their password."""

import time
from base64 import b32encode
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from accounts.models.users import User
from ledger import ciphers

ISSUER = "Ledger"
TOLERANCE = 1  # a code is good half a minute too early or too late


class Staff(User):  # type: ignore[django-manager-missing]
    """Users who may open the back office."""

    class Meta:
        proxy = True
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        default_permissions = ("view", "add", "change")


class SecondFactor(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app, which shows six digits every half minute (TOTP).

    Its secret is encrypted for its user alone, under SECOND_FACTOR_KEY, which the database never sees. After
    every code that was right it is encrypted anew under the present key.
    """

    secret = models.CharField(max_length=200)
    drift = models.SmallIntegerField(default=0, help_text="Half minutes that its clock is off by")
    last_t = models.BigIntegerField(default=-1, help_text="The half minute of the last code")

    class Meta:
        default_permissions = ()

    def take(self, code: str) -> bool:
        """Whether the code is right and was not taken yet; `save` keeps what follows from it.

        Raises `ledger.ciphers.Undecipherable`.
        """
        secret = read_secret(self.user_id, self.secret)
        totp = TOTP(secret, drift=self.drift)
        totp.time = time.time()
        if not totp.verify(int(code), TOLERANCE, self.last_t + 1):
            return False
        self.secret = seal_secret(self.user_id, secret)
        self.last_t, self.drift = totp.t(), totp.drift
        return True

    def verify_token(self, token: str) -> bool:
        """As `django_otp` asks: after a wrong code there is a pause, which grows.

        Raises `ledger.ciphers.Undecipherable`.
        """
        if not self.verify_is_allowed()[0]:
            return False
        if is_right := self.take(token):
            self.throttle_reset(commit=False)
            self.set_last_used_timestamp(commit=False)
        else:
            self.throttle_increment(commit=False)
        self.save(
            update_fields=[
                *("secret", "drift", "last_t", "last_used_at"),
                *("throttling_failure_timestamp", "throttling_failure_count"),
            ]
        )
        return is_right

    def get_throttle_factor(self) -> int:
        return 1  # seconds after the first wrong code; twice as many after each other one


def seal_secret(user_id: Any, secret: bytes) -> str:
    """The secret as it is kept, for this user: as somebody else's it cannot be read."""
    return ciphers.encrypt(f"second factor of {user_id}", secret, _list_keys())


def read_secret(user_id: Any, sealed: str) -> bytes:
    """Raises `ledger.ciphers.Undecipherable`."""
    return ciphers.decrypt(f"second factor of {user_id}", sealed, _list_keys())


def make_url(user: User, secret: bytes) -> str:
    """What an authenticator app reads from the QR code."""
    asked = {
        "secret": b32encode(secret),
        "algorithm": "SHA1",
        "digits": 6,
        "period": 30,
        "issuer": ISSUER,
    }
    return f"otpauth://totp/{quote(f'{ISSUER}:{user.get_username()}')}?{urlencode(asked)}"


def _list_keys() -> list[str]:
    return [settings.SECOND_FACTOR_KEY, *settings.SECOND_FACTOR_KEY_FALLBACKS]

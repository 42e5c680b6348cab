"""What a password must be, beside what Django asks for."""

from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class OtherThanBefore:
    """A password that somebody else has made is changed for another one, and so is any."""

    def validate(self, password: str, user: Any = None) -> None:
        if user is not None and check_password(password, user.password):
            raise ValidationError(_("This is the password that you have already."), code="password_unchanged")

    def get_help_text(self) -> str:
        return _("Your password must be another one than before.")

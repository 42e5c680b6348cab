"""What the forms of the back office are made of."""

from typing import Any

import uuid_utils.compat
from django import forms
from django.contrib.auth import user_login_failed
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from office.models import DETAIL_LENGTH_MAX

USERNAME_LENGTH_MAX = 150  # longer ones are nobody's, and cannot be counted as a wrong password


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """Name and password. Nobody learns whether the password of somebody who is not staff is right."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].validators.append(MaxLengthValidator(USERNAME_LENGTH_MAX))

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Without being staff, a right password counts as a wrong one: both are locked out in the end."""
        if not getattr(user, "is_staff", False):
            user_login_failed.send(
                sender=__name__,
                credentials={"username": user.get_username(), "password": ""},
                request=self.request,
            )
        super().confirm_login_allowed(user)


class TokenForm(forms.Form):
    """The six digits of an authenticator app."""

    otp_token = forms.RegexField(
        label=_("Code of your authenticator app"),
        regex=r"^[0-9]{6}\Z",
        error_messages={"invalid": _("A code has six digits.")},
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class CommandForm(forms.Form):
    """What a command asks for. Labels and initial values may come from the object it is done to (`fill`).

    The first visible field has the focus.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for number, shown in enumerate(self.visible_fields()):
            shown.field.widget.attrs["autofocus"] = number == 0

    def fill(self, subject: Any) -> None:
        """Called before the form is shown: `subject` is the object that the command is done to."""


class ReasonForm(CommandForm):
    """Asks why; the reason is kept in the access log, and with what is changed."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=DETAIL_LENGTH_MAX,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )


class IdentityForm(ReasonForm):
    """For a command that is done once, however often it is sent: the form has the id of what it makes."""

    identity = forms.UUIDField(widget=forms.HiddenInput, initial=uuid_utils.compat.uuid7)

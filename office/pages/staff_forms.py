"""What is asked for when staff and tokens are managed."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import staff, tokens
from accounts.models import NAME_LENGTH_MAX, User
from office.forms import USERNAME_LENGTH_MAX, ReasonForm

DAYS_DEFAULT = 90


def list_groups_of_staff() -> list[tuple[str, str]]:
    return [(name, name) for name in staff.GROUPS]


def list_groups_of_services() -> list[tuple[str, str]]:
    found = Group.objects.filter(name__startswith="api-").order_by("name")
    return [(name, name) for name in found.values_list("name", flat=True)]


class GroupsForm(ReasonForm):
    groups = forms.MultipleChoiceField(
        label=_("Groups"),
        choices=list_groups_of_staff,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Without a group somebody can log in, and see nothing."),
    )
    field_order: tuple[str, ...] = ("groups", "reason")

    def fill(self, subject: Any) -> None:
        if subject is not None:
            self.initial["groups"] = [group.name for group in subject.groups.all()]


class NewStaffForm(GroupsForm):
    username = forms.CharField(
        label=_("User name"),
        max_length=USERNAME_LENGTH_MAX,
        validators=[User.username_validator],
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    field_order = ("username", "name", "groups", "reason")


class NewTokenForm(ReasonForm):
    name = forms.CharField(
        label=_("User name of the service"),
        max_length=USERNAME_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("If there is none of that name, it is made. Of an account holder it is their id."),
    )
    groups = forms.MultipleChoiceField(
        label=_("Groups"),
        choices=list_groups_of_services,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_(
            "They are added to those that the user is in, and count for all of its tokens. "
            "Without a group it sees only what is its own."
        ),
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        min_value=1,
        max_value=tokens.DAYS_MAX,
        initial=DAYS_DEFAULT,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    field_order = ("name", "groups", "days", "reason")

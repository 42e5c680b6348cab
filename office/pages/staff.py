"""The pages of staff: for administrators."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from accounts import staff
from accounts.models import NAME_LENGTH_MAX, Staff, User
from ledger.text import Rule
from office.actions import Command, ReasonForm, show_once
from office.admin import OfficeAdmin
from office.explanations import explain_refusal
from office.forms import TextField
from office.lists.people import StaffForm
from office.pages.people import done
from office.site import USERNAME_LENGTH_MAX
from office.templatetags.ledger import column, list_groups, text_column
from rest.middleware import get_caller

CHANGE = "accounts.change_staff"


class GroupsForm(ReasonForm):
    groups = forms.MultipleChoiceField(
        label=_("Groups"),
        choices=[(name, name) for name in staff.GROUPS],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Without a group somebody can log in, and see nothing."),
    )
    field_order: tuple[str, ...] = ("groups", "reason")

    def fill(self, obj: Any) -> None:
        if obj is not None:
            self.initial["groups"] = [group.name for group in obj.groups.all()]


class NewStaffForm(GroupsForm):
    username = TextField(
        rule=Rule.IDENTIFIER,
        label=_("User name"),
        max_length=USERNAME_LENGTH_MAX,
        validators=[User.username_validator],
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    name = TextField(
        rule=Rule.NAME,
        label=_("Name"),
        max_length=NAME_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    field_order = ("username", "name", "groups", "reason")


def call(
    domain: Callable[..., Any], request: HttpRequest, member: Staff | None, asked: dict[str, Any]
) -> Any:
    """Runs a function of `accounts.staff`, for this caller.

    It is given the id of the member of staff, if there is one, and what the form asked for.
    """
    of = {} if member is None else {"id": member.pk}
    return domain(caller=get_caller(request), **of, **asked)


def change(domain: Callable[..., object], request: HttpRequest, member: Staff, asked: dict[str, Any]) -> None:
    call(domain, request, member, asked)


def give_password(
    domain: Callable[..., tuple[User, str]],
    request: HttpRequest,
    obj: Staff | None,
    asked: dict[str, Any],
) -> HttpResponse:
    """Runs a function of `accounts.staff` that makes a password, and shows the password once."""
    member, password = call(domain, request, obj, asked)
    return show_once(
        request,
        title=_("Password of %(username)s") % {"username": member.username},
        secret=password,
        note=_(
            "It is shown this once, and kept nowhere. Hand it over in person. "
            "At the next login they must choose another one."
        ),
        success_url=reverse("admin:accounts_staff_change", args=[member.pk]),
    )


@admin.register(Staff)
class StaffAdmin(OfficeAdmin):
    """Nobody becomes a superuser here: `manage.py createsuperuser` is for that."""

    change_form_template = "admin/staff.html"
    owner = "pk"
    list_display = (
        text_column(_("User name"), "username"),
        text_column(_("name"), "name"),
        column(_("groups"), list_groups),
        "is_active",
        "is_superuser",
        "last_login",
        column(_("second factor"), lambda member: member.has_second_factor, boolean=True),
    )
    readonly_fields = (
        *list_display,
        "created_at",
        "must_change_password",
        column(_("locked out"), lambda member: _("yes") if staff.is_locked_out(member.username) else _("no")),
    )
    ordering = ("username",)
    search_fields = ("username", "name")
    search_help_text = _("A part of a name")
    list_form = StaffForm
    nothing = _("No members of staff.")
    list_commands = (
        Command(
            name="create",
            label=_("New member of staff"),
            permission="accounts.add_staff",
            is_recorded=True,
            run=partial(give_password, staff.create),
            form=NewStaffForm,
            note=_("A password is made for the first login. The second factor is set up then."),
        ),
    )
    commands = (
        Command(
            name="groups",
            label=_("Groups"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, staff.set_groups),
            done=_("The groups are changed. They count from the next page on."),
            form=GroupsForm,
        ),
        Command(
            name="password",
            label=_("New password"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(give_password, staff.reset_password),
            note=_("A password is made and shown once. All their sessions end."),
        ),
        Command(
            name="reset-second-factor",
            label=_("Reset second factor"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, staff.reset_second_factor),
            done=_("The second factor is gone. They enrol a new one at their next login."),
            applies=lambda member: member.has_second_factor,
            note=_("For who has lost their authenticator app. Make sure that it is really them who ask."),
            is_dangerous=True,
        ),
        Command(
            name="unlock",
            label=_("Unlock"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, staff.unlock),
            done=_("Unlocked. The wrong passwords are forgotten."),
            applies=lambda member: staff.is_locked_out(member.username),
            note=_("They gave a wrong password too often. Make sure that it was them."),
        ),
        Command(
            name="deactivate",
            label=_("Deactivate"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, staff.deactivate),
            done=_("Deactivated. Their sessions are over."),
            applies=lambda member: member.is_active,
            note=_("They can log in no more, and their sessions end at once. What they did stays on record."),
            is_dangerous=True,
        ),
        Command(
            name="activate",
            label=_("Activate"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, staff.activate),
            done=_("Active again."),
            applies=lambda member: not member.is_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        return staff.find_staff()

    def find_buttons(self, request: HttpRequest, obj: Staff | None) -> Iterator[tuple[Command, str]]:
        if obj is None or self._find_obstacle(request, obj) is None:
            yield from super().find_buttons(request, obj)

    def describe(self, request: HttpRequest, obj: Staff) -> dict[str, Any]:
        may_see_log = request.user.has_perm("events.view_recordentry")
        return {
            "obstacle": self._find_obstacle(request, obj),
            "may_see_changes": any(map(request.user.has_perm, done.PERMISSIONS)),
            "log": reverse("admin:events_recordentry_changelist") if may_see_log else None,
        }

    @staticmethod
    def _find_obstacle(request: HttpRequest, obj: Staff) -> Any:
        """Why this person cannot change the other; None: they can, or may change nobody anyway."""
        if not request.user.has_perm(CHANGE):
            return None
        try:
            staff.require_may_change(obj, actor=request.user)  # type: ignore[arg-type]
        except staff.StaffError as error:
            return explain_refusal(error)[0]
        return None

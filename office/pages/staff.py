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
from office.actions import Command, Refusal, show_once
from office.admin import OfficeAdmin
from office.forms import USERNAME_LENGTH_MAX, ReasonForm
from office.pages.lists import column, list_groups

CHANGE = "accounts.change_staff"
WORDS: dict[type[staff.StaffError], tuple[Any, str | None]] = {
    staff.UsernameTaken: (_("There is a user of this name already."), "username"),
    staff.ChangesThemselves: (_("Nobody changes themselves here: ask another administrator."), None),
    staff.BeyondOwnPermissions: (_("This is about rights that you do not have yourself."), None),
    staff.LastSuperuser: (_("This is the last active superuser: nobody could let anybody in."), None),
}


class GroupsForm(ReasonForm):
    groups = forms.MultipleChoiceField(
        label=_("Groups"),
        choices=[(name, name) for name in staff.GROUPS],
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


def ask(
    domain: Callable[..., Any], request: HttpRequest, subject: Staff | None, asked: dict[str, Any]
) -> Any:
    """One call of a function of `accounts.staff`, its refusals in words.

    It is given the subject's id, if there is one, and what the form asked for. The reason is for the log.
    """
    of: dict[str, Any] = {} if subject is None else {"id": subject.pk}
    of |= {name: value for name, value in asked.items() if name != "reason"}
    try:
        return domain(actor=request.user, **of)
    except staff.StaffError as error:
        raise Refusal(*WORDS[type(error)]) from None


def change(
    domain: Callable[..., User], done: Any, request: HttpRequest, member: Staff, asked: dict[str, Any]
) -> str:
    """Runs a function of `accounts.staff`; `done` says so."""
    ask(domain, request, member, asked)
    return str(done)


def give_password(
    domain: Callable[..., tuple[User, str]],
    request: HttpRequest,
    subject: Staff | None,
    asked: dict[str, Any],
) -> HttpResponse:
    """Runs a function of `accounts.staff` that makes a password, and shows the password once."""
    member, password = ask(domain, request, subject, asked)
    return show_once(
        request,
        title=_("Password of %(username)s") % {"username": member.username},
        secret=password,
        note=_(
            "It is shown this once, and kept nowhere. Hand it over in person. "
            "It should be changed at the first login."
        ),
        goal=reverse("admin:accounts_staff_change", args=[member.pk]),
    )


@admin.register(Staff)
class StaffAdmin(OfficeAdmin):
    """Nobody becomes a superuser here: `manage.py createsuperuser` is for that."""

    subject_template = "admin/staff.html"
    list_display = (
        "username",
        "name",
        "show_groups",
        "is_active",
        "is_superuser",
        "last_login",
        "show_second_factor",
    )
    facts = (*list_display, "created_at", "show_lock")
    ordering = ("username",)
    search_fields = ("username", "name")
    show_groups = column(_("groups"), list_groups)
    show_second_factor = column(_("second factor"), lambda member: member.has_second_factor, boolean=True)
    show_lock = column(
        _("locked out"), lambda member: _("yes") if staff.is_locked_out(member.username) else _("no")
    )
    list_commands = (
        Command(
            name="create",
            label=_("New member of staff"),
            permission="accounts.add_staff",
            run=partial(give_password, staff.create),
            form=NewStaffForm,
            note=_("A password is made for the first login. The second factor is set up then."),
            tell=lambda asked: " ".join([asked["username"], *asked["groups"]]),
        ),
    )
    commands = (
        Command(
            name="groups",
            label=_("Groups"),
            permission=CHANGE,
            run=partial(
                change, staff.set_groups, _("The groups are changed. They count from the next page on.")
            ),
            form=GroupsForm,
            tell=lambda asked: " ".join(asked["groups"]),
        ),
        Command(
            name="password",
            label=_("New password"),
            permission=CHANGE,
            run=partial(give_password, staff.reset_password),
            note=_("A password is made and shown once. All their sessions end."),
        ),
        Command(
            name="reset-second-factor",
            label=_("Reset second factor"),
            permission=CHANGE,
            run=partial(
                change,
                staff.reset_second_factor,
                _("The second factor is gone. They enrol a new one at their next login."),
            ),
            applies=lambda member: member.has_second_factor,
            note=_("For who has lost their authenticator app. Make sure that it is really them who ask."),
            is_dangerous=True,
        ),
        Command(
            name="unlock",
            label=_("Unlock"),
            permission=CHANGE,
            run=partial(change, staff.unlock, _("Unlocked. The wrong passwords are forgotten.")),
            applies=lambda member: staff.is_locked_out(member.username),
            note=_("They gave a wrong password too often. Make sure that it was them."),
        ),
        Command(
            name="deactivate",
            label=_("Deactivate"),
            permission=CHANGE,
            run=partial(change, staff.deactivate, _("Deactivated. Their sessions are over.")),
            applies=lambda member: member.is_active,
            note=_("They can log in no more, and their sessions end at once. What they did stays on record."),
            is_dangerous=True,
        ),
        Command(
            name="activate",
            label=_("Activate"),
            permission=CHANGE,
            run=partial(change, staff.activate, _("Active again.")),
            applies=lambda member: not member.is_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        return staff.find_staff()

    def find_buttons(self, request: HttpRequest, subject: Staff | None) -> Iterator[tuple[Command, str]]:
        if subject is None or self._find_obstacle(request, subject) is None:
            yield from super().find_buttons(request, subject)

    def describe(self, request: HttpRequest, subject: Staff) -> dict[str, Any]:
        may_see_log = request.user.has_perm("office.view_access")
        return {
            "obstacle": self._find_obstacle(request, subject),
            "log": reverse("admin:office_access_changelist") if may_see_log else None,
        }

    @staticmethod
    def _find_obstacle(request: HttpRequest, subject: Staff) -> Any:
        """Why this person cannot change the other; None: they can, or may change nobody anyway."""
        if not request.user.has_perm(CHANGE):
            return None
        try:
            staff.require_may_change(subject, actor=request.user)  # type: ignore[arg-type]
        except staff.StaffError as error:
            return WORDS[type(error)][0]
        return None

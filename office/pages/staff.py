"""The pages of staff: for administrators."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import Staff, User
from office.actions import Command, Refusal, show_once
from office.admin import OfficeAdmin
from office.pages.staff_forms import GroupsForm, NewStaffForm

WORDS: dict[type[staff.StaffError], tuple[Any, str | None]] = {
    staff.UsernameTaken: (_("There is a user of this name already."), "username"),
    staff.ChangesThemselves: (_("Nobody changes themselves here: ask another administrator."), None),
    staff.BeyondOwnPermissions: (_("This is about rights that you do not have yourself."), None),
    staff.LastSuperuser: (_("This is the last active superuser: nobody could let anybody in."), None),
}
FIRST_LOGIN = _(
    "It is shown this once, and kept nowhere. Hand it over in person. "
    "It should be changed at the first login."
)


def ask(domain: Callable[..., Any], request: HttpRequest, **asked: Any) -> Any:
    """One call of the domain, its refusals in words."""
    try:
        return domain(actor=request.user, **asked)
    except staff.StaffError as error:
        raise Refusal(*WORDS[type(error)]) from None


def create(request: HttpRequest, subject: None, asked: dict[str, Any]) -> HttpResponse:
    of = {name: asked[name] for name in ("username", "name", "groups")}
    member, password = ask(staff.create, request, **of)
    return _show_password(request, member, password)


def reset_password(request: HttpRequest, member: Staff, asked: dict[str, Any]) -> HttpResponse:
    _member, password = ask(staff.reset_password, request, id=member.pk)
    return _show_password(request, member, password)


def _show_password(request: HttpRequest, member: User, password: str) -> HttpResponse:
    goal = reverse("admin:accounts_staff_change", args=[member.pk])
    title = gettext("Password of %(username)s") % {"username": member.username}
    return show_once(request, title=title, secret=password, note=FIRST_LOGIN, goal=goal)


def set_groups(request: HttpRequest, member: Staff, asked: dict[str, Any]) -> str:
    ask(staff.set_groups, request, id=member.pk, groups=asked["groups"])
    return gettext("The groups are changed. They count from the next page on.")


def deactivate(request: HttpRequest, member: Staff, asked: dict[str, Any]) -> str:
    ask(staff.deactivate, request, id=member.pk)
    return gettext("Deactivated. Their sessions are over.")


def activate(request: HttpRequest, member: Staff, asked: dict[str, Any]) -> str:
    ask(staff.activate, request, id=member.pk)
    return gettext("Active again.")


def reset_second_factor(request: HttpRequest, member: Staff, asked: dict[str, Any]) -> str:
    ask(staff.reset_second_factor, request, id=member.pk)
    return gettext("The second factor is gone. They enrol a new one at their next login.")


def unlock(request: HttpRequest, member: Staff, asked: dict[str, Any]) -> str:
    ask(staff.unlock, request, id=member.pk)
    return gettext("Unlocked. The wrong passwords are forgotten.")


CHANGE = "accounts.change_staff"


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
    list_commands = (
        Command(
            name="create",
            label=_("New member of staff"),
            permission="accounts.add_staff",
            run=create,
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
            run=set_groups,
            form=GroupsForm,
            tell=lambda asked: " ".join(asked["groups"]),
        ),
        Command(
            name="password",
            label=_("New password"),
            permission=CHANGE,
            run=reset_password,
            note=_("A password is made and shown once. All their sessions end."),
        ),
        Command(
            name="reset-second-factor",
            label=_("Reset second factor"),
            permission=CHANGE,
            run=reset_second_factor,
            applies=lambda member: member.has_second_factor,
            note=_("For who has lost their authenticator app. Make sure that it is really them who ask."),
            is_dangerous=True,
        ),
        Command(
            name="unlock",
            label=_("Unlock"),
            permission=CHANGE,
            run=unlock,
            applies=lambda member: staff.is_locked_out(member.username),
            note=_("They gave a wrong password too often. Make sure that it was them."),
        ),
        Command(
            name="deactivate",
            label=_("Deactivate"),
            permission=CHANGE,
            run=deactivate,
            applies=lambda member: member.is_active,
            note=_("They can log in no more, and their sessions end at once. What they did stays on record."),
            is_dangerous=True,
        ),
        Command(
            name="activate",
            label=_("Activate"),
            permission=CHANGE,
            run=activate,
            applies=lambda member: not member.is_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        return staff.find_staff()

    def find_buttons(self, request: HttpRequest, subject: Staff | None) -> Iterator[tuple[Command, str]]:
        if subject is None or self._find_obstacle(request, subject) is None:
            yield from super().find_buttons(request, subject)

    def describe(self, request: HttpRequest, subject: Staff) -> dict[str, Any]:
        log = reverse("admin:office_access_changelist")
        return {
            "obstacle": self._find_obstacle(request, subject),
            "log": log if request.user.has_perm("office.view_access") else None,
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

    @admin.display(description=_("groups"))
    def show_groups(self, member: Staff) -> str:
        return ", ".join(sorted(group.name for group in member.groups.all()))

    @admin.display(description=_("second factor"), boolean=True)
    def show_second_factor(self, member: Any) -> bool:
        return bool(member.has_second_factor)

    @admin.display(description=_("locked out"))
    def show_lock(self, member: Staff) -> str:
        return gettext("yes") if staff.is_locked_out(member.username) else gettext("no")

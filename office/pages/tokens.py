"""The pages of tokens: for administrators. The key of a token's row is its digest, which no page names."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.settings import CONSTANTS
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import tokens
from accounts.models import Token, User
from office.actions import Command, Refusal, show_once
from office.forms import USERNAME_LENGTH_MAX, ReasonForm
from office.models import Access
from office.pages.lists import SearchedAdmin, column, list_groups
from office.templatetags.ledger import link, moment

KEY_LENGTH = CONSTANTS.TOKEN_KEY_LENGTH
WORDS: dict[type[Exception], tuple[Any, str]] = {
    tokens.UserIsStaff: (
        _("This is a member of staff. A token asks for no second factor: make a service of its own."),
        "name",
    ),
    tokens.UserIsInactive: (_("This user is not active: their tokens are not taken."), "name"),
    tokens.GroupsUnknown: (_("There is no such group any more."), "groups"),
}


def list_groups_of_services() -> list[tuple[str, str]]:
    found = Group.objects.filter(name__startswith="api-").order_by("name")
    return [(name, name) for name in found.values_list("name", flat=True)]


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
        initial=90,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    field_order = ("name", "groups", "days", "reason")


def issue(request: HttpRequest, subject: None, asked: dict[str, Any]) -> HttpResponse:
    try:
        token, user, _is_new = tokens.issue(
            name=asked["name"], groups=asked["groups"], days=asked["days"], service_only=True
        )
    except tuple(WORDS) as error:
        raise Refusal(*WORDS[type(error)]) from None
    return show_once(
        request,
        title=_("Token of %(name)s") % {"name": user.username},
        secret=token,
        note=_("It is shown this once, and kept nowhere. Whoever has it can pass for this user."),
        goal=reverse("admin:accounts_token_changelist"),
    )


def revoke(request: HttpRequest, token: Token, asked: dict[str, Any]) -> str:
    tokens.revoke(token_key=token.token_key)
    return _("Revoked. Within %(seconds)s seconds it is taken nowhere any more.") % {
        "seconds": settings.TOKEN_CACHE_SECONDS
    }


@admin.register(Token)
class TokenAdmin(SearchedAdmin):
    """A form that is sent twice issues two tokens: both are in the list, and either can be revoked."""

    key = "token_key"
    list_display = ("show_key", "show_user", "show_groups", "show_created", "show_expiry", "show_state")
    facts = list_display
    ordering = ("-created",)
    search_help_text = _("The user name, or the token's first letters")
    show_key = column(_("token"), lambda token: f"{token.token_key}…")
    show_user = column(_("user"), lambda token: link("accounts_user", token.user_id, token.user.username))
    show_groups = column(_("groups"), lambda token: list_groups(token.user))
    show_created = column(_("created at"), lambda token: moment(token.created))
    show_expiry = column(_("expires at"), lambda token: moment(token.expiry))
    list_commands = (
        Command(
            name="issue",
            label=_("Issue a token"),
            permission="accounts.add_token",
            run=issue,
            form=NewTokenForm,
            note=_("Sent twice, this issues two tokens: revoke the one that nobody has."),
            tell=lambda asked: " ".join([asked["name"], *asked["groups"], str(asked["days"])]),
        ),
    )
    commands = (
        Command(
            name="revoke",
            label=_("Revoke"),
            permission="accounts.delete_token",
            run=revoke,
            note=_("Whoever uses it is refused from then on. There is no way back, but a new token."),
            is_dangerous=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows: QuerySet = Token.objects.select_related("user").prefetch_related("user__groups")
        return rows

    def search(self, rows: QuerySet, words: str) -> QuerySet:
        words = words.strip().replace("\x00", "")
        if not words:
            return rows
        users = User.objects.filter(username=words).values("id")
        return rows.filter(Q(token_key=words[:KEY_LENGTH]) | Q(user__in=users))

    def record(
        self, request: HttpRequest, action: Access.Action, subject: Any = None, detail: str = ""
    ) -> None:
        """Words that may be a whole token are recorded with their beginning only."""
        known = User.objects.filter(username=detail.replace("\x00", "")).exists() if detail else True
        super().record(request, action, subject, detail if known else detail[:KEY_LENGTH])

    @admin.display(description=_("state"))
    def show_state(self, token: Token) -> Any:
        if token.expiry is not None and token.expiry <= timezone.now():
            return _("expired")
        return _("valid") if token.user.is_active else _("user is not active")

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
from ledger.text import Rule
from office.access import Action
from office.actions import Command, ReasonForm, show_once
from office.admin import SearchedAdmin
from office.forms import TextField
from office.site import USERNAME_LENGTH_MAX
from office.templatetags.ledger import column, link, list_groups, moment
from rest.middleware import get_caller

KEY_LENGTH = CONSTANTS.TOKEN_KEY_LENGTH


def list_groups_of_services() -> list[tuple[str, str]]:
    return [
        (group.name, group.name) for group in Group.objects.filter(name__startswith="api-").order_by("name")
    ]


class NewTokenForm(ReasonForm):
    name = TextField(
        rule=Rule.IDENTIFIER,
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


def issue(request: HttpRequest, obj: None, asked: dict[str, Any]) -> HttpResponse:
    token, user, _is_new = tokens.issue(**asked, service_only=True, caller=get_caller(request))
    return show_once(
        request,
        title=_("Token of %(name)s") % {"name": user.username},
        secret=token,
        note=_("It is shown this once, and kept nowhere. Whoever has it can pass for this user."),
        success_url=reverse("admin:accounts_token_changelist"),
    )


def revoke(request: HttpRequest, token: Token, asked: dict[str, Any]) -> str:
    tokens.revoke(token_key=token.token_key, caller=get_caller(request), reason=asked["reason"])
    return _("Revoked. Within %(seconds)s seconds it is taken nowhere any more.") % {
        "seconds": settings.TOKEN_CACHE_SECONDS
    }


def describe_state(token: Token) -> Any:
    """Whether the token is taken, and if not, why."""
    if token.expiry is not None and token.expiry <= timezone.now():
        return _("expired")
    return _("valid") if token.user.is_active else _("user is not active")


@admin.register(Token)
class TokenAdmin(SearchedAdmin):
    """A form that is sent twice issues two tokens: both are in the list, and either can be revoked."""

    key = "token_key"
    owner = "user_id"
    list_display = readonly_fields = (
        column(_("token"), lambda token: f"{token.token_key}…"),
        column(_("user"), lambda token: link("accounts_user", token.user_id, token.user.username)),
        column(_("groups"), lambda token: list_groups(token.user)),
        column(_("created at"), lambda token: moment(token.created)),
        column(_("expires at"), lambda token: moment(token.expiry)),
        column(_("state"), describe_state),
    )
    ordering = ("-created",)
    search_help_text = _("The user name, or the token's first letters")
    list_commands = (
        Command(
            name="issue",
            label=_("Issue a token"),
            permission="accounts.add_token",
            is_recorded=True,
            run=issue,
            form=NewTokenForm,
            note=_("Sent twice, this issues two tokens: revoke the one that nobody has."),
        ),
    )
    commands = (
        Command(
            name="revoke",
            label=_("Revoke"),
            permission="accounts.delete_token",
            is_recorded=True,
            run=revoke,
            note=_("Whoever uses it is refused from then on. There is no way back, but a new token."),
            is_dangerous=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        return Token.objects.select_related("user").prefetch_related("user__groups")  # type: ignore[no-any-return]

    def search(self, rows: QuerySet[Token], text: str) -> QuerySet[Token]:
        text = text.strip().replace("\x00", "")
        if not text:
            return rows
        users = User.objects.filter(username=text).values("id")
        return rows.filter(Q(token_key=text[:KEY_LENGTH]) | Q(user__in=users))

    def record(
        self, request: HttpRequest, action: Action, obj: Any = None, *, detail: str = "", words: str = ""
    ) -> None:
        """A search that may be for a whole token is recorded with its beginning only."""
        known = User.objects.filter(username=words.replace("\x00", "")).exists() if words else True
        super().record(request, action, obj, detail=detail, words=words if known else words[:KEY_LENGTH])

"""The pages of tokens: for administrators. The key of a token's row is its digest, which no page names."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from knox.settings import CONSTANTS

from accounts import tokens
from accounts.models import Token, User
from office.actions import Command, Refusal, show_once
from office.admin import OfficeAdmin
from office.models import Access
from office.pages.staff_forms import NewTokenForm
from office.templatetags.ledger import link, moment

KEY_LENGTH = CONSTANTS.TOKEN_KEY_LENGTH


def issue(request: HttpRequest, subject: None, asked: dict[str, Any]) -> HttpResponse:
    try:
        token, user, _is_new = tokens.issue(
            name=asked["name"], groups=asked["groups"], days=asked["days"], service_only=True
        )
    except tokens.UserIsStaff:
        raise Refusal(
            _("This is a member of staff. A token asks for no second factor: make a service of its own."),
            "name",
        ) from None
    except tokens.UserIsInactive:
        raise Refusal(_("This user is not active: their tokens are not taken."), "name") from None
    except tokens.GroupsUnknown:
        raise Refusal(_("There is no such group any more."), "groups") from None
    return show_once(
        request,
        title=gettext("Token of %(name)s") % {"name": user.username},
        secret=token,
        note=_("It is shown this once, and kept nowhere. Whoever has it can pass for this user."),
        goal=reverse("admin:accounts_token_changelist"),
    )


def revoke(request: HttpRequest, token: Token, asked: dict[str, Any]) -> str:
    tokens.revoke(token_key=token.token_key)
    seconds = settings.TOKEN_CACHE_SECONDS
    return gettext("Revoked. Within %(seconds)s seconds it is taken nowhere any more.") % {"seconds": seconds}


@admin.register(Token)
class TokenAdmin(OfficeAdmin):
    """A form that is sent twice issues two tokens: both are in the list, and either can be revoked."""

    key = "token_key"
    list_display = ("show_key", "show_user", "show_groups", "show_created", "show_expiry", "show_state")
    facts = list_display
    ordering = ("-created",)
    search_fields = ("token_key",)  # see `get_search_results`
    search_help_text = _("The user name, or the token's first letters")
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

    def get_search_results(self, request: HttpRequest, rows: QuerySet, words: str) -> tuple[QuerySet, bool]:
        words = words.strip().replace("\x00", "")
        if not words:
            return rows, False
        users = User.objects.filter(username=words).values("id")
        return rows.filter(Q(token_key=words[:KEY_LENGTH]) | Q(user__in=users)), False

    def record(
        self, request: HttpRequest, action: Access.Action, subject: Any = None, detail: str = ""
    ) -> None:
        """Of words that may be a whole token the log keeps the beginning."""
        known = User.objects.filter(username=detail.replace("\x00", "")).exists() if detail else True
        super().record(request, action, subject, detail if known else detail[:KEY_LENGTH])

    @admin.display(description=_("token"))
    def show_key(self, token: Token) -> str:
        return f"{token.token_key}…"

    @admin.display(description=_("user"))
    def show_user(self, token: Token) -> str:
        return link("accounts_user", token.user_id, token.user.username)

    @admin.display(description=_("groups"))
    def show_groups(self, token: Token) -> str:
        return ", ".join(sorted(group.name for group in token.user.groups.all()))

    @admin.display(description=_("created at"))
    def show_created(self, token: Token) -> str:
        return moment(token.created)

    @admin.display(description=_("expires at"))
    def show_expiry(self, token: Token) -> str:
        return moment(token.expiry)

    @admin.display(description=_("state"))
    def show_state(self, token: Token) -> str:
        if token.expiry is not None and token.expiry <= timezone.now():
            return gettext("expired")
        return gettext("valid") if token.user.is_active else gettext("user is not active")

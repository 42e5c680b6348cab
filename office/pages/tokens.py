"""The pages of tokens: for administrators. The key of a token's row is its digest, which no page names."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from knox.settings import CONSTANTS
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import tokens
from accounts.currencies import write_exactly
from accounts.models import NAME_LENGTH_MAX, Token, User
from accounts.queries import name_permissions
from ledger.callers import Bounds
from ledger.text import Rule
from office.access import Action
from office.actions import Command, ReasonForm, show_once
from office.admin import SearchedAdmin
from office.forms import AmountField, TextField
from office.lists.people import TokenForm
from office.site import USERNAME_LENGTH_MAX
from office.templatetags.ledger import NOTHING, column, link, list_groups, moment
from rest.middleware import get_caller
from transactions.models import Transaction

KEY_LENGTH = CONSTANTS.TOKEN_KEY_LENGTH


def list_groups_of_services() -> list[tuple[str, str]]:
    names = Group.objects.filter(name__in=tokens.GROUPS).order_by("name").values_list("name", flat=True)
    return [(name, name) for name in names]


def list_permissions_of_services() -> list[tuple[str, str]]:
    """By the names that the API's answers have for them."""
    of_groups = Permission.objects.filter(group__name__in=tokens.GROUPS)
    return [(name, name) for name in sorted(name_permissions(of_groups))]


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
            "They are added to those that the user is in. The token has the permissions of these groups and "
            "of no other; without any it sees only what is its own."
        ),
    )
    permissions = forms.MultipleChoiceField(
        label=_("Single permissions"),
        choices=list_permissions_of_services,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Of those that the user has already: for a token that may less than a group gives."),
    )
    account_names = forms.CharField(
        label=_("Names of accounts"),
        max_length=tokens.ACCOUNT_NAMES_MAX * (NAME_LENGTH_MAX + 2),
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text=_("One a line: it moves money on accounts of these names only. Empty: on all."),
    )
    types = forms.MultipleChoiceField(
        label=_("Types"),
        choices=Transaction.Type.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("A transfer is both, a hold is a withdrawal. None: all."),
    )
    amount_max = AmountField(
        label=_("Largest amount"),
        required=False,
        help_text=_("Of a transaction or a hold, in any currency. Empty: any."),
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        min_value=1,
        max_value=tokens.DAYS_MAX,
        initial=90,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    field_order = (
        *("name", "groups", "permissions", "account_names", "types", "amount_max", "days", "reason"),
    )

    def clean_account_names(self) -> frozenset[str] | None:
        return frozenset(filter(None, self.cleaned_data["account_names"].splitlines())) or None

    def clean_types(self) -> frozenset[str] | None:
        return frozenset(self.cleaned_data["types"]) or None


def issue(request: HttpRequest, obj: None, asked: dict[str, Any]) -> HttpResponse:
    bounds = Bounds(*(asked.pop(name) for name in Bounds._fields))
    token, user, _is_new = tokens.issue(**asked, bounds=bounds, service_only=True, caller=get_caller(request))
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
    if token.revoked_at is not None:
        return _("revoked")
    if token.expiry is not None and token.expiry <= timezone.now():
        return _("expired")
    return _("valid") if token.user.is_active else _("user is not active")


def show_names(names: list[str] | None) -> Any:
    """Names that somebody has chosen, each by itself; None is all."""
    if names is None:
        return _("all")
    return format_html_join(", ", "<bdi>{}</bdi>", ((name,) for name in names)) or NOTHING


def show_types(token: Token) -> Any:
    if token.types is None:
        return _("all")
    return ", ".join(str(Transaction.Type(type).label) for type in token.types)


def show_amount_max(token: Token) -> Any:
    if token.amount_max is None:
        return _("any")
    return number_format(Decimal(write_exactly(token.amount_max)), force_grouping=True)


def show_bounds(token: Token) -> Any:
    """In the list: only those that it has."""
    shown = (
        (token.account_names, show_names(token.account_names)),
        (token.types, show_types(token)),
        (token.amount_max, f"≤\N{NO-BREAK SPACE}{show_amount_max(token)}"),
    )
    return format_html_join("; ", "{}", ((text,) for bound, text in shown if bound is not None)) or NOTHING


def count_permissions(token: Token) -> Any:
    """In the list: how many; which, when it is pointed at."""
    return format_html(
        '<span title="{}">{}</span>', ", ".join(token.permissions), len(token.permissions) or NOTHING
    )


def show_done(token: Token) -> Any:
    """Rows of the ledger name the user and not the token: of several tokens it is what all of them did."""
    page = reverse("admin:accounts_user_change", args=[token.user_id])
    return format_html(
        '<a class="text-link" href="{}?show=done">{}</a>', page, _("with this and all other tokens of theirs")
    )


PREFIX = column(_("token"), lambda token: f"{token.token_key}…")
USER = column(_("user"), lambda token: link("accounts_user", token.user_id, token.user.username))
LAST_USED = column(_("last used at"), lambda token: moment(token.last_used_at))
EXPIRES = column(_("expires at"), lambda token: moment(token.expiry))
VALIDITY = column(_("state"), describe_state)
DONE = column(_("what its user did"), show_done)


@admin.register(Token)
class TokenAdmin(SearchedAdmin):
    """A form that is sent twice issues two tokens: both are in the list, and either can be revoked."""

    key = "token_key"
    owner = "user_id"
    list_display = (
        PREFIX,
        USER,
        column(_("permissions"), count_permissions),
        column(_("bounds"), show_bounds),
        LAST_USED,
        EXPIRES,
        VALIDITY,
    )
    readonly_fields = (
        PREFIX,
        USER,
        column(_("groups of the user"), lambda token: list_groups(token.user)),
        column(_("permissions"), lambda token: ", ".join(token.permissions) or NOTHING),
        column(_("account names"), lambda token: show_names(token.account_names)),
        column(_("types"), show_types),
        column(_("largest amount"), show_amount_max),
        column(_("created at"), lambda token: moment(token.created)),
        LAST_USED,
        EXPIRES,
        column(_("revoked at"), lambda token: moment(token.revoked_at)),
        VALIDITY,
        DONE,
    )
    list_form = TokenForm
    nothing = _("No tokens.")
    ordering = ("-created", "-token_key")
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
            applies=lambda token: token.revoked_at is None,
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

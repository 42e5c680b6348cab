"""The site of the back office: who comes in, and which pages there are."""

import base64
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, get_user_model, logout, user_login_failed
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxLengthValidator
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.i18n import set_language
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import SecondFactor, User, make_url, read_secret, seal_secret
from events import record
from ledger.callers import ActorKind, Caller
from ledger.ciphers import Undecipherable
from office.visits import unsent
from rest.middleware import get_caller, get_caller_id, get_request_id

USERNAME_LENGTH_MAX = 150  # longer ones are nobody's, and cannot be counted as a wrong password
# Of the session: what its browser was shown and has not confirmed yet, encrypted as it will be kept.
OFFERED = "office_offered_secret"
SECRET_BYTES = 20
OPEN_BEFORE = ("password_change", "logout")  # one's own password is chosen
View = Callable[..., HttpResponse]


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


class OfficeSite(UnfoldAdminSite):  # type: ignore[misc]
    """Staff with their second factor only, and only pages that were made for this site."""

    index_title = _("Dashboard")
    login_form = LoginForm
    # Beside those of models: address, view and name of each. A view checks the permission and records access.
    pages: list[tuple[str, Callable[..., HttpResponse], str]] = []

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages that libraries would add are left out: some show secrets, some change what must stay."""
        if getattr(admin_class, "is_of_the_office", False):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and _has_second_factor(request)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        shown = super().admin_view(_require_own_password(view), cacheable)

        @wraps(shown)
        def inner(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                unsent.keep(request)
            return shown(request, *args, **options)  # type: ignore[no-any-return]

        return inner

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        return super().get_app_list(request, app_label) if self.has_permission(request) else []

    def get_urls(self) -> list[URLPattern]:
        return [
            path("second-factor/", self.second_factor, name="second_factor"),
            path("language/", set_language, name="set_language"),
            *(path(address, self.admin_view(page), name=name) for address, page, name in self.pages),
            *super().get_urls(),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password. Who has given it goes on to the second factor."""
        if super().has_permission(request) and not _has_second_factor(request):
            query = urlencode({REDIRECT_FIELD_NAME: request.GET.get(REDIRECT_FIELD_NAME, "")})
            return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{query}")
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST":
            if response.status_code == 200:  # the form once more
                _record_wrong_password(request)
            elif response.status_code == 302 and not settings.SECOND_FACTOR:
                _record_login(request, "succeeded")
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            _record_login(request, "ended")
        return super().logout(request, extra_context)  # type: ignore[no-any-return]

    @method_decorator([never_cache, csrf_protect])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Asks for a code of the authenticator app; who has none yet is shown the secret for one."""
        if not super().has_permission(request):
            return HttpResponseRedirect(reverse("admin:login"))
        if request.method == "POST" and "leave" in request.POST:
            _record_login(request, "ended")
            logout(request)
            return HttpResponseRedirect(reverse("admin:login"))
        success_url = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(success_url, {request.get_host()}, request.is_secure()):
            success_url = reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(success_url)
        device = SecondFactor.objects.filter(user=request.user, confirmed=True).order_by("id").first()
        form = TokenForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and (passed := _try_code(request, device, form)):
            request.session.pop(OFFERED, None)
            request.session.cycle_key()
            django_otp.login(request, passed)
            _record_login(request, "succeeded")
            return HttpResponseRedirect(success_url)
        return TemplateResponse(
            request,
            "admin/second_factor.html",
            {
                **self.each_context(request),
                "title": _("Second factor"),
                "form": form,
                "secret": _offer_secret(request) if device is None else None,
            },
        )

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """No form here needs it, and it would be a search that nobody records."""
        raise PermissionDenied

    @atomic
    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            User.objects.filter(pk=get_caller_id(request)).update(must_change_password=False)
            _record_change_of_oneself(request, "password_changed")
        return response


def _require_own_password(view: View) -> View:
    """The view, for who has chosen their password themselves; others are led to where they do."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        match, user = request.resolver_match, request.user
        if user.must_change_password and match and match.url_name not in OPEN_BEFORE:  # type: ignore[union-attr]
            messages.warning(
                request, _("Somebody else has made your password. Choose one that only you know.")
            )
            return HttpResponseRedirect(reverse("admin:password_change"))
        return view(request, *args, **options)

    return inner


def _has_second_factor(request: HttpRequest) -> bool:
    return not settings.SECOND_FACTOR or request.user.is_verified()  # type: ignore[union-attr]


@atomic
def _record_login(request: HttpRequest, outcome: str, *, detail: str = "") -> None:
    """What came of a login of somebody whose password was right."""
    record.write(
        get_caller(request),
        type=f"login.{outcome}",
        action=record.Action.LOGIN,
        subject="staff",
        subject_id=get_caller_id(request),
        owner=get_caller_id(request),
        detail=detail,
    )


@atomic
def _record_wrong_password(request: HttpRequest) -> None:
    """Nobody knows who it was. The name may be anybody's, or a password in the wrong field."""
    name = request.POST.get("username", "").replace("\x00", "")[:USERNAME_LENGTH_MAX]
    if not name or not request.POST.get("password"):
        return
    meant = User.objects.filter(username=name, is_staff=True).values_list("pk", flat=True).first()
    record.write(
        Caller(None, ActorKind.STAFF, get_request_id(request)),
        type="login.failed",
        action=record.Action.LOGIN,
        subject="staff",
        subject_id=meant or "",
        owner=meant,
        detail="locked out" if getattr(request, "axes_locked_out", False) else "password",
        words=name,
    )


def _record_change_of_oneself(request: HttpRequest, change: str) -> None:
    pk = get_caller_id(request)
    record.write(get_caller(request), type=f"staff.{change}", subject="staff", subject_id=pk, owner=pk)


def _try_code(request: HttpRequest, device: SecondFactor | None, form: TokenForm) -> SecondFactor | None:
    """The device that the code is of; None if it is not right, which the form says then and the record."""
    code = form.cleaned_data["otp_token"]
    try:
        passed: SecondFactor | None = (  # a code is taken once, and after a wrong one there is a pause
            django_otp.verify_token(request.user, device.persistent_id, code)
            if device
            else _enrol(request, code)
        )
    except Undecipherable:
        _record_login(request, "failed", detail="key")
        form.add_error(
            "otp_token",
            _(
                "The ledger cannot read your second factor: SECOND_FACTOR_KEY is not the key that it was "
                "encrypted with. Tell an operator."
            ),
        )
        return None
    if passed is None:
        _record_login(request, "failed", detail="code")
        form.add_error("otp_token", _("This code is not right. After wrong codes, wait a few seconds."))
    return passed


@atomic
def _enrol(request: HttpRequest, code: str) -> SecondFactor | None:
    """Keep the secret that this browser was shown, and return its device; None, if the code is not right, or
    another browser was first. Raises `Undecipherable`."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=request.user.pk)  # type: ignore[misc]
    offered = request.session.get(OFFERED)
    if offered is None or SecondFactor.objects.filter(user=request.user, confirmed=True).exists():
        return None
    device = SecondFactor(user=request.user, name="authenticator", secret=offered)
    if not device.take(code):
        return None
    device.save()
    _record_change_of_oneself(request, "second_factor_set")
    return device


def _offer_secret(request: HttpRequest) -> dict[str, str]:
    """A QR code as SVG, and the same secret as text for who cannot scan it. It is this browser's alone:
    what somebody else with the password was shown before is never what is kept."""
    user: Any = request.user
    try:
        secret = read_secret(user.pk, request.session.get(OFFERED, ""))
    except Undecipherable:
        secret = secrets.token_bytes(SECRET_BYTES)
        request.session[OFFERED] = seal_secret(user.pk, secret)
    picture = segno.make(make_url(user, secret), micro=False).svg_inline(
        scale=4, border=2, dark="#000", light="#fff"
    )
    return {
        "picture": mark_safe(picture),  # noqa: S308, made of our own url
        "text": base64.b32encode(secret).decode(),
    }

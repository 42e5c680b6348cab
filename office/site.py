"""The site of the back office: who comes in, and which pages there are."""

from collections.abc import Callable
from typing import Any

import django_otp
import segno
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.i18n import set_language
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.sites import UnfoldAdminSite

from office.forms import TokenForm

Page = Callable[..., HttpResponse]


class OfficeSite(UnfoldAdminSite):  # type: ignore[misc]
    """Staff with their second factor only, and only pages that were made for this site."""

    index_title = gettext_lazy("Dashboard")
    pages: list[tuple[str, Page, str]] = []  # of the apps, beside those of their models

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages that libraries would add are left out: some show secrets, some change what must stay."""
        if getattr(admin_class, "is_of_the_office", False):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and _has_second_factor(request)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("second-factor/", self.second_factor, name="second_factor"),
            path("language/", set_language, name="set_language"),
            *(path(address, self.admin_view(page), name=name) for address, page, name in self.pages),
            *super().get_urls(),
        ]

    @classmethod
    def add_page(cls, address: str, page: Page, name: str) -> None:
        """A page for staff; it checks its right and records the access by itself."""
        cls.pages.append((address, page, name))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password. Who has given it goes on to the second factor."""
        if super().has_permission(request) and not _has_second_factor(request):
            goal = request.GET.get(REDIRECT_FIELD_NAME, "")
            query = urlencode({REDIRECT_FIELD_NAME: goal})
            return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{query}")
        response: HttpResponse = super().login(request, extra_context)
        return response

    @method_decorator([never_cache, csrf_protect])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Asks for a code of the authenticator app; who has none yet is shown the secret for one, once."""
        if not super().has_permission(request):
            return HttpResponseRedirect(reverse("admin:login"))
        if request.method == "POST" and "leave" in request.POST:
            logout(request)
            return HttpResponseRedirect(reverse("admin:login"))
        goal = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(goal, {request.get_host()}, request.is_secure()):
            goal = reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(goal)
        device = TOTPDevice.objects.filter(user=request.user).order_by("-confirmed", "id").first()
        if device is None:
            device = TOTPDevice.objects.create(user=request.user, name="authenticator", confirmed=False)
        form = TokenForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            if found := django_otp.verify_token(
                request.user, device.persistent_id, form.cleaned_data["otp_token"]
            ):
                TOTPDevice.objects.filter(id=found.id).update(confirmed=True)
                found.confirmed = True
                request.session.cycle_key()
                django_otp.login(request, found)
                return HttpResponseRedirect(goal)
            form.add_error("otp_token", _("This code is not right. After wrong codes, wait a few seconds."))
        context = {
            **self.each_context(request),
            "title": _("Second factor"),
            "form": form,
            "secret": None if device.confirmed else _describe_secret(device),
        }
        return TemplateResponse(request, "admin/second_factor.html", context)


def _has_second_factor(request: HttpRequest) -> bool:
    return not settings.SECOND_FACTOR or request.user.is_verified()  # type: ignore[union-attr]


def _describe_secret(device: TOTPDevice) -> dict[str, str]:
    """A QR code as SVG, and the same secret as text for who cannot scan it."""
    url = device.config_url
    picture = segno.make(url, micro=False).svg_inline(scale=4, border=2, dark="#000", light="#fff")
    text = url.split("secret=")[1].split("&")[0].rstrip("%3D")
    return {"picture": mark_safe(picture), "text": text}  # noqa: S308, made of our own url

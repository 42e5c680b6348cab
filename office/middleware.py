"""What holds for the pages of the back office and for nothing else: language, time zone, session, CSP."""

import ipaddress
from contextlib import suppress
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from rest.middleware import GetResponse

PAGES = "/admin/"
# Alpine evaluates its attributes, and unfold's templates have scripts and styles in them.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def speak_and_protect(get_response: GetResponse) -> GetResponse:
    """Middleware: pages speak the chosen language or the browser's, and load nothing from elsewhere.

    The API speaks English.

    A page that asks who somebody is makes their session last `SESSION_SECONDS` from then on. (With Django's
    SESSION_SAVE_EVERY_REQUEST, a request to the API that bears an old cookie would fail after its commit.)
    """
    localized = LocaleMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PAGES):
            return get_response(request)
        try:
            response: HttpResponseBase = localized(request)  # type: ignore[assignment]
        finally:
            translation.deactivate()  # the next request of this thread may be the API's
        if request.session.accessed and not request.session.is_empty():
            request.session.modified = True
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response

    return middleware


def keep_own_time(get_response: GetResponse) -> GetResponse:
    """Middleware: pages show and read moments in the zone of the member of staff who asks for them."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PAGES):
            return get_response(request)
        with timezone.override(find_zone(getattr(request.user, "time_zone", ""))):
            return get_response(request)

    return middleware


def find_zone(name: str) -> tzinfo:
    """The zone of that name; UTC, if there is none any more."""
    with suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(name)
    return UTC


def find_address(request: HttpRequest) -> str:
    """The IP address of the client. Behind TLS there is a proxy in front, which names it last."""
    if settings.BEHIND_TLS:
        with suppress(ValueError):
            named = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
            return str(ipaddress.ip_address(named))
    return str(request.META.get("REMOTE_ADDR", ""))

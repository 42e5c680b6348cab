"""What holds for the pages of the back office and for nothing else: their language and their CSP."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

GetResponse = Callable[[HttpRequest], HttpResponse]

PAGES = "/admin/"
# Alpine evaluates its attributes, and unfold's templates have scripts and styles in them.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def speak_and_protect(get_response: GetResponse) -> GetResponse:
    """The browser's language or the chosen one, and no content from elsewhere. The API speaks English."""
    localized = LocaleMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PAGES):
            return get_response(request)
        try:
            response: HttpResponse = localized(request)  # type: ignore[assignment]
        finally:
            translation.deactivate()  # the next request of this thread may be the API's
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response

    return middleware

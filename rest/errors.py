"""How refusals become HTTP. The status numbers are in `rest.codes`.

Every failure under `/api/` is `application/problem+json` (RFC 9457) with a stable `code`; `docs/errors.md`
explains each. The domain packages raise `LedgerError`s: a `code`, a `detail` and `extensions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.db import Error, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS

from ledger.errors import LedgerError
from ledger.logs import describe_error
from ledger.sql import READ_ONLY, UNAVAILABLE
from rest.answers import Answer, answer
from rest.codes import CHALLENGES, DETAILS, HEADERS, PROBLEM_JSON, STATUS
from rest.middleware import get_request_id


class TokenExpired(exceptions.AuthenticationFailed):
    """It was a valid token: all of it was right."""


class PermissionMissing(exceptions.PermissionDenied):
    """Who asks has not got this `permission`."""

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission


# The codes of what Django and DRF raise; the first that fits.
FRAMEWORK_CODES: list[tuple[tuple[type[Exception], ...], str]] = [
    ((exceptions.NotAuthenticated,), "not_authenticated"),
    ((TokenExpired,), "token_expired"),
    ((exceptions.AuthenticationFailed,), "token_invalid"),
    ((exceptions.PermissionDenied, PermissionDenied), "permission_denied"),
    ((exceptions.NotFound, Http404), "not_found"),
    ((exceptions.APIException,), "bad_request"),
]
# Locks, time-outs and exhausted resources.
BUSY = ("25P03", "25P04", "40", "53", "55", "57014")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong: `pointer` is `/amount` in a body, `?at` in a query, or a header's name."""

    pointer: str
    code: str
    detail: str


class InvalidRequest(Exception):
    """A malformed request; its code is that of the first error."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(errors)
        self.errors = errors


def make_problem(
    request: HttpRequest,
    code: str,
    detail: str | None = None,
    *,
    extensions: Mapping[str, Any] | None = None,
) -> Answer:
    """The answer for a refusal: RFC 9457's members, the code, and the extensions of the rule."""
    return send_problem(describe_problem(request, code, detail, extensions=extensions))


def send_problem(problem: dict[str, Any]) -> Answer:
    """The answer whose body `describe_problem` has made."""
    status = problem["status"]
    code = problem["code"]
    headers = HEADERS.get(status) or CHALLENGES.get(code, {})
    sent = answer(problem, status, {"Content-Type": PROBLEM_JSON, **headers})
    sent.log_facts = {"code": code}
    return sent


def describe_problem(
    request: HttpRequest,
    code: str,
    detail: str | None = None,
    *,
    errors: Sequence[FieldError] = (),
    extensions: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a problem. A code of `DETAILS` needs no detail."""
    body: dict[str, Any] = {
        "type": f"/errors/{code}",
        "title": HTTPStatus(STATUS[code]).phrase,
        "status": STATUS[code],
        "detail": DETAILS[code] if detail is None else detail,
        "code": code,
        "request_id": get_request_id(request),
    }
    if errors:
        body["errors"] = [asdict(error) for error in errors]
    # The standard's members first, and never overwritten by a particular of the same name.
    return body | {name: value for name, value in (extensions or {}).items() if name not in body}


def describe_refusal(request: Any, error: LedgerError | InvalidRequest, at: str = "") -> dict[str, Any]:
    """The body of the problem that a refusal in a viewset is. `at` points to the item of the body that it is
    about."""
    if isinstance(error, InvalidRequest):
        first, *others = error.errors
        detail = f"{first.pointer}: {first.detail}" if first.pointer else first.detail
        if others:
            detail += f" And {len(others)} more: see `errors`."
        return describe_problem(request, first.code, detail, errors=error.errors)
    mark = "?" if request.method in SAFE_METHODS else "/"
    pointer = f"{at}{mark}{error.field}" if error.field else at
    errors = [FieldError(pointer, error.code, error.detail)] if pointer else []
    is_shown = error.confidential_to is None or request.may_see(*error.confidential_to)
    return describe_problem(
        request, error.code, error.detail, errors=errors, extensions=error.extensions if is_shown else None
    )


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: whatever was raised in a view becomes a problem."""
    request: HttpRequest = context["request"]
    if isinstance(error, exceptions.ValidationError):
        error = InvalidRequest(*list_errors(error))
    if isinstance(error, InvalidRequest | LedgerError):
        return send_problem(describe_refusal(request, error))
    if isinstance(error, PermissionMissing):
        detail = f"The token has not got the permission {error.permission}."
        return make_problem(request, "permission_denied", detail, extensions={"permission": error.permission})
    if isinstance(error, exceptions.MethodNotAllowed):
        detail = f"This address knows {', '.join(context['view'].allowed_methods)}."
        return make_problem(request, "method_not_allowed", detail)
    for kinds, code in FRAMEWORK_CODES:
        if isinstance(error, kinds):
            return make_problem(request, code)
    if isinstance(error, Error) and (outage := _classify_database_error(error)):
        logger.warning("database_error", code=outage, error=describe_error(error))
        return make_problem(request, outage)
    logger.exception("request_failed", exc_info=error)
    return make_problem(request, "internal_error")


def list_errors(error: exceptions.ValidationError) -> list[FieldError]:
    """What a serializer of DRF's found; one of its own codes is `bad_request` here."""
    found: Any = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    return [
        FieldError(f"/{name}" if name else "", each.code if each.code in STATUS else "bad_request", str(each))
        for name, details in found.items()
        for each in details
    ]


def _classify_database_error(error: Error) -> str | None:
    """The code of what passes by itself; None for a fault of ours."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is None:
        return "database_unavailable" if isinstance(error, OperationalError | InterfaceError) else None
    if sqlstate in READ_ONLY:
        return "database_read_only"
    if sqlstate.startswith(BUSY):
        return "busy"
    return "database_unavailable" if sqlstate.startswith(UNAVAILABLE) else None


# Django's own handlers, for what never reaches a view: problems under /api/, Django's pages elsewhere.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    code = "host_not_allowed" if isinstance(exception, DisallowedHost) else "bad_request"
    return _make_problem_of_api(request, code) or defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _make_problem_of_api(request, "no_such_address") or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """What nobody expected. Django calls this while it handles the exception."""
    logger.exception("request_failed")
    return _make_problem_of_api(request, "internal_error") or defaults.server_error(request)


def _make_problem_of_api(request: HttpRequest, code: str) -> HttpResponse | None:
    """None outside of the API. No view has answered, so it has the headers of an answer from here."""
    if not request.path.startswith("/api/"):
        return None
    problem = make_problem(request, code)
    problem.headers["Cache-Control"] = "no-store"
    return problem

"""What the OpenAPI document says of every operation: the problems it may answer, its headers and examples."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.drainage import isolate_view_method
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from rest.codes import PROBLEM_JSON, STATUS
from rest.document.problems import KINDS, ProblemSerializer
from rest.serializers import DryRunQuery, NoFields

AnyViewSet = TypeVar("AnyViewSet", bound=type)
Operation = Callable[[Any], Any]  # says it of a method of a viewset
EVERYWHERE = (
    "unknown_parameter",
    "duplicate_parameter",
    "not_authenticated",
    "token_invalid",
    "token_expired",
    "permission_denied",
    "too_many_requests",
    "internal_error",
    "busy",
    "database_unavailable",
    "database_read_only",
)
ON_BODIES = (
    "malformed_json",
    "invalid_body",
    "duplicate_key",
    "unknown_field",
    "required",
    "request_timeout",
    "length_required",
    "body_too_large",
    "unsupported_media_type",
)
ON_IDENTITY = (
    "identity_required",
    "two_identities",
    "id_invalid",
    "idempotency_key_invalid",
    "idempotency_key_reused",
)
ON_AMOUNTS = (
    "amount_invalid",
    "amount_not_text",
    "amount_not_positive",
    "amount_too_large",
    "amount_scale",
)
ON_CHANGES = ("if_match_invalid", "etag_mismatch")
ON_LISTS = ("invalid_parameter", "invalid_cursor")
# What a good answer is, by its status.
GOOD = {
    200: "As it is now.",
    201: "It is there; `Idempotency-Replayed` says whether it was before.",
    204: "It is gone.",
}
LEADS_TO = "x-leads-to"  # the links of an operation, until the document is finished

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Instead of an `id`: 1 to 255 printable ASCII characters; the id is derived from it and you.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Change it only if it has one of these ETags, or `*`: it has any. A weak one never matches.",
)


def etag_of(status: int = 200) -> OpenApiParameter:
    """The header of a good answer."""
    return OpenApiParameter(
        "ETag",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[status],
        description="Of all that `PATCH` can change of it, and of nothing else.",
    )


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "rest.viewsets.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `manage.py issue_token`."}


class AutoSchema(SpectacularSchema):
    """An action reads what the `request_serializers` of its view say: of a GET the query, else the body."""

    view: Any

    def get_request_serializer(self) -> Any:
        serializer = self.view.request_serializers.get(self.view.action)
        return None if serializer is NoFields else serializer

    def is_deprecated(self) -> bool:
        return getattr(self.view, "action", None) in getattr(self.view, "deprecations", ())

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def get_override_parameters(self) -> list[Any]:
        if not hasattr(self.view, "request_serializers"):
            return []  # of a webhook, which is no view of ours
        serializer = self.view.request_serializers.get(self.view.action)
        if self.view.action in self.view.dry_runs:
            return [DryRunQuery]
        return [serializer] if serializer and self.method == "GET" else []


def describe(tag: str, **operations: Operation) -> Callable[[AnyViewSet], AnyViewSet]:
    """Class decorator of viewsets: tells the OpenAPI document of their actions, inherited ones included. The
    tag is the chapter that they stand in.
    """

    def decorate(view: AnyViewSet) -> AnyViewSet:
        for action, say in operations.items():
            method = isolate_view_method(view, action)  # type: ignore[no-untyped-call]
            extend_schema(tags=[tag])(say(method))
        return view

    return decorate


def operation(
    name: str,
    summary: str,
    description: str,
    status: int,
    serializer: Any,
    *codes: str,
    also: Mapping[Any, Any] | None = None,
    problems: Mapping[int, type[ProblemSerializer]] | None = None,
    leads_to: Sequence[str] = (),
    **options: Any,
) -> Operation:
    """`extend_schema` with these options, for an action. `name` is what clients that are generated call it.

    Its responses are the good one, a problem per status that the codes have, and `also`. `problems` are of
    kinds of their own. It `leads_to` operations that take the `id` of the good answer.
    """
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys((*codes, *EVERYWHERE)):
        by_status[STATUS[code]].append(code)
    responses = {
        (problem_status, PROBLEM_JSON): OpenApiResponse(
            (problems or {}).get(problem_status, KINDS[problem_status].serializer),
            description=", ".join(f"`{code}`" for code in by_status[problem_status]),
        )
        for problem_status in sorted(by_status)
    }
    good = OpenApiResponse(serializer, description=GOOD[status])
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=" ".join(description.split()),
        responses={status: good, **responses, **(also or {})},
        extensions={LEADS_TO: [*leads_to]} if leads_to else None,
        **options,
    )


def sent(name: str, value: object) -> OpenApiExample:
    """The example of a body."""
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: object, status: int = 200, **options: Any) -> OpenApiExample:
    """The example of an answer."""
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)], **options)

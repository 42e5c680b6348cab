"""What the OpenAPI document says of every operation: the problems it may answer, its headers and examples."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.drainage import isolate_view_method
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from rest.codes import PROBLEM_JSON, STATUS
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

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
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

    def get_override_parameters(self) -> list[Any]:
        serializer = self.view.request_serializers.get(self.view.action)
        if self.view.action in self.view.dry_runs:
            return [DryRunQuery]
        return [serializer] if serializer and self.method == "GET" else []


class FieldErrorSerializer(serializers.Serializer):
    pointer = serializers.CharField(help_text="`/amount` in the body, `?at` in the query")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """RFC 9457. `code` is the contract; the particulars of the rule stand beside it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=sorted(STATUS))
    request_id = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]
    id = serializers.UUIDField(required=False, help_text="The declined transaction")
    transfer = serializers.UUIDField(required=False, help_text="Of a declined leg")
    permission = serializers.CharField(required=False, help_text="That the token has not got")
    bound = serializers.CharField(required=False, help_text="Of the token, that does not allow it")
    differs = serializers.ListField(child=serializers.CharField(), required=False)
    results = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="Of a declined batch"
    )


def describe(**operations: Operation) -> Callable[[AnyViewSet], AnyViewSet]:
    """Class decorator of viewsets: tells the OpenAPI document of their actions, inherited ones included."""

    def decorate(view: AnyViewSet) -> AnyViewSet:
        for action, say in operations.items():
            say(isolate_view_method(view, action))  # type: ignore[no-untyped-call]
        return view

    return decorate


def operation(
    status: int, serializer: Any, *codes: str, also: Mapping[Any, Any] | None = None, **options: Any
) -> Operation:
    """`extend_schema` with these options, for an action.

    Its responses are the good one, a problem per status that the codes have, and `also`.
    """
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in (*codes, *EVERYWHERE):
        by_status[STATUS[code]].append(code)
    problems = {
        (problem_status, PROBLEM_JSON): OpenApiResponse(
            ProblemSerializer, description=", ".join(f"`{code}`" for code in by_status[problem_status])
        )
        for problem_status in sorted(by_status)
    }
    return extend_schema(responses={status: serializer, **problems, **(also or {})}, **options)


def sent(name: str, value: object) -> OpenApiExample:
    """The example of a body."""
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: object, status: int = 200, **options: Any) -> OpenApiExample:
    """The example of an answer."""
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)], **options)


def tighten(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: say how strictly bodies and queries are read, whatever the operation.

    A body is required and has no other fields; no parameter is empty.
    """
    for item in result["paths"].values():
        for described in item.values():
            for parameter in described.get("parameters", ()):
                schema = parameter["schema"]
                if parameter["in"] == "query" and schema.get("type") == "string":
                    schema.setdefault("minLength", 1)
            if body := described.get("requestBody"):
                body["required"] = True
                _close(body["content"]["application/json"]["schema"], result["components"]["schemas"])
    return result


def _close(schema: dict[str, Any], components: dict[str, Any]) -> None:
    """No other fields in a body, nor in the objects of its lists."""
    component = components[schema["$ref"].rpartition("/")[2]]
    for kind in component.get("oneOf", ()):
        _close(kind, components)
    if component.get("type") != "object":
        return
    component["additionalProperties"] = False
    component.pop("description", None)  # that of `StrictSerializer` itself, which is for programmers
    for property in component["properties"].values():
        if "$ref" in property.get("items", {}):
            _close(property["items"], components)

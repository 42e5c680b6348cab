"""What is done to the whole OpenAPI document when all operations are described.

What is said of each of them is said once, and what the schemas of DRF cannot say is said here.
"""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.plumbing import deep_import_string
from drf_spectacular.settings import spectacular_settings

from rest.codes import PROBLEM_JSON, RETRY, STATUS
from rest.document.problems import KINDS
from rest.schema import EVERYWHERE, LEADS_TO, ON_BODIES

Schema = dict[str, Any]

STANDING = (
    *ON_BODIES,
    *EVERYWHERE,
    "not_found",
    "request_in_progress",
)  # codes that need not be named of each operation
METHODS = ("get", "post", "patch", "delete")
HEADERS: dict[str, Schema] = {
    "X-Request-Id": {
        "description": "What the ledger's log calls the request: yours, if you sent one, or one of its own.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    },
    "Idempotency-Replayed": {
        "description": "Stands only where the answer was decided by an earlier request with this identity.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "ETag": {
        "description": "Of all that `PATCH` can change of it, and of nothing else.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "The address of what was created, if it has one of its own.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the same is sent again.",
        "schema": {"type": "integer", "minimum": 0, "examples": [int(RETRY["Retry-After"])]},
    },
    "WWW-Authenticate": {
        "description": "RFC 6750: `error` stands where a token was sent.",
        "schema": {"type": "string"},
    },
}
HEADERS_OF_PROBLEMS = {  # by status; what is declined is recorded
    401: ("WWW-Authenticate",),
    **dict.fromkeys((402, 412, 422), ("Idempotency-Replayed",)),
    **dict.fromkeys((409, 429, 503), ("Retry-After",)),
}


def finish(result: Schema, **context: Any) -> Schema:
    """A hook of drf-spectacular, the last one."""
    registry = context["generator"].registry  # those of webhooks too, which are described last
    result["components"] = registry.build(spectacular_settings.APPEND_COMPONENTS)
    name_enums(result)
    tighten(result)
    components = result["components"]
    for operation in find_operations(result):
        add_links(operation)
        add_headers(operation)
    components["responses"] = share_problems(result)
    components["headers"] = {write_name(name): header for name, header in HEADERS.items()}
    return result


def find_operations(result: Schema) -> Iterator[Schema]:
    for item in result["paths"].values():
        for method in METHODS:
            if method in item:
                yield item[method]


def name_enums(result: Schema) -> None:
    """Every list of values that has a name is called by it, wherever it stands."""
    names: dict[frozenset[str], str] = {
        frozenset(deep_import_string(path).values): name
        for name, path in spectacular_settings.ENUM_NAME_OVERRIDES.items()
    }
    found: Schema = {}

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return value
        values = value.get("enum")
        if isinstance(values, list) and (name := names.get(frozenset(values))):
            found[name] = {"type": "string", "enum": values}
            more = {key: each for key, each in value.items() if key not in ("type", "enum")}
            return {"$ref": f"#/components/schemas/{name}", **more}
        return {key: walk(each) for key, each in value.items()}

    for part in ("paths", "webhooks", "components"):
        result[part] = walk(result[part])
    schemas = result["components"]["schemas"]
    result["components"]["schemas"] = dict(sorted({**schemas, **found}.items()))


def tighten(result: Schema) -> None:
    """How strictly bodies and queries are read, whatever the operation: a body is required, unless all of it
    may be left away, and has no other fields; no parameter is empty.
    """
    schemas = result["components"]["schemas"]
    for operation in find_operations(result):
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            if parameter["in"] == "query" and schema.get("type") == "string":
                schema.setdefault("minLength", 1)
            if parameter["in"] == "path":
                schema["format"] = "uuid"
        if body := operation.get("requestBody"):
            body["required"] = True
            _close(body["content"]["application/json"]["schema"], schemas)


def _close(schema: Schema, components: Schema) -> None:
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


def add_links(operation: Schema) -> None:
    """Where the good answer leads to: operations that take its id."""
    responses = operation["responses"]
    if targets := operation.pop(LEADS_TO, ()):
        responses["201" if "201" in responses else "200"]["links"] = {
            target: {"operationId": target, "parameters": {"id": "$response.body#/id"}} for target in targets
        }


def add_headers(operation: Schema) -> None:
    """Those of good answers, each called by its name."""
    is_replayed = "201" in operation["responses"] or any(
        parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ())
    )
    for status, answer in operation["responses"].items():
        if status < "300":
            more = ["Idempotency-Replayed"] if is_replayed else []
            more += ["Location"] if status == "201" else []
            answer["headers"] = refer_to_headers("X-Request-Id", *answer.get("headers", ()), *more)
            answer["description"] = answer["description"] or "What would be answered: nothing was done."


def refer_to_headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{write_name(name)}"} for name in names}


def share_problems(result: Schema) -> Schema:
    """The problems that operations share. Each operation names the codes that it has of its own; one with an
    example of a problem keeps it.
    """
    shared: Schema = {}
    for operation in find_operations(result):
        for status, answer in operation["responses"].items():
            if PROBLEM_JSON not in answer.get("content", {}):
                continue
            kind, codes = KINDS[int(status)], answer["description"]
            answer["headers"] = refer_to_headers("X-Request-Id", *HEADERS_OF_PROBLEMS.get(int(status), ()))
            content = answer["content"][PROBLEM_JSON]
            if "examples" in content:
                continue
            schema = content["schema"]["$ref"].rpartition("/")[2]
            is_usual = schema == kind.serializer.__name__.removesuffix("Serializer")
            name = kind.name if is_usual else schema.removesuffix("Problem")
            standing = [f"`{code}`" for code in STANDING if STATUS[code] == int(status)]
            shared[name] = {
                **answer,
                "description": " ".join([kind.description, ", ".join(standing)]).strip(),
            }
            reference = {"$ref": f"#/components/responses/{name}"}
            if not set(codes.split(", ")) <= set(standing):
                reference["description"] = codes
            operation["responses"][status] = reference
        operation["responses"] = dict(sorted(operation["responses"].items()))
    return dict(sorted(shared.items()))


def write_name(header: str) -> str:
    return header.replace("-", "")

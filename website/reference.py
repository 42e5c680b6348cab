"""The OpenAPI document as pages: one for each of its chapters, and one of all schemas."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

METHODS = ("get", "post", "patch", "delete")
NONE = "none"


def write_reference(document: Json) -> dict[str, str]:
    """Each page by its name."""
    chapters: dict[str, list[str]] = defaultdict(list)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                chapters[operation["tags"][0]].append(write_operation(document, method, path, operation))
    about = {tag["name"]: tag["description"] for tag in document.get("tags", ())}
    names = [*(name for name in about if name in chapters), *(name for name in chapters if name not in about)]
    pages = {"index": write_overview(document, names)}
    for name in names:
        pages[make_slug(name)] = "\n\n".join([f"# {name}", about.get(name, ""), *chapters[name]]) + "\n"
    return pages | {"schemas": write_schemas(document)}


def make_slug(title: str) -> str:
    """As the heading is linked to."""
    return re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))


def write_overview(document: Json, names: list[str]) -> str:
    lines = ["# API", "", document["info"].get("description", "").strip(), ""]
    for name in names:
        lines += ["", f"## {name}", "", "| | |", "|---|---|"]
        for path, item in document["paths"].items():
            for method in METHODS:
                operation = item.get(method)
                if operation and operation["tags"][0] == name:
                    title = get_summary(operation)
                    address = f"{make_slug(name)}.md#{make_slug(title)}"
                    lines.append(f"| [{title}]({address}) | `{method.upper()} {path}` |")
    return "\n".join([*lines, ""])


def get_summary(operation: Json) -> str:
    return str(operation.get("summary") or operation["operationId"])


def write_operation(document: Json, method: str, path: str, operation: Json) -> str:
    parts = [
        f"## {get_summary(operation)}",
        f"`{method.upper()} {path}`",
        operation.get("description", ""),
    ]
    if parameters := [each for each in operation.get("parameters", ()) if each["in"] != "path"]:
        rows = [
            (f"`{each['name']}`", each["in"], describe(document, each["schema"]), each.get("description", ""))
            for each in parameters
        ]
        parts.append(write_table(("parameter", "in", "is", ""), rows))
    if body := operation.get("requestBody"):
        content = body["content"]["application/json"]
        parts.append(f"**Body**: {describe(document, content['schema'])}")
        parts.append(write_fields(document, content["schema"]))
        parts += write_examples(content)
    answers, examples = [], []
    for status, answer in operation["responses"].items():
        more = answer.get("description", "")
        answer = resolve(document, answer)
        told: Json = next(iter(answer.get("content", {}).values()), {})
        schema = describe(document, told["schema"]) if told else NONE
        answers.append((status, schema, more or answer.get("description", "")))
        examples += write_examples(told, f"{status}, ")
    parts.append(write_table(("status", "answer", ""), answers))
    return "\n\n".join([*(part for part in parts if part), *examples])


def write_examples(content: Json, prefix: str = "") -> list[str]:
    return [
        f"Example: {prefix}{example.get('summary', name)}\n\n```json\n"
        f"{json.dumps(example['value'], indent=2, ensure_ascii=False)}\n```"
        for name, example in content.get("examples", {}).items()
    ]


def write_fields(document: Json, schema: Json) -> str:
    """The fields of an object, or those of each kind of it."""
    schema = resolve(document, schema)
    if kinds := schema.get("oneOf"):
        return "\n\n".join(write_fields(document, kind) for kind in kinds)
    required = schema.get("required", ())
    rows = [
        (
            f"`{name}`" + (" (required)" if name in required else ""),
            describe(document, field),
            str(field.get("description", "")),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return write_table(("field", "is", ""), rows) if rows else ""


def write_schemas(document: Json) -> str:
    parts = ["# Schemas", "What bodies and answers are made of."]
    for name, schema in document["components"]["schemas"].items():
        parts.append(f"## {name}")
        parts.append(schema.get("description", ""))
        if values := schema.get("enum"):
            parts.append(", ".join(f"`{json.dumps(value)}`" for value in values))
        elif fields := write_fields(document, schema):
            parts.append(fields)
        else:
            parts.append(describe(document, schema))
    return "\n\n".join(part for part in parts if part) + "\n"


def resolve(document: Json, value: Json) -> Json:
    """What a reference refers to."""
    while reference := value.get("$ref"):
        value = document
        for name in reference.removeprefix("#/").split("/"):
            value = value[name]
    return value


def describe(document: Json, schema: Json) -> str:
    """In some words what a value is, with links to schemas that have a name."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](schemas.md#{name.lower()})"
    for either in ("oneOf", "anyOf", "allOf"):
        if either in schema:
            return " or ".join(dict.fromkeys(describe(document, each) for each in schema[either]))
    kind = schema.get("type", "anything")
    kinds = [*kind] if isinstance(kind, list) else [kind]
    return " or ".join(describe_kind(document, schema, each) for each in kinds)


def describe_kind(document: Json, schema: Json, kind: str) -> str:
    if kind == "array":
        return f"list of {describe(document, schema.get('items', {}))}"
    words = {"string": schema.get("format", "text"), "boolean": "true or false"}.get(kind, kind)
    return ", ".join([str(words), *describe_bounds(schema)] if kind != "null" else ["null"])


def describe_bounds(schema: Json) -> Iterator[str]:
    if "const" in schema:
        yield f"`{schema['const']}`"
    if values := schema.get("enum"):
        yield "one of " + ", ".join(f"`{value}`" for value in values)
    for name, words in (("minimum", "at least"), ("maximum", "at most"), ("maxLength", "at most")):
        if name in schema:
            yield f"{words} {schema[name]}" + (" characters" if name == "maxLength" else "")
    if "default" in schema:
        yield f"else `{json.dumps(schema['default'])}`"


def write_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def cell(value: str) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")

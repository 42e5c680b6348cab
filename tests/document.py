"""Answers are held to the OpenAPI document, and more strictly than clients are to hold them."""

import json
from functools import cache

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from rest.document.problems import KINDS, ProblemSerializer


@cache
def read_document():
    return SchemaGenerator().get_schema(request=None, public=True)


def find_response(document, operation, status):
    """What an operation answers with this status, also where it shares that with others."""
    response = operation["responses"][str(status)]
    shared = response.get("$ref", "").rpartition("/")[2]
    return document["components"]["responses"][shared] if shared else response


def make_validator(document, schema):
    """Of a schema; no object has a member that is not named: clients would drop or hide it."""
    components = {"schemas": _close(json.dumps(document["components"]["schemas"]))}
    return Draft202012Validator(
        {**_close_one(schema), "components": components},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@cache
def _close(text):
    return {name: _close_one(schema) for name, schema in json.loads(text).items()}


def _close_one(schema):
    return {"additionalProperties": False, **schema} if "properties" in schema else schema


def require_schema(document, operation, answer):
    """The answer is what the document says of this operation and the answer's status: its body, and those
    headers that are the API's own.
    """
    response = find_response(document, operation, answer.status_code)
    media_type = answer["Content-Type"].partition(";")[0]
    make_validator(document, response["content"][media_type]["schema"]).validate(answer.json())
    sent = {name for name in answer.headers if name.replace("-", "") in document["components"]["headers"]}
    assert sent <= set(response["headers"]), sent


def require_schema_of_problem(answer):
    """The problem is what the document says of its status, whatever the operation."""
    serializer = KINDS[answer.status].serializer if answer.status in KINDS else ProblemSerializer
    name = "BatchDeclinedProblem" if answer.code == "batch_declined" else serializer.__name__
    schema = read_document()["components"]["schemas"][name.removesuffix("Serializer")]
    make_validator(read_document(), schema).validate(answer.json())

"""The OpenAPI document is what the server does: its examples are replayed, real answers fit its schemas."""

import re

import pytest
from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from tests.cast import deposit, withdraw

pytestmark = pytest.mark.django_db

VOLATILE = {"created_at", "recorded_at", "at", "known_at", "request_id"}


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def require_schema(document, operation, status, answer):
    """The answer's body is what the document says of this operation and status."""
    content = operation["responses"][str(status)]["content"]
    media_type = answer["Content-Type"].partition(";")[0]
    schema = {**content[media_type]["schema"], "components": document["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(answer.json())


def find_operation(document, method, path):
    return document["paths"][path][method]


def test_the_document_is_valid_openapi_3_1(document):
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_every_api_url_is_in_the_document(document):
    urls = set()
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLPattern) and str(pattern.pattern).startswith("api/v1/"):
            urls.add("/" + re.sub(r"<\w+:pk>", "{id}", str(pattern.pattern)))
    assert urls == set(document["paths"])


def test_the_documents_are_served_without_a_token_and_without_the_internet(client):
    schema = client.get("/api/schema")
    assert schema.status_code == 200
    page = client.get("/api/docs").content.decode()
    assert "swagger" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    for asset in re.findall(r"""(?:src|href)=["'](/static/[^"']+)""", page):
        answer = client.get(asset)
        assert answer.status_code == 200, asset
        answer.close()


def read_examples(operation):
    requests = operation["requestBody"]["content"]["application/json"].get("examples", {})
    answers = [
        (int(status), example["value"])
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]
    return [request["value"] for request in requests.values()], answers


def strip(value):
    """Without what differs from run to run, and without the ids that the server chose."""
    if isinstance(value, dict):
        return {
            key: strip(item)
            for key, item in value.items()
            if key not in VOLATILE and not (key in {"id", "account"} and "-00000000a" in str(item))
        }
    return [strip(item) for item in value] if isinstance(value, list) else value


def without_server_ids(value, server_ids):
    if isinstance(value, dict):
        return {
            key: without_server_ids(item, server_ids)
            for key, item in value.items()
            if str(item) not in server_ids
        }
    return [without_server_ids(item, server_ids) for item in value] if isinstance(value, list) else value


def test_the_examples_happen_as_they_stand_in_the_document(document, service):
    server_ids = set()
    for method, path in [
        ("post", "/api/v1/users"),
        ("post", "/api/v1/transactions"),
        ("post", "/api/v1/accounts"),
    ]:
        operation = find_operation(document, method, path)
        requests, expected = read_examples(operation)
        assert len(requests) == len(expected) >= 1
        for request in requests:
            answer = service.post(path, request)
            body = answer.json()
            server_ids |= {item["id"] for item in [*body.get("accounts", []), body] if "currency" in item}
            require_schema(document, operation, answer.status_code, answer)
            server_ids -= {request.get("id")}
            seen = (answer.status_code, without_server_ids(strip(body), server_ids))
            assert seen in [(status, strip(value)) for status, value in expected]


def test_the_examples_of_reads_happen_too(document, service):
    for path in ("/api/v1/users", "/api/v1/transactions"):
        for request in read_examples(find_operation(document, "post", path))[0]:
            service.post(path, request)
    user = service.get("/api/v1/users").json()["results"][0]
    transaction = service.get("/api/v1/transactions?type=DEPOSIT").json()["results"][0]
    ids = {"users": user["id"], "accounts": user["accounts"][0]["id"], "transactions": transaction["id"]}
    account_ids = {ids["accounts"]}
    for path in (
        "/api/v1/transactions/{id}",
        "/api/v1/users/{id}/balance",
        "/api/v1/accounts/{id}/balance",
    ):
        operation = find_operation(document, "get", path)
        examples = operation["responses"]["200"]["content"]["application/json"]["examples"]
        answer = service.get(path.replace("{id}", ids[path.split("/")[3]]))
        require_schema(document, operation, 200, answer)
        seen = without_server_ids(strip(answer.json()), account_ids)
        assert seen in [strip(example["value"]) for example in examples.values()]


def test_the_examples_of_changes_happen_too(document, service):
    [created], _ = read_examples(find_operation(document, "post", "/api/v1/users"))
    user = service.post("/api/v1/users", created).json()
    ids = {"/api/v1/users/{id}": user["id"], "/api/v1/accounts/{id}": user["accounts"][0]["id"]}
    for path, id in ids.items():
        operation = find_operation(document, "patch", path)
        [request], [(status, expected)] = read_examples(operation)
        answer = service.patch(path.replace("{id}", id), request)
        assert answer.status_code == status
        require_schema(document, operation, status, answer)
        seen = without_server_ids(strip(answer.json()), set(ids.values()) - {user["id"]})
        assert seen == strip(expected)


def test_real_answers_of_every_read_hold_to_the_schema(document, service, account, petya):
    row = deposit(account, "10")
    withdraw(account, "50")
    pages = {
        "/api/v1/users": "",
        "/api/v1/users/{id}": petya.id,
        "/api/v1/users/{id}/balance": petya.id,
        "/api/v1/accounts": "",
        "/api/v1/accounts/{id}": account.id,
        "/api/v1/accounts/{id}/balance": account.id,
        "/api/v1/transactions": "",
        "/api/v1/transactions/{id}": row.id,
    }
    assert set(pages) == {path for path, item in document["paths"].items() if "get" in item}
    for path, id in pages.items():
        operation = find_operation(document, "get", path)
        answer = service.get(path.replace("{id}", str(id)))
        require_schema(document, operation, 200, answer)
        refused = service.get(path.replace("{id}", str(id)), {"nonsense": "1"})
        assert refused.status_code == 400
        require_schema(document, operation, 400, refused)


def test_what_the_schema_requires_is_what_the_server_requires(document, service):
    schema = document["components"]["schemas"]["TransactionRequest"]
    assert set(schema["required"]) == {"type", "amount"}
    answer = service.post("/api/v1/transactions", {})
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/type", "/amount"}
    assert schema["properties"]["reference"]["maxLength"] == 200
    assert document["components"]["schemas"]["TransactionType"]["enum"] == ["DEPOSIT", "WITHDRAW"]

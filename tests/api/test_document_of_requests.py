"""What a schema can say of a request, the document says: what fits it is not refused for its shape."""

import pytest
from drf_spectacular.generators import SchemaGenerator

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture
def bodies(document):
    """The request bodies of all calls, each with its schema."""
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "requestBody" in operation:
                body = operation["requestBody"]
                reference = body["content"]["application/json"]["schema"]["$ref"]
                schema = document["components"]["schemas"][reference.rpartition("/")[2]]
                found[f"{method.upper()} {path}"] = body, schema
    assert len(found) == 5
    return found


def test_no_field_but_the_known_ones(bodies):
    assert [
        call for call, (_, schema) in bodies.items() if schema.get("additionalProperties") is not False
    ] == []


def test_every_body_is_required(bodies):
    assert [call for call, (body, _) in bodies.items() if body.get("required") is not True] == []


def test_what_the_server_requires_is_required(bodies, service, account, petya):
    calls = {
        "POST /api/v1/users": service.post("/api/v1/users", {}),
        "POST /api/v1/accounts": service.post("/api/v1/accounts", {}),
        "POST /api/v1/transactions": service.post("/api/v1/transactions", {}),
        "PATCH /api/v1/users/{id}": service.patch(f"/api/v1/users/{petya.id}", {}),
        "PATCH /api/v1/accounts/{id}": service.patch(f"/api/v1/accounts/{account.id}", {}),
    }
    missed = {
        call: {
            error["pointer"][1:] for error in answer.json().get("errors", []) if error["code"] == "required"
        }
        for call, answer in calls.items()
    }
    assert {call: set(schema.get("required", [])) for call, (_, schema) in bodies.items()} == missed


def test_a_filter_that_may_not_be_empty_says_so(document, service):
    silent = []
    for path in ("/api/v1/users", "/api/v1/accounts", "/api/v1/transactions"):
        for parameter in document["paths"][path]["get"]["parameters"]:
            says_so = {"enum", "format", "minLength", "pattern", "minimum"} & parameter["schema"].keys()
            answer = service.get(f"{path}?{parameter['name']}=")
            if answer.status_code == 400 and not says_so:
                silent.append(f"{path}?{parameter['name']}")
    assert silent == []

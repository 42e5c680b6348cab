"""What a schema can say of a request, the document says: what fits it is not refused for its shape."""

import json

import pytest
from drf_spectacular.generators import SchemaGenerator

from events import subscriptions
from tests.cast import CALLER, deposit, hold, new_id
from tests.claims import claim
from tests.conftest import make_client
from tests.names import NOBODY

pytestmark = pytest.mark.django_db

TELLING = ("pause", "resume", "rotate-secret", "test")


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
    assert len(found) == 23
    return found


def test_every_body_is_required_and_has_no_field_but_the_known_ones(bodies):
    for call, (body, schema) in bodies.items():
        assert (body.get("required"), schema.get("additionalProperties")) == (True, False), call


@pytest.fixture
def ask(account, petya, settings):
    """Sends a body to a call, about what is there."""
    settings.WEBHOOK_LOOPBACK = True
    client, row = make_client("api-admin"), deposit(account, "10")
    told, _ = subscriptions.create(kind="webhook", url=NOBODY, caller=CALLER)
    ids = {"users": petya.id, "accounts": account.id, "transactions": row.id, "subscriptions": told.id}
    ids["holds"] = hold(account, "5").id
    ids["claims"] = claim(account, "50").id
    ids["batches"] = new_id()

    def send(call, body):
        method, _, path = call.partition(" ")
        address = path.replace("{id}", str(ids.get(path.split("/")[3])))
        return client.generic(method, address, json.dumps(body), content_type="application/json")

    return send


def test_what_the_server_requires_is_required(bodies, ask):
    missed = {
        call: {
            error["pointer"][1:]
            for error in ask(call, {}).json().get("errors", [])
            if error["code"] == "required"
        }
        for call in bodies
    }
    assert {call: set(schema.get("required", [])) for call, (_, schema) in bodies.items()} == missed
    assert missed["POST /api/v1/batches"] == {"atomic", "commands"}


def test_the_items_of_a_batch_are_in_the_document_and_closed_too(document, bodies, ask):
    schemas = document["components"]["schemas"]
    _, batch = bodies["POST /api/v1/batches"]
    items = schemas[batch["properties"]["commands"]["items"]["$ref"].rpartition("/")[2]]
    kinds = items["discriminator"]["mapping"]
    assert items["discriminator"]["propertyName"] == "command"
    assert {kind["$ref"] for kind in items["oneOf"]} == set(kinds.values())
    assert set(kinds) == {"transaction", "transfer", "hold", "capture", "release", "reversal", "claim"}
    for name, reference in kinds.items():
        schema = schemas[reference.rpartition("/")[2]]
        assert schema["properties"]["command"]["const"] == name
        assert schema["additionalProperties"] is False
        body = {"id": str(new_id()), "atomic": True, "commands": [{"command": name}]}
        refused = ask("POST /api/v1/batches", body).json()
        missed = {error["pointer"].rpartition("/")[2] for error in refused["errors"]}
        assert missed == set(schema["required"]) - {"command"}, name


@pytest.mark.parametrize("name", TELLING)
def test_what_has_no_body_takes_an_empty_one(document, ask, name):
    path = f"/api/v1/subscriptions/{{id}}/{name}"
    assert "requestBody" not in document["paths"][path]["post"]
    for query, body, code in [
        ("", {"reason": "x"}, "unknown_field"),
        ("", [], "invalid_body"),
        ("?x=1", {}, "unknown_parameter"),
    ]:
        assert ask(f"POST {path}{query}", body).json()["code"] == code
    assert ask(f"POST {path}", {}).status_code == 200


def test_a_filter_that_may_not_be_empty_says_so(document, service):
    silent = []
    for name in ("users", "accounts", "transactions", "holds", "events", "subscriptions"):
        path = f"/api/v1/{name}"
        for parameter in document["paths"][path]["get"]["parameters"]:
            if parameter["schema"].get("type") == "object":  # whose keys are the parameters
                continue
            says_so = {"enum", "format", "minLength", "pattern", "minimum"} & parameter["schema"].keys()
            answer = service.get(f"{path}?{parameter['name']}=")
            if answer.status_code == 400 and not says_so:
                silent.append(f"{path}?{parameter['name']}")
    assert silent == []

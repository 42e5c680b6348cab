"""The OpenAPI document is what the server does: real answers fit its schemas.

test_openapi_examples.py replays its examples.
"""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from tests import strict_bodies
from tests.asking import set_threshold
from tests.cast import AccountFactory, deposit, hold, new_id, transfer, withdraw
from tests.claims import claim
from tests.feed_refusals import make_broker, make_cursor, subscribe, tell
from tests.names import NOBODY
from tests.rest.test_addresses import ROUTES
from tests.rest.test_every_code import Asker

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def require_schema(document, operation, answer):
    """The answer's body is what the document says of this operation and the answer's status."""
    content = operation["responses"][str(answer.status_code)]["content"]
    media_type = answer["Content-Type"].partition(";")[0]
    schema = {**content[media_type]["schema"], "components": document["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(answer.json())


def test_the_document_is_valid_openapi_3_1(document):
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_every_api_url_is_in_the_document(document):
    urls = {re.sub(r"<\w+:pk>", "{id}", f"/{route}") for route in ROUTES}
    assert urls == set(document["paths"])


def test_the_documents_are_served_without_a_token_and_without_the_internet(client):
    assert client.get("/api/schema").status_code == 200
    page = client.get("/api/docs").content.decode()
    assert "swagger" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    for asset in re.findall(r"""(?:src|href)=["'](/static/[^"']+)""", page):
        answer = client.get(asset)
        assert answer.status_code == 200, asset
        answer.close()


def test_real_answers_of_every_read_hold_to_the_schema(document, service, account, petya):
    row = deposit(account, "10")
    withdraw(account, "50")
    days = {"from": "2020-01-01", "to": "2030-01-01"}
    pages = {
        "/api/v1/me": "",
        "/api/v1/users": "",
        "/api/v1/users/{id}": petya.id,
        "/api/v1/users/{id}/balance": petya.id,
        "/api/v1/accounts": "",
        "/api/v1/accounts/{id}": account.id,
        "/api/v1/accounts/{id}/balance": account.id,
        "/api/v1/accounts/{id}/statement": account.id,
        "/api/v1/accounts/{id}/thresholds": set_threshold(account, "5").account_id,
        "/api/v1/transactions": "",
        "/api/v1/transactions/{id}": row.id,
        "/api/v1/transfers/{id}": transfer(account, AccountFactory(), "1").id,
        "/api/v1/batches/{id}": Asker(service).batch({}).json()["id"],
        "/api/v1/holds": "",
        "/api/v1/holds/{id}": hold(account, "1").id,
        "/api/v1/claims": "",
        "/api/v1/claims/{id}": claim(AccountFactory(), "1").id,
        "/api/v1/events": "",
        "/api/v1/subscriptions": "",
        "/api/v1/subscriptions/{id}": subscribe().json()["id"],
        "/api/v1/subscriptions/{id}/attempts": subscribe().json()["id"],
    }
    assert set(pages) == {path for path, item in document["paths"].items() if "get" in item}
    for path, id in pages.items():
        operation, address = document["paths"][path]["get"], path.replace("{id}", str(id))
        for status, query in ((200, days if path.endswith("statement") else {}), (400, {"nonsense": "1"})):
            answer = service.get(address, query)
            assert answer.status_code == status
            require_schema(document, operation, answer)


def test_bodies_have_the_fields_that_their_other_description_has(document):
    for call, known in strict_bodies.FIELDS.items():
        method, path = call.split()
        body = document["paths"][f"/api/v1{path}"][method.lower()]["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(schema["properties"]) == set(known), call


def test_a_statement_is_a_table_for_who_would_rather_have_one(document, service, account):
    query = {"from": "2020-01-01", "to": "2020-01-02"}
    path = "/api/v1/accounts/{id}/statement"
    answer = service.get(path.replace("{id}", str(account.id)), query, headers={"Accept": "text/csv"})
    content = document["paths"][path]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/csv"}
    assert answer["Content-Type"].partition(";")[0] == "text/csv"
    assert answer["Content-Disposition"].startswith("attachment")


TOO_MUCH = {"type": "WITHDRAW", "amount": "999"}


def give_commands(asker):
    """Of every command that is not of users: what it is, and answers of all kinds to it."""
    deposit(asker.account, "50")
    other = AccountFactory()
    posted, moved = asker.post().json()["id"], transfer(asker.account, other, "1").id
    held, spent = (asker.hold("5").json()["id"] for _ in range(2))
    captured = []

    def capture(amount=None, **more):
        body = {"id": str(new_id()), "final": len(captured) == 5, **more}
        captured.append(body | ({"amount": amount} if amount else {}))
        return asker.client.post(f"/api/v1/holds/{spent}/capture", captured[-1])

    yield "transactions", [asker.post(), asker.post(**TOO_MUCH), asker.post(amount="x")]
    yield (
        "batches",
        [
            asker.batch({}, TOO_MUCH, {"amount": "x"}, {"currency": "EUR"}, atomic=False),
            *(asker.batch({}, item) for item in ({}, TOO_MUCH, {"amount": "x"}, {"currency": "EUR"})),
        ],
    )
    yield "transactions/{id}/reverse", [asker.reverse(id) for id in (posted, posted, moved, moved, new_id())]
    made = asker.batch({}, {}).json()["id"]
    undone = [asker.undo(made) for _ in range(2)]
    yield "batches/{id}/reverse", [*undone, asker.undo(undone[0].json()["id"]), asker.undo(new_id())]
    yield "transfers", [*(asker.transfer(to) for to in (other, asker.account)), asker.transfer(other, "999")]
    yield "holds", [asker.hold(), asker.hold("999"), asker.hold(expires_at="2020-01-01")]
    shop = str(AccountFactory().id)
    paid = [{"destination": shop}, {"destinations": [{"destination": shop, "amount": "1"}]}]
    into = [capture("1", **paid[0]), capture(**paid[1]), capture("1", **paid[1])]
    yield "holds/{id}/capture", [*into, *(capture(amount) for amount in ("1", "9", "1", "1"))]
    releases = [f"/api/v1/holds/{id}/release" for id in (held, held, spent)]
    yield "holds/{id}/release", [asker.client.post(address) for address in releases]
    yield from give_commands_of_feed(asker)
    owed = asker.claim("999")
    claimed = [owed, asker.client.post(owed.wsgi_request.path, {"amount": "1"})]
    yield "accounts/{id}/claims", [*claimed, asker.claim("0")]
    yield "claims/{id}/waive", [asker.waive(id) for id in (owed.json()["id"], new_id())]
    asker.post()
    yield (
        "accounts/{id}/limits",
        [
            asker.rule("limits", **limits)
            for limits in ({"withdraw_max": "5"}, {"withdraw_max": None}, {"credit_limit": "0.001"})
        ],
    )
    thresholds = ({"amount": "-5", "of": "balance"}, {"amount": "0.001", "of": "available"}, {"of": "held"})
    yield "accounts/{id}/thresholds", [asker.rule("thresholds", **each) for each in thresholds]
    yield "accounts/{id}/freeze", [asker.rule("freeze", reason=reason) for reason in ("x", "")]
    yield "accounts/{id}/unfreeze", [asker.rule("unfreeze", reason=reason) for reason in ("x", "")]
    asker.post(type="WITHDRAW", amount="1")
    yield "accounts/{id}/close", [asker.rule("close", reason="x")]
    asker.account = other
    withdraw(other, "1")
    yield "accounts/{id}/close", [asker.rule("close", reason="x")]


def give_commands_of_feed(asker):
    made, broker = subscribe(url=NOBODY), make_broker()
    id = made.json()["id"]
    wrong = [subscribe(url="https://10.0.0.1/"), subscribe(url=NOBODY, types=["user.created"])]
    yield "subscriptions", [made, subscribe(url=NOBODY), *wrong]
    yield "subscriptions/{id}/pause", [tell(each, "pause") for each in (id, broker.id, new_id())]
    yield "subscriptions/{id}/resume", [tell(each, "resume") for each in (id, broker.id)]
    places = (make_cursor(), make_cursor(epoch=new_id()), "x")
    yield "subscriptions/{id}/replay", [tell(id, "replay"), *(tell(id, "replay", after=at) for at in places)]
    yield "subscriptions/{id}/rotate-secret", [tell(each, "rotate-secret") for each in (id, broker.id)]
    yield "subscriptions/{id}/test", [tell(each, "test") for each in (id, new_id())]
    yield "subscriptions/{id}/try-now", [tell(each, "try-now") for each in (id, new_id())]


SEEN = {
    "/api/v1/batches": {200, 400, 422},
    "/api/v1/batches/{id}/reverse": {200, 404, 422},
    "/api/v1/transactions/{id}/reverse": {201, 404, 422},
    "/api/v1/transfers": {201, 402, 422},
    "/api/v1/holds": {201, 402, 422},
    "/api/v1/holds/{id}/capture": {201, 400, 422},
    "/api/v1/holds/{id}/release": {200, 422},
    "/api/v1/accounts/{id}/close": {200, 422},
    "/api/v1/accounts/{id}/claims": {201, 400, 403},
    "/api/v1/claims/{id}/waive": {200, 404},
    "/api/v1/subscriptions": {201, 400, 422},
    "/api/v1/subscriptions/{id}/replay": {200, 400, 410},
}


def test_real_answers_of_every_command_hold_to_the_schema(document, service, settings):
    settings.WEBHOOK_LOOPBACK = True
    seen = {"/api/v1/users": {201}, "/api/v1/accounts": {201}}  # in the examples
    for name, answers in give_commands(Asker(service)):
        path = f"/api/v1/{name}"
        for answer in answers:
            require_schema(document, document["paths"][path]["post"], answer)
        seen.setdefault(path, set()).update(answer.status_code for answer in answers)
    assert set(seen) == {path for path, item in document["paths"].items() if "post" in item}
    assert {path: seen[path] for path in SEEN} == SEEN


def test_a_transfer_is_no_transaction_to_the_schema_of_a_reversal(document, service):
    asker = Asker(service)
    deposit(asker.account, "5")
    operation = document["paths"]["/api/v1/transactions/{id}/reverse"]["post"]
    schema = operation["responses"]["201"]["content"]["application/json"]["schema"]
    kinds = document["components"]["schemas"][schema["$ref"].split("/")[-1]]["oneOf"]
    rows = asker.post().json()["id"], transfer(asker.account, AccountFactory(), "1").id
    for row, fits in zip(rows, ([True, False], [False, True]), strict=True):
        answer = asker.reverse(row).json()
        assert fits == [
            Draft202012Validator({**kind, "components": document["components"]}).is_valid(answer)
            for kind in kinds
        ]

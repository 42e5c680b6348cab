"""The OpenAPI document is something that people and generators of clients can use, and it lies in docs/.

That it tells the truth is in test_openapi.py and, of refusals, in rest/test_every_code.py.
"""

import json
import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from events import feed
from events.models import Event
from rest.codes import STATUS
from rest.document import SPECTACULAR_SETTINGS
from rest.document.problems import KINDS
from tests import asking
from tests.accounts.erasing import forget
from tests.cast import deposit, hold, hold_that_expires, new_id, withdraw
from tests.claims import claim, waive
from tests.conftest import make_client
from tests.document import make_validator, read_document

KEPT = Path(settings.BASE_DIR) / "docs/openapi.json"
METHODS = {"get", "post", "patch", "delete"}
NO_PROBLEMS = {405}  # of no operation


@pytest.fixture(scope="module")
def document():
    return json.loads(json.dumps(read_document()))


@pytest.fixture(scope="module")
def operations(document):
    found = [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    assert {call.partition(" ")[0].lower() for call, _ in found} == METHODS
    return found


def find_all(value, name):
    """What stands under that name, anywhere in it."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return []
    below = [each for inner in value.values() for each in find_all(inner, name)]
    return [value[name], *below] if name in value else below


def test_the_document_that_lies_in_docs_is_the_one_that_is_served(document):
    assert json.loads(KEPT.read_text()) == document, "make openapi"


def test_operations_have_names_of_people(operations):
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    strange = [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name)]
    assert strange == []


def test_every_operation_is_told_in_a_line_and_in_a_paragraph(operations):
    for call, operation in operations:
        assert 5 < len(operation["summary"]) <= 60, call
        assert not operation["summary"].endswith("."), call
        assert len(operation["description"]) > len(operation["summary"]), call
        assert operation["description"].endswith("."), call


def test_every_operation_stands_in_one_chapter_and_every_chapter_has_some(document, operations):
    told = {tag["name"] for tag in document["tags"] if tag["description"]}
    used = [operation["tags"] for _, operation in operations]
    assert {len(tags) for tags in used} == {1}
    assert {name for [name] in used} == told


def test_links_lead_to_operations_that_take_an_id(document, operations):
    taking_id = {operation["operationId"] for call, operation in operations if "{id}" in call}
    targets = [each["operationId"] for links in find_all(document, "links") for each in links.values()]
    assert len(targets) > 20
    assert set(targets) <= taking_id


def test_what_is_referred_to_is_there(document):
    for reference in find_all(document, "$ref"):
        part, kind, name = reference.removeprefix("#/").split("/")
        assert name in document[part][kind], reference


def test_problems_are_shared(operations):
    inline = [
        call
        for call, operation in operations
        for response in operation["responses"].values()
        if "application/problem+json" in response.get("content", {})
    ]
    assert inline == ["POST /api/v1/transactions"]  # it has an example


def test_every_status_of_a_problem_is_described():
    assert set(STATUS.values()) - set(KINDS) == NO_PROBLEMS


def test_codes_and_types_of_events_are_open_in_answers(document):
    """A client that was generated from this document meets new ones tomorrow."""
    schemas = document["components"]["schemas"]
    closed = [enum for enum in find_all(schemas, "enum") if set(enum) & set(STATUS)]
    assert closed == []
    codes = [set(enum) for enum in find_all(schemas, "x-extensible-enum") if set(enum) & set(STATUS)]
    assert set.union(*codes) == set(STATUS)
    event = make_validator(document, schemas["Event"])
    made = {"id": "1", "stream": "01910000-0000-7000-8000-00000000a001", "sequence": 1, "position": 1}
    made |= {"epoch": made["stream"], "account": None, "account_sequence": None, "request_id": ""}
    made |= {"recorded_at": "2026-01-01T12:00:00Z", "actor": {"id": None, "kind": "ledger"}}
    made |= {"data": {"anything": 1}, "before": None, "reason": None}
    assert event.is_valid({**made, "type": "moon.rose"})
    assert not event.is_valid({**made, "type": "hold.placed"})  # whose data is a hold


def test_a_list_of_values_stands_once(document):
    """A type checker refuses the value of one where its twin is asked for."""
    enums = [frozenset(enum) for enum in find_all(document, "enum") if len(enum) > 1]
    twice = [enum for enum in enums if enums.count(enum) > 1]
    assert twice == []
    assert set(SPECTACULAR_SETTINGS["ENUM_NAME_OVERRIDES"]) <= set(document["components"]["schemas"])


def test_every_object_of_a_request_is_closed_and_every_of_an_answer_is_open(document):
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            is_asked = name.endswith(("Request", "Changes", "Item"))
            assert (schema.get("additionalProperties") is False) == is_asked, name


def make_events(account):
    """Something of every type happens."""
    client = make_client("api-admin")
    user = client.post("/api/v1/users", {"external_id": "x", "name": "x"}).json()
    client.patch(f"/api/v1/users/{user['id']}", {"name": "y"})
    client.patch(f"/api/v1/accounts/{account.id}", {"metadata": {"a": "b"}})
    asking.set_threshold(account, "5")
    for move, amount in ((deposit, "100"), (withdraw, "98"), (deposit, "100"), (withdraw, "999")):
        move(account, amount)
    asking.remove_threshold(asking.set_threshold(account, "6"))
    asking.ask(asking.capture_of(hold(account, "5")))
    changed = hold(account, "5").id
    for amount in ("6", "9999"):
        client.patch(f"/api/v1/holds/{changed}", {"amount": amount})
    asking.release_hold(id=changed)
    hold(account, "9999")
    hold_that_expires(account, "1")
    waive(claim(account, "9999"))
    asking.set_limits(
        id=account.id, limits={"withdraw_max": None, "credit_limit": Decimal(1)}, request_id="x"
    )
    for change in (asking.freeze, asking.unfreeze):
        change(id=account.id, reason="x", request_id="x")
    closed = UUID(user["accounts"][0]["id"])
    asking.close(id=closed, reason="x", request_id="x")
    client.post(f"/api/v1/accounts/{closed}/claims", {"id": str(new_id()), "amount": "1", "reason": "x"})
    forget(account.user)


@pytest.mark.django_db
def test_events_of_every_type_are_what_the_document_says(document, account):
    make_events(account)
    known = make_validator(document, document["components"]["schemas"]["KnownEvent"])
    while feed.place_pending():
        pass
    events = make_client("api-read").get("/api/v1/events?limit=500").json()["events"]
    for event in events:
        known.validate(event)
    assert {event["type"] for event in events} == set(Event.Type.values)

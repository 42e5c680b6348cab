"""The examples of the OpenAPI document are one story: each happens to the letter as it stands there."""

import json
from urllib.parse import urlsplit

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.rest.schema import ACCOUNT_ID, CLAIM, HOLD_ID, PETYA, SAVINGS_ID, THRESHOLD_ID
from events.models import parse_cursor
from events.rest.schema import CURSOR, CURSOR_OF_THE_OLDEST, SUBSCRIPTION_ID, URL
from tests.conftest import make_client
from tests.names import PUBLIC, resolving
from tests.test_openapi import require_schema
from transactions.rest.examples import BATCH_ID, DEPOSIT

pytestmark = pytest.mark.django_db

DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
VOLATILE = {
    "created_at",
    "since",
    "recorded_at",
    "closed_at",
    "at",
    "known_at",
    "request_id",
    "secret",
    "seconds",
    "began_at",
    "milliseconds",
}
IDS = {
    "users": PETYA,
    "accounts": ACCOUNT_ID,
    "transactions": DEPOSIT,
    "batches": BATCH_ID,
    "holds": HOLD_ID,
    "claims": CLAIM["id"],
    "subscriptions": SUBSCRIPTION_ID,
}
USER, MONEY, HOLD = "post users", "post transactions", "post holds"
SAVINGS, FREEZE = "post accounts", "post accounts/{id}/freeze"
TOLD = ["post users", "post subscriptions"]
# The operations that have examples, each with what happened before.
BEFORE = {
    "post users": [],
    "patch users/{id}": [USER],
    "get users/{id}/balance": [USER, MONEY],
    "post accounts": [USER],
    "patch accounts/{id}": [USER],
    "get accounts/{id}/balance": [USER, MONEY],
    "post accounts/{id}/limits": [USER],
    "post accounts/{id}/freeze": [USER],
    "post accounts/{id}/unfreeze": [USER, FREEZE],
    "post accounts/{id}/close": [USER],
    "post accounts/{id}/claims": [USER],
    "post claims/{id}/waive": [USER, "post accounts/{id}/claims"],
    "post accounts/{id}/thresholds": [USER],
    "post transactions": [USER],
    "get transactions/{id}": [USER, MONEY],
    "post transactions/{id}/reverse": [USER, MONEY],
    "post batches": [USER, MONEY],
    "post batches/{id}/reverse": [USER, MONEY, "post batches"],
    "post transfers": [USER, SAVINGS, MONEY],
    "post holds": [USER, MONEY],
    "post holds/{id}/capture": [USER, MONEY, HOLD],
    "post holds/{id}/release": [USER, MONEY, HOLD],
    "patch holds/{id}": [USER, MONEY, HOLD],
    "post subscriptions": [USER],
    "patch subscriptions/{id}": TOLD,
    "post subscriptions/{id}/pause": TOLD,
    "post subscriptions/{id}/resume": [*TOLD, "post subscriptions/{id}/pause"],
    "post subscriptions/{id}/replay": TOLD,
    "post subscriptions/{id}/rotate-secret": TOLD,
    "post subscriptions/{id}/test": TOLD,
    "post subscriptions/{id}/try-now": TOLD,
    "get subscriptions/{id}/attempts": [*TOLD, "post subscriptions/{id}/test"],
}


def find(call):
    method, _, name = call.partition(" ")
    return method, f"/api/v1/{name}", DOCUMENT["paths"][f"/api/v1/{name}"][method]


def read_requests(operation):
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return [example["value"] for example in content.get("examples", {}).values()]


def read_answers(operation):
    return [
        (int(status), example["value"])
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]


def strip(value):
    """Without what differs from run to run: the moments of recording, and what is effective at them."""
    if isinstance(value, list):
        return [strip(item) for item in value]
    if not isinstance(value, dict):
        return value
    volatile = VOLATILE | (
        {"effective_at"} if value.get("effective_at") == value.get("recorded_at") else set()
    )
    return {key: strip(item) for key, item in value.items() if key not in volatile}


class Story:
    """Tells the examples of a call. Some ids and the epoch are the server's: the document has others."""

    def __init__(self):
        self.client = make_client("api-admin")
        self.real = {}  # by the ids in the document

    def tell(self, call):
        method, path, operation = find(call)
        address = path.replace("{id}", IDS.get(path.split("/")[3], ""))
        for request in read_requests(operation) or [None]:
            address, request = self.translate([address, request], self.real)
            answer = self.client.generic(
                method.upper(),
                address,
                json.dumps(request) if request else "",
                content_type="application/json",
            )
            require_schema(DOCUMENT, operation, answer)
            self.meet(answer.json())
            known = {real: example for example, real in self.real.items()}
            yield answer.status_code, strip(self.translate(answer.json(), known))

    def meet(self, body):
        if "cursor" in body:  # which is never the same text
            cursor = {2: CURSOR, 0: CURSOR_OF_THE_OLDEST}[parse_cursor(body["cursor"]).position]
            self.real |= {SUBSCRIPTION_ID: body["id"], cursor: body["cursor"]}
        if "below" in body:
            self.real[THRESHOLD_ID] = body["id"]
        for account in body.get("accounts", [body]):
            example = {"main": ACCOUNT_ID, "savings": SAVINGS_ID}.get(account.get("name"))
            if example and "currency" in account:
                self.real[example] = account["id"]

    def translate(self, value, names):
        text = json.dumps(value)
        for old, new in names.items():
            text = text.replace(old, new)
        return json.loads(text)


@pytest.mark.parametrize("call", BEFORE)
def test_the_examples_of_a_call_happen_as_they_stand_in_the_document(db, call):
    story = Story()
    with resolving() as names:
        names[urlsplit(URL).hostname] = [PUBLIC]
        for each in (*BEFORE[call], call):
            if each.endswith("/test"):
                names.clear()  # the receiver's name is not there yet
            seen = [*story.tell(each)]
            assert seen
    assert seen == [(status, strip(value)) for status, value in read_answers(find(call)[2])]


def test_every_command_has_examples():
    having = set()
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if read_requests(operation) or read_answers(operation):
                having.add(f"{method} {path.removeprefix('/api/v1/')}")
            else:
                assert method in ("get", "delete")
    assert having == set(BEFORE)

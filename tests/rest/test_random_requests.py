"""Requests at random, made from the OpenAPI document: what comes back is what the document says.

`LEDGER_EXAMPLES` makes more of them.
"""

import os
from collections import Counter

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from events import subscriptions
from ledger import callers
from ledger_project.wsgi import application
from rest.fields import UUID_TEXT
from tests.bad_inputs_world import World, find_account
from tests.cast import CALLER, AccountFactory, OrderFactory, day, deposit, issue_token, new_id, transfer
from tests.claims import claim
from tests.names import NOBODY, resolving
from tests.raw_requests import Answer, connection_kept
from tests.refusals import require_books, require_problem, take_stock
from transactions import posting

pytestmark = pytest.mark.drill

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "40")) // 2
DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
# An eager schema: one from a fixture breaks on pytest 9.
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig(seed=1))
SCHEMA.app = application

KINDS = {
    "users": "user_id",
    "accounts": "account_id",
    "transactions": "transaction_id",
    "holds": "hold_id",
}
NAMED = {
    "account": "account_id",
    "user": "user_id",
    "source": "account_id",
    "source_user": "user_id",
    "destination": "account_id_2",
    "destination_user": "user_id",
    "hold": "hold_id",
    "transaction": "transaction_id",
}
ENDS = ("source", "destination")


class Caller:
    """A service with a token, and the ids of what is there."""

    def __init__(self):
        self.world = World(token=issue_token("api-admin"))
        # What no view answers goes through the middleware of pages, which would compress it.
        self.headers = {"Authorization": f"Bearer {self.world['token']}", "Accept-Encoding": "identity"}
        self.ids = {kind: self.world[name] for kind, name in KINDS.items()}
        account, other = (find_account(self.world, name) for name in ("account_id", "account_id_2"))
        deposit(account, "100", effective_at=day("1970-01-01"))
        self.ids["transfers"] = str(transfer(account, other, "1").id)
        batch = posting.NewBatch(id=new_id(), asked=[], atomic=False)
        posting.post([OrderFactory(account=other)], caller=callers.Caller(other.user_id), batch=batch)
        self.ids["batches"] = str(batch.id)
        self.ids["claims"] = str(
            claim(find_account(self.world, "bob_account"), "10.00").id
        )  # nothing is there
        self.ids["thresholds"] = self.world["threshold_id"]
        told, _ = subscriptions.create(kind="webhook", url=NOBODY, caller=CALLER)
        self.ids["subscriptions"] = str(told.id)
        self.empty = str(AccountFactory().id)
        self.seen = Counter()

    def bring_to_life(self, case):
        """What fits the document is about what is there, has one identity and no field too many."""
        if case.meta.generation.mode is not GenerationMode.POSITIVE:
            return
        if UUID_TEXT.fullmatch(str((case.path_parameters or {}).get("id"))):
            is_closed = case.path.endswith("/close")
            case.path_parameters["id"] = self.empty if is_closed else self.ids[case.path.split("/")[3]]
        if "wait" in (case.query or {}):
            case.query["wait"] = 0  # nothing will happen
        if isinstance(case.body, dict):
            content = case.operation.definition.raw["requestBody"]["content"]
            case.body = self.fill(case.body, content["application/json"]["schema"])
            if "id" in case.body:
                case.headers.pop("Idempotency-Key", None)
            if "url" in case.body:
                case.body["url"] = f"{NOBODY}{new_id()}"

    def fill(self, body, schema):
        described = find_component(schema)
        if "oneOf" in described:
            mapping = described["discriminator"]["mapping"]
            described = find_component({"$ref": mapping[body["command"]]})
        known = described["properties"]
        body = {name: value for name, value in body.items() if name in known}
        for name, value in body.items():
            if isinstance(value, list):
                items = known[name]["items"]
                body[name] = [self.fill(item, items) if isinstance(item, dict) else item for item in value]
            elif name in NAMED:
                body[name] = self.world[NAMED[name]]
        for name, instead in (("account", "user"), *((end, f"{end}_user") for end in ENDS)):
            if name in body:
                body.pop(instead, None)
        return body


def find_component(schema):
    return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


@pytest.fixture
def caller(db, settings):
    settings.WEBHOOK_LOOPBACK = True
    with connection_kept(), resolving():
        caller = Caller()
        yield caller
    # Otherwise all that was tried here is refusals.
    assert min(caller.seen) < 300, caller.seen


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def test_the_answer_to_whatever_is_asked_is_in_the_document(case, caller):
    caller.bring_to_life(case)
    before = take_stock()
    response = case.call(headers=caller.headers)
    caller.seen[response.status_code] += 1
    answer = Answer(response.status_code, [(k, v[0]) for k, v in response.headers.items()], response.content)
    require_books(before, take_stock(), case.method, answer)
    if answer.status >= 400:
        require_problem(answer)
    # No schema can say that an id excludes a key, or which currencies there are: what fits may be refused.
    excluded = [positive_data_acceptance]
    if any(value in ([], {}) for value in (case.query or {}).values()):
        excluded.append(negative_data_rejection)  # an unknown parameter without a value is not sent
    if case.path.endswith("/batches") and answer.status == 200:
        results = answer.json()["results"]
        if any(result["status"] == 400 for result in results):
            excluded.append(negative_data_rejection)  # what does not fit was refused in its own place
    case.validate_response(response, headers=caller.headers, excluded_checks=excluded)

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

from api.fields import UUID_TEXT
from ledger_project.wsgi import application
from tests.bad_inputs_world import World
from tests.raw_requests import Answer, connection_kept
from tests.refusals import require_books, require_problem, take_stock

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "40")) // 2
DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
# An eager schema: one from a fixture breaks on pytest 9.
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig(seed=1))
SCHEMA.app = application


class Caller:
    """A service with a token, and the ids of what is there."""

    def __init__(self):
        self.world = World()
        self.headers = {"Authorization": f"Bearer {self.world['token']}"}
        kinds = {"users": "user_id", "accounts": "account_id", "transactions": "transaction_id"}
        self.ids = {kind: self.world[name] for kind, name in kinds.items()}
        self.seen = Counter()

    def bring_to_life(self, case):
        """What fits the document is about what is there, has one identity and no field too many."""
        if case.meta.generation.mode is not GenerationMode.POSITIVE:
            return
        if UUID_TEXT.fullmatch(str((case.path_parameters or {}).get("id"))):
            case.path_parameters["id"] = self.ids[case.path.split("/")[3]]
        if isinstance(case.body, dict):
            known = find_schema(case.operation.definition.raw["requestBody"])["properties"]
            case.body = {name: value for name, value in case.body.items() if name in known}
            for name, kind in {"account": "accounts", "user": "users"}.items():
                if name in case.body:
                    case.body[name] = self.ids[kind]
            if "account" in case.body:
                case.body.pop("user", None)
            if "id" in case.body:
                case.headers.pop("Idempotency-Key", None)


def find_schema(body):
    reference = body["content"]["application/json"]["schema"]["$ref"]
    return DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]


@pytest.fixture
def caller(db):
    with connection_kept():
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
    case.validate_response(response, headers=caller.headers, excluded_checks=excluded)

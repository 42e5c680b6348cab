"""Swagger's "Try it out": every example of the OpenAPI document names what is there after `seed_demo`."""

import json
from contextlib import redirect_stdout
from io import StringIO
from urllib.parse import urlencode, urlsplit

import pytest
from django.core.management import call_command

from accounts import operations
from accounts.models import Account
from events.rest.schema import URL
from ledger.callers import ActorKind, Caller
from tests.conftest import make_client
from tests.document import read_document
from tests.names import PUBLIC, resolving
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

DOCUMENT = read_document()
# What is refused or declined all the same, as the example says, or since others were tried out before it.
REFUSED = {
    ("post /api/v1/transactions", "a withdrawal of too much"): "insufficient_funds",
    ("post /api/v1/accounts/{id}/close", "the user left"): "account_not_empty",
    ("post /api/v1/claims/{id}/waive", "it was paid in cash"): "claim_not_open",  # collected of what came
}


def find_trials():
    """Each operation with each of its bodies: what it is called, and what is sent."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            bodies = content.get("examples", {}).values() or [{"summary": "", "value": None}]
            for body in bodies:
                yield f"{method} {path}", body["summary"], operation.get("parameters", []), body["value"]


TRIALS = {f"{call}, {summary}": (call, summary, *rest) for call, summary, *rest in find_trials()}


@pytest.fixture
def client(db):
    with redirect_stdout(StringIO()):
        call_command("seed_demo", users=1, transactions=0)
    return make_client("api-admin")


def send(client, call, parameters, body):
    """As Swagger sends it when nothing is filled in by hand."""
    method, _, path = call.partition(" ")
    query = {}
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
        elif parameter.get("required"):
            query[parameter["name"]] = parameter["example"]
    address = f"{path}?{urlencode(query)}" if query else path
    text = "" if body is None else json.dumps(body)
    return client.generic(method.upper(), address, text, content_type="application/json")


@pytest.mark.parametrize("trial", TRIALS)
def test_an_example_can_be_tried_out_as_it_stands(client, trial):
    call, summary, parameters, body = TRIALS[trial]
    with resolving() as names:
        names[urlsplit(URL).hostname] = [PUBLIC]
        answer = send(client, call, parameters, body)
    code = answer.json().get("code") if answer.content else None
    assert code == REFUSED.get((call, summary)), answer.content


def test_every_refusal_that_is_excused_is_of_an_example():
    assert set(REFUSED) <= {(call, summary) for call, summary, *_ in TRIALS.values()}


def test_the_examples_are_made_once_and_audited_clean(client, capsys):
    def look():
        return sorted(Transaction.objects.values_list("id")), sorted(Account.objects.values_list("id"))

    before = look()
    call_command("seed_demo", users=1, transactions=0)
    assert [len(after) - len(was) for was, after in zip(before, look(), strict=True)] == [0, 1]
    call_command("audit_balances")


def test_somebody_who_has_the_name_of_an_example_keeps_it(db, capsys):
    operations.create_user(id=None, name="x", external_id="crm-17", caller=Caller(None, ActorKind.COMMAND))
    call_command("seed_demo", users=1, transactions=0)
    assert "was not made: The external_id 'crm-17' belongs to another user." in capsys.readouterr().err
    assert Account.objects.count() == 2

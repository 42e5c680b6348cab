"""`?dry_run=true`: what a command would come to, by the decision that it would have, and nothing else."""

import re
from decimal import Decimal

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Account, Hold
from ledger.callers import Caller
from ledger_project.server.lanes import choose_lane
from tests.cast import OrderFactory, deposit, hold_that_expires, new_id, withdraw
from tests.conftest import make_client
from tests.database import take_stock
from tests.dry_runs import require_same_decision, try_out
from tests.test_openapi import require_schema
from tests.transactions.trying import API, COMMANDS, DECIDED_ANEW, REFUSED, WHY, World, identify
from transactions import posting
from transactions.models import Batch, Transaction
from transactions.posting import PostingRequest

pytestmark = pytest.mark.django_db

URL = f"{API}/transactions"


@pytest.fixture
def world(rich):
    return World(rich)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_dry_run_says_what_the_command_then_does_and_changes_nothing(service, world, name):
    path, body = COMMANDS[name](world)
    body = identify(path, body)
    dry = try_out(service, f"{API}/{path}", body)
    assert dry.status_code == REFUSED.get(name, 200), dry.content
    done = service.post(f"{API}/{path}", body)
    require_same_decision(dry, done)
    if name in REFUSED or path.endswith("release"):
        return
    again = try_out(service, f"{API}/{path}", body)
    assert again.json()["replayed"] == (name not in DECIDED_ANEW)
    require_same_decision(again, service.post(f"{API}/{path}", body))


def test_every_answer_holds_to_the_document(service, world):
    document = SchemaGenerator().get_schema(request=None, public=True)
    for name, make in COMMANDS.items():
        path, body = make(world)
        answer = service.post(f"{API}/{path}?dry_run=true", identify(path, body))
        route = re.sub(r"[0-9a-f-]{36}", "{id}", f"{API}/{path}")
        operation = document["paths"][route]["post"]
        require_schema(document, operation, answer)
        assert "dry_run" in [parameter["name"] for parameter in operation["parameters"]], name


def test_what_would_be_made_is_shown_as_it_would_be(service, rich):
    id = str(new_id())
    body = {"id": id, "account": str(rich.id), "type": "WITHDRAW", "amount": "30"}
    told = try_out(service, URL, body).json()
    version = Account.objects.get(id=rich.id).version
    assert (told["version"], told["versions"]) == (version, {str(rich.id): version})
    [result] = told["results"]
    assert result["status"] == 201
    shown = result["transaction"]
    assert (shown["id"], shown["status"], shown["amount"]) == (id, "POSTED", "30.00")
    assert (shown["balance_after"], shown["version"]) == ("70.00", version + 1)
    assert service.get(f"{URL}/{id}").status_code == 404


def test_a_decline_is_a_result_and_burns_no_id(service, rich):
    body = {"id": str(new_id()), "account": str(rich.id), "type": "WITHDRAW", "amount": "130"}
    told = try_out(service, URL, body).json()
    [result] = told["results"]
    assert (result["status"], result["problem"]["code"]) == (402, "insufficient_funds")
    assert result["problem"]["available"] == "100.00"
    deposit(rich, "30")
    assert try_out(service, URL, body).json()["results"][0]["status"] == 201
    assert service.post(URL, body).status_code == 201


def test_an_id_that_is_decided_shows_its_answer_and_another_command_under_it_is_refused(service, rich):
    body = {"id": str(new_id()), "account": str(rich.id), "type": "WITHDRAW", "amount": "100"}
    first = service.post(URL, body).json()
    told = try_out(service, URL, body).json()
    assert (told["replayed"], told["results"]) == (True, [{"status": 201, "transaction": first}])
    assert told["version"] == first["version"]
    answer = try_out(service, URL, {**body, "amount": "99"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_list_that_is_decided_is_shown_and_another_one_is_refused(service, world):
    body = {"id": str(new_id()), "atomic": True, "commands": world.list_commands("30")}
    told = try_out(service, f"{API}/batches", body).json()
    accounts = {str(account.id): account.version for account in map(read, (world.account, world.other))}
    assert (told["version"], told["versions"]) == (None, accounts)
    assert service.post(f"{API}/batches", body).status_code == 200
    assert try_out(service, f"{API}/batches", body).json()["replayed"] is True
    answer = try_out(service, f"{API}/batches", {**body, "reference": "another"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def read(account):
    return Account.objects.get(id=account.id)


def test_of_a_transfer_the_version_is_the_sources(service, world):
    told = try_out(service, f"{API}/transfers", {"id": str(new_id()), **world.move("1")}).json()
    assert told["version"] == read(world.account).version != read(world.other).version
    assert told["versions"][str(world.other.id)] == read(world.other).version


def test_holds_that_are_due_count_as_ended_and_stay_as_they_are(service, rich):
    held = hold_that_expires(rich, "80")
    body = {"id": str(new_id()), "account": str(rich.id), "type": "WITHDRAW", "amount": "100"}
    dry = try_out(service, URL, body)
    assert dry.json()["results"][0]["status"] == 201
    assert Hold.objects.get(id=held.id).status == "OPEN"
    captured = try_out(service, f"{API}/holds/{held.id}/capture", {"id": str(new_id())}).json()
    assert captured["results"][0]["problem"]["code"] == "hold_not_open"
    require_same_decision(dry, service.post(URL, body))


PERMISSIONS = {
    "transactions.add_transaction": ("deposit", "transfer", "capture", "reversal", "reversal of a list"),
    "accounts.add_hold": ("hold",),
    "accounts.change_hold": ("release",),
}


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_it_needs_the_permission_of_the_command(world, permission):
    views = ["transactions.view_transaction", "accounts.view_account", "accounts.view_hold"]
    others = [other for other in PERMISSIONS if other != permission]
    may, may_not = (make_client("api-post", permissions=[*views, *some]) for some in ([permission], others))
    for name in PERMISSIONS[permission]:
        path, body = COMMANDS[name](world)
        fields = identify(path, body)
        assert try_out(may, f"{API}/{path}", fields).status_code == 200
        answer = try_out(may_not, f"{API}/{path}", fields)
        assert (answer.status_code, answer.json()["permission"]) == (403, permission)
    list_body = {"id": str(new_id()), "atomic": True, "commands": world.list_commands("30")}
    missing = try_out(may_not, f"{API}/batches", list_body)
    assert (missing.status_code, missing.json()["permission"]) == (403, permission)


def test_a_token_is_bound_in_a_dry_run_too(world):
    client = make_client("api-post", amount_max=Decimal(9))
    for name in ("deposit", "transfer", "capture", "reversal of a transfer"):
        path, body = COMMANDS[name](world)
        answer = try_out(client, f"{API}/{path}", {"id": str(new_id()), **body})
        done = client.post(f"{API}/{path}", {"id": str(new_id()), **body})
        assert answer.status_code == (200 if done.status_code == 201 else done.status_code)
        assert (done.json().get("code") == "token_bound") == (name != "reversal of a transfer")


@pytest.mark.parametrize("query", ["dry_run=1", "dry_run=True", "dry_run=", "dry_run=yes", "dry_run=true%20"])
def test_its_value_is_true_or_false(service, world, query):
    body = {"id": str(new_id()), **world.order("DEPOSIT", "1")}
    before = take_stock()
    answer = service.post(f"{URL}?{query}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["errors"][0]["pointer"] == "?dry_run"
    assert take_stock() == before


def test_given_twice_it_is_refused_and_false_is_as_without_it(service, world):
    body = {"id": str(new_id()), **world.order("DEPOSIT", "1")}
    before = take_stock()
    for query in ("dry_run=true&dry_run=true", "dry_run=false&dry_run=true"):
        assert service.post(f"{URL}?{query}", body).json()["code"] == "duplicate_parameter"
    assert service.post(f"{URL}?dry_run=true&x=1", body).json()["code"] == "unknown_parameter"
    assert take_stock() == before
    assert service.post(f"{URL}?dry_run=false", body).status_code == 201


def test_who_changes_no_money_has_no_dry_run(world):
    admin = make_client("api-admin")
    account = f"{API}/accounts/{world.account.id}"
    before = take_stock()
    for path, body in [
        (f"{API}/users", {"id": str(new_id()), "name": "x"}),
        (f"{API}/accounts", {"user": str(world.account.user_id), "currency": "EUR"}),
        (f"{account}/limits", {"withdraw_max": "5"}),
        (f"{account}/freeze", WHY),
        (f"{account}/unfreeze", WHY),
        (f"{account}/close", WHY),
    ]:
        answer = admin.post(f"{path}?dry_run=true", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter"), path
    assert take_stock() == before


def test_an_identity_is_needed_as_by_the_command(service, world):
    body = world.order("DEPOSIT", "1")
    assert try_out(service, URL, body).json()["code"] == "identity_required"
    keyed = service.post(f"{URL}?dry_run=true", body, headers={"Idempotency-Key": "a key"}).json()
    done = service.post(URL, body, headers={"Idempotency-Key": "a key"}).json()
    assert keyed["results"][0]["transaction"]["id"] == done["id"]


@pytest.mark.parametrize("path", ["transactions", "transfers", "holds", "batches", "batches/x/reverse"])
def test_it_is_read_in_the_lane_of_readers(path):
    assert choose_lane("POST", f"{API}/{path}", "dry_run=true") == "reads"
    assert choose_lane("POST", f"{API}/{path}", "") not in ("reads", "hot-reads")
    assert choose_lane("POST", f"{API}/{path}", "dry_run=false") == choose_lane("POST", f"{API}/{path}", "")


def test_in_process_it_is_part_of_the_callers_transaction(rich):
    withdraw(rich, "40")
    order = OrderFactory(account=rich, type=Transaction.Type.WITHDRAW, amount=Decimal(61))
    [result] = posting.rehearse(PostingRequest(commands=[order], caller=Caller(rich.user_id))).answers
    assert result.transaction.decline_reason == "insufficient_funds"
    assert posting.rehearse(PostingRequest(commands=[], caller=Caller(None))) == ([], {}, None, {})
    assert not Batch.objects.exists()

"""What is read most, by one statement: as exact as it was, and by index whatever the statistics say."""

import json
from decimal import Decimal

import pytest
from django.db import connection

from tests.cast import AccountFactory, deposit, hold_that_expires, new_id, transfer, withdraw
from tests.conftest import make_client
from transactions import posting, reading
from transactions.models import Transaction
from transactions.posting.commands import Reversal
from transactions.reading import balances, queries
from transactions.reading.balances import read_balances_of_users, read_current_balances

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(account):
    deposit(account, "100")
    return account


def reverse(row):
    reversal = Reversal(id=new_id(), reason="a mistake", rows=[row])
    [answer] = posting.post([reversal], actor=row.account.user_id)
    return answer.transaction


def read_by_orm(id):
    return queries.with_resources(Transaction.objects.filter(id=id)).get()


def test_a_transaction_is_read_as_the_orm_reads_it(rich):
    other = AccountFactory()
    made = [
        deposit(rich, "1.50", reference="é", metadata={"a": "\\u2028", "b": '"'}),
        withdraw(rich, "5000"),
        transfer(rich, other, "3"),
    ]
    taken_back = deposit(rich, "7")
    made += [taken_back, reverse(taken_back)]
    found = reading.get_transactions([row.id for row in made])
    assert set(found) == {row.id for row in made}
    for row in made:
        assert found[row.id].to_dict() == read_by_orm(row.id).to_dict()
        assert json.loads(found[row.id].to_json()) == found[row.id].to_dict()
    assert found[taken_back.id].reversed_by == made[-1].id


def test_what_was_not_read_can_be_asked_for(rich):
    row = deposit(rich, "1")
    found = reading.share_transaction(row.id).result()
    assert bytes(found.chain_hash) == bytes(row.chain_hash)
    assert found.account.name == "main"
    assert found == row


def test_what_is_not_there_is_not_found(rich):
    assert reading.share_transaction(new_id()).result() is None
    assert reading.share_balance(new_id()).result() is None
    assert reading.get_transactions([]) == {} == read_current_balances([])
    assert reading.share_balances_of_user(new_id(), "main").result() == {}


def test_balances_of_several_accounts_come_from_one_statement(rich, django_assert_num_queries):
    other = AccountFactory()
    with django_assert_num_queries(1):
        found = read_current_balances([rich.id, other.id, new_id()])
    assert {id: balance.balance for id, balance in found.items()} == {rich.id: 100, other.id: 0}
    with django_assert_num_queries(1):
        of_users = read_balances_of_users(
            [(rich.user_id, "main"), (other.user_id, "main"), (other.user_id, "savings")]
        )
    assert of_users[rich.user_id, "main"]["USD"].account_id == rich.id
    assert of_users[other.user_id, "savings"] == {}


def test_a_hold_that_is_due_counts_no_more(rich, service):
    hold_that_expires(rich, "40")
    balance = reading.share_balance(rich.id).result()
    assert (balance.held, balance.available) == (Decimal(0), Decimal(100))


@pytest.mark.parametrize("query", ["", "?at=2999-01-01", "?known_at=2999-01-01"])
def test_the_current_balance_is_that_of_now(rich, service, query):
    answer = service.get(f"/api/v1/accounts/{rich.id}/balance{query}")
    shown = answer.json()
    assert shown.pop("at") == shown.pop("known_at")
    assert (shown["balance"], shown["available"], shown["version"]) == ("100.00", "100.00", 1)
    assert answer["Cache-Control"] == "no-store"


def test_what_is_anothers_is_not_there(rich, holder):
    row = deposit(rich, "1")
    stranger = make_client(user=AccountFactory().user)
    paths = [f"transactions/{row.id}", f"accounts/{rich.id}/balance", f"users/{rich.user_id}/balance"]
    for path in paths:
        assert holder.get(f"/api/v1/{path}").status_code == 200
        then = f"/api/v1/{path}?at=2023-01-04"
        if path.endswith("/balance"):
            assert (holder.get(then).status_code, stranger.get(then).status_code) == (200, 404)
        refused, missing = stranger.get(f"/api/v1/{path}"), stranger.get(f"/api/v1/{path[:-20]}{'0' * 20}")
        assert refused.status_code == 404, path
        assert refused.json()["code"] == "not_found"
        assert missing.status_code == 404
    assert stranger.get("/api/v1/transactions").json()["results"] == []


STATEMENTS = {
    "balances": (balances.CURRENT_BY_ID, lambda id: [[id]]),
    "balances of users": (balances.CURRENT_BY_USER, lambda id: [[id], ["main"]]),
    "transactions": (queries.BY_ID, lambda id: [[id]]),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_plan_is_a_look_up_by_index_while_the_tables_are_empty(name):
    statement, parameters = STATEMENTS[name]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement, parameters(new_id()))
        [plan] = cursor.fetchone()
    text = plan if isinstance(plan, str) else json.dumps(plan)
    scans = {node["Node Type"] for node in walk(json.loads(text)[0]["Plan"]) if "Relation Name" in node}
    assert scans <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, text


def walk(node):
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)

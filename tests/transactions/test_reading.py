"""What is read most, by one statement: as exact as it was, and by index whatever the statistics say."""

import json
from decimal import Decimal

import pytest

from tests import asking
from tests.cast import AccountFactory, deposit, hold_that_expires, new_id, transfer, withdraw
from tests.transactions.test_plans import explain, walk
from transactions import reading
from transactions.models import Transaction
from transactions.posting.commands import Reversal
from transactions.reading import balances, queries
from transactions.reading.balances import read_balances_of_users, read_current_balances

pytestmark = pytest.mark.django_db


def test_a_transaction_is_read_as_the_orm_reads_it(rich):
    other = AccountFactory()
    made = [
        deposit(rich, "1.50", reference="é", metadata={"a": "\\u2028", "b": '"'}),
        withdraw(rich, "5000"),
        transfer(rich, other, "3"),
    ]
    taken_back = deposit(rich, "7")
    reversal = asking.ask(Reversal(id=new_id(), reason="a mistake", rows=[taken_back]))
    made += [taken_back, reversal.transaction]
    found = reading.get_transactions([row.id for row in made])
    assert set(found) == {row.id for row in made}
    for row in queries.with_resources(Transaction.objects.filter(id__in=found)):
        assert json.loads(found[row.id].as_json) == found[row.id].to_dict() == row.to_dict()
    assert found[taken_back.id].reversed_by == [str(made[-1].id)]


def test_what_was_not_read_can_be_asked_for(rich):
    row = deposit(rich, "1")
    found = reading.share(reading.get_transactions, row.id).result()
    assert (bytes(found.chain_hash), found.account.name) == (bytes(row.chain_hash), "main")
    assert found == row


def test_what_is_not_there_is_not_found(rich):
    assert reading.share(reading.get_transactions, new_id()).result() is None
    assert reading.share(reading.read_current_balances, new_id()).result() is None
    assert reading.get_transactions([]) == {} == read_current_balances([])
    assert reading.share(reading.read_balances_of_users, (new_id(), "main")).result() == {}


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
    balance = reading.share(reading.read_current_balances, rich.id).result()
    assert (balance.held, balance.available) == (Decimal(0), Decimal(100))


@pytest.mark.parametrize("query", ["", "?at=2999-01-01", "?known_at=2999-01-01"])
def test_the_current_balance_is_that_of_now(rich, service, query):
    answer = service.get(f"/api/v1/accounts/{rich.id}/balance{query}")
    shown = answer.json()
    assert shown.pop("at") == shown.pop("known_at")
    assert (shown["balance"], shown["available"], shown["version"]) == ("100.00", "100.00", 1)
    assert answer["Cache-Control"] == "no-store"


STATEMENTS = {
    "balances": (balances.CURRENT_BY_ID, lambda id: [[id]]),
    "balances of users": (balances.CURRENT_BY_USER, lambda id: [[id], ["main"]]),
    "transactions": (queries.BY_ID, lambda id: [[id]]),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_plan_is_a_look_up_by_index_while_the_tables_are_empty(name):
    statement, parameters = STATEMENTS[name]
    plan = explain(statement, parameters(new_id()), "FORMAT JSON")
    scans = {node["Node Type"] for node in walk(plan) if "Relation Name" in node}
    assert scans <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, plan
    assert scans

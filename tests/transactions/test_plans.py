"""Hot paths cost the same on a long history as on a short one: their statements and rows are counted."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, OrderFactory, day, deposit, hold, new_id, withdraw
from tests.database import empty_the_ledger, execute
from transactions import posting, reading
from transactions.models import Transaction
from transactions.posting import limits
from transactions.reading import balances

pytestmark = pytest.mark.django_db

HISTORY = 10_000
START = day("2023-01-01")


@pytest.fixture(scope="module")
def long_account(django_db_setup, django_db_blocker):
    """An account with a long history in order, every thousandth row late, among others."""
    with django_db_blocker.unblock():
        yield make_long_account()
        empty_the_ledger()


def make_long_account():
    account, other = AccountFactory(), AccountFactory()
    fill(lambda number: account if number % 2 else other)
    execute("ANALYZE transactions_transaction")
    return account


def fill(find_account):
    """Rows in the order of their effect, of the account that `find_account` says for the row's number."""
    for first in range(0, HISTORY, 1000):
        orders = [
            OrderFactory(
                account=find_account(number),
                amount=Decimal(1),
                effective_at=START + timedelta(minutes=number, days=-2 * (number % 1000 == 999)),
                reference=f"number {number}",
            )
            for number in range(first, first + 1000)
        ]
        asking.post(orders, caller=Caller(new_id()))


def explain(sql, parameters, how="ANALYZE, FORMAT JSON"):
    """The plan of a statement, which is run for it unless `how` says otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({how}) {sql}", parameters)
        [plan] = cursor.fetchone()
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def walk(node):
    """The node and all below it."""
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


def count_rows_touched(sql, parameters=None):
    """Rows that the statement's scans returned or threw away."""
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        (node["Actual Rows"] + sum(node.get(name, 0) for name in removed)) * node["Actual Loops"]
        for node in walk(explain(sql, parameters))
        if "Relation Name" in node
    )


def touched_by(queryset):
    sql, parameters = queryset.query.sql_with_params()
    return count_rows_touched(sql, parameters)


@pytest.mark.parametrize("moment", ["2023-01-01T00:10", "2023-01-03", "2023-01-06"])
def test_a_balance_at_a_date_touches_a_few_rows(long_account, moment):
    at = day(moment)
    recorded = Transaction.objects.filter(account=long_account, effective_at__lte=at).latest("version")
    for known_at in (recorded.recorded_at, recorded.recorded_at + timedelta(days=365)):
        parameters = [[long_account.id], [at], [known_at]]
        assert count_rows_touched(balances.BALANCES, parameters) <= 4 + 10  # look-ups, late rows


def test_a_balance_at_a_date_prepared_on_an_empty_ledger_touches_a_few_rows_of_a_full_one(account):
    execute("ANALYZE transactions_transaction")
    for _ in range(12):  # often enough to be prepared, and its plan to be kept
        reading.read_balance_at(account.id, at=START, known_at=START)
    fill(lambda number: account)
    prepared = execute("SELECT name FROM pg_prepared_statements WHERE position('mxid_age' IN statement) > 0")
    for share in (0.01, 0.5, 0.99):
        row = Transaction.objects.get(account=account, version=int(HISTORY * share))
        values = f"'{{{account.id}}}', '{{\"{row.effective_at}\"}}', '{{\"{row.recorded_at}\"}}'"
        touched = [count_rows_touched(f"EXECUTE {name}({values})") for (name,) in prepared]
        assert touched
        assert max(touched) <= 4 + 10, touched  # look-ups, late rows


def test_a_late_withdrawal_reads_only_what_is_later(long_account):
    at = START + timedelta(minutes=HISTORY - 200)
    parameters = {"account": long_account.id, "at": at, "balance": 0, "needed": 0, "unwritten": "[]"}
    assert count_rows_touched(limits.BROKEN_INSTANT, parameters) <= 110


def test_a_page_of_everything_touches_a_page_of_rows(long_account):
    middle = Transaction.objects.get(reference=f"number {HISTORY // 2}")
    page = Transaction.objects.filter(recorded_at__lte=middle.recorded_at)
    assert touched_by(page.order_by("-recorded_at", "-id")[:51]) <= 60


def test_a_reference_is_found_by_its_index(long_account):
    assert touched_by(Transaction.objects.filter(reference="number 77")) <= 1


# In a caller's transaction, as every test here. What posting does in one of its own: test_budget.py


def statements_of(action):
    with CaptureQueriesContext(connection) as captured:
        action()
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


def test_a_posting_costs_three_statements(account):
    assert len(statements_of(lambda: deposit(account, "10"))) == 3
    assert len(statements_of(lambda: withdraw(account, "10"))) == 3
    assert len(statements_of(lambda: withdraw(account, "10"))) == 3  # a decline


def test_a_late_withdrawal_costs_one_statement_more(account):
    deposit(account, "10", effective_at=day("2023-01-01"))
    deposit(account, "10", effective_at=day("2023-01-03"))
    assert len(statements_of(lambda: withdraw(account, "5", effective_at=day("2023-01-02")))) == 4


def test_a_list_costs_as_many_statements_as_one(account):
    orders = [OrderFactory(account=account) for _ in range(100)]
    posting.post(OrderFactory(account=account), caller=Caller(account.user_id))  # who that is, is asked once
    assert len(statements_of(lambda: posting.post(orders, caller=Caller(account.user_id)))) == 3


def test_a_replay_costs_three_statements(account):
    order = OrderFactory(account=account)
    posting.post([order], caller=Caller(account.user_id))
    assert len(statements_of(lambda: posting.post([order], caller=Caller(account.user_id)))) == 3


def test_over_http_a_posting_costs_what_the_engine_costs(service, account, petya):
    def post(**target):
        body = {"id": str(new_id()), "type": "DEPOSIT", "amount": "1", **target}
        assert service.post("/api/v1/transactions", body).status_code == 201

    post(account=str(account.id))  # the token is looked up once
    assert len(statements_of(lambda: post(account=str(account.id)))) == 3
    assert len(statements_of(lambda: post(user=str(petya.id)))) == 4  # which account is the user's


def test_over_http_reads_cost_one_or_two_statements(service, account, petya):
    row = deposit(account, "10")
    service.get("/api/v1/accounts")
    for address, statements in [
        (f"/api/v1/transactions/{row.id}", 1),
        (f"/api/v1/accounts/{account.id}", 1),
        (f"/api/v1/accounts/{account.id}/balance", 1),
        (f"/api/v1/users/{petya.id}/balance", 1),
        ("/api/v1/transactions", 2),  # which, and what is in them
        ("/api/v1/accounts", 1),
        ("/api/v1/users", 2),
    ]:
        found = statements_of(lambda address=address: service.get(address))
        assert len(found) == statements, (address, found)


def test_over_http_every_movement_costs_a_few_statements(service, account):
    """Beside the three of a posting: what is captured or reversed, before the lock and under it."""
    other = AccountFactory()
    row = deposit(account, "100")
    placed = hold(account, "10")

    def post(path, **body):
        return lambda: service.post(f"/api/v1/{path}", {"id": str(new_id()), **body})

    items = [
        {"command": "transaction", "account": str(account.id), "type": "DEPOSIT", "amount": "1"}
        for _ in range(50)
    ]
    both = {"source": str(account.id), "destination": str(other.id)}
    post("holds", account=str(account.id), amount="1")()  # the token is looked up once
    for movement, statements in [
        (post("batches", atomic=True, commands=items), 4),
        (post("transfers", **both, amount="1"), 4),
        (post("holds", account=str(account.id), amount="1"), 5),  # is it there already?
        (post(f"holds/{placed.id}/capture", amount="1", final=False), 6),
        (post(f"transactions/{row.id}/reverse", reason="too much"), 7),  # or is a claim of that id there?
    ]:
        found = statements_of(movement)
        assert len(found) == statements, found

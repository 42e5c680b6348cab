"""A list of a long ledger is walked by the index of its order, and no further than it may be."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import operations
from accounts.models import User
from ledger.callers import Caller
from ledger.values import format_time
from office.lists import money, walks
from office.lists.money import TransactionForm
from office.lists.people import LOOKED_AT_MAX_SCATTERED
from tests import asking
from tests.cast import AccountFactory, OrderFactory
from tests.database import empty_the_ledger
from tests.office.list_worlds import TRANSACTIONS, show
from tests.office.staff import make_staff
from tests.transactions.test_plans import count_rows_touched
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

HISTORY, LOOKED_AT = 2000, 300


@pytest.fixture(scope="module")
def long_ledger(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        accounts = [AccountFactory(currency=("USD", "EUR")[number % 2]) for number in range(40)]
        for first in range(0, HISTORY, 500):
            orders = [
                OrderFactory(
                    account=accounts[number % 40 if number % 2 else 1],
                    type="WITHDRAW" if number % 97 == 0 else "DEPOSIT",
                    reference="rare" if number == 5 else "common",
                )
                for number in range(first, first + 500)
            ]
            asking.post(orders, caller=Caller(accounts[0].user_id))
        with connection.cursor() as cursor:
            for table in ("transactions_transaction", "accounts_account"):
                cursor.execute(f"ANALYZE {table}")
        yield accounts
        empty_the_ledger()


@pytest.mark.parametrize(
    ("query", "rows_of_each"),
    [
        ({}, 1),
        ({"reference": "rare"}, 1),
        ({"decline_reason": "account_closed"}, 1),
        ({"actor_kind": "ledger"}, 1),
        ({"late": "yes", "claim": "yes", "reversal": "yes"}, 1),
        ({"amount_min": "99999"}, 1),
        ({"currency": "JPY"}, 2),
        ({"axis": "effective", "amount_min": "99999"}, 1),
        ({"order": "oldest", "type": "WITHDRAW", "amount_min": "99999"}, 1),
        ({"account": 0, "amount_min": "99999"}, 1),
        ({"account": 1, "reference": "rare"}, 1),
    ],
    ids=repr,
)
def test_a_page_looks_at_so_many_rows_and_no_more(long_ledger, monkeypatch, query, rows_of_each):
    """By the index of its order, whatever the statistics say of a condition."""
    monkeypatch.setattr(TransactionForm, "looked_at_max", LOOKED_AT)
    monkeypatch.setattr(money, "LOOKED_AT_MAX_WITH_ACCOUNTS", LOOKED_AT)
    if "account" in query:
        query = {**query, "account": str(long_ledger[query["account"]].id)}
    user = make_staff(superuser=True)
    with CaptureQueriesContext(connection) as captured:
        shown = show(TRANSACTIONS, user, **query)
    walked = [each["sql"] for each in captured if "walk_fits" in each["sql"]]
    assert len(walked) == (1 if shown.stopped_at or not shown.older else 2)  # and counted
    most = LOOKED_AT * rows_of_each if query else walks.COUNTED_MAX + 1
    for statement in walked:
        assert count_rows_touched(statement, None) <= most
    assert shown.stopped_at or not query or str(long_ledger[0].id) in query.values()


def test_a_period_of_an_account_is_found_by_its_index(long_ledger, monkeypatch):
    monkeypatch.setattr(TransactionForm, "looked_at_max", LOOKED_AT)
    account = long_ledger[1]
    rows = Transaction.objects.filter(account=account).order_by("seq")
    first = rows[0].recorded_at
    user = make_staff(superuser=True)
    with CaptureQueriesContext(connection) as captured:
        shown = show(TRANSACTIONS, user, account=str(account.id), until=format_time(first))
    assert [row.seq for row in shown.result_list] == [1]
    for each in captured:
        if "walk_fits" in each["sql"] or "ARRAY" in each["sql"]:
            assert count_rows_touched(each["sql"], None) <= 2
    assert first + timedelta(days=1) > operations.read_clock()


def test_people_of_one_name_are_listed_along_the_index_of_names(boss):
    User.objects.bulk_create(User(username=f"nameless {number}") for number in range(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as captured:
        shown = show("/admin/accounts/user/", boss, order="name", kind="everybody")
    assert len(shown.result_list) == 50
    walked = [each["sql"] for each in captured if "walk_fits" in each["sql"]]
    assert [count_rows_touched(statement, None) for statement in walked] == [51, LOOKED_AT_MAX_SCATTERED + 1]

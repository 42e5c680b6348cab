"""An account with a long history is read as fast as a new one: what the statements touch is counted.

`LEDGER_ROWS` makes the history longer; `make soak` asks for a million rows.
"""

import os
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from tests.cast import UserFactory, day
from tests.conftest import make_client
from tests.database import empty_the_ledger, execute
from tests.transactions.test_plans import count_rows_touched

pytestmark = pytest.mark.django_db

ROWS = int(os.environ.get("LEDGER_ROWS", "50000"))
PAGE = 50
URL = "/api/v1/transactions"
# One deposit of 1 a second, as one statement, which is how the guards want it.
WRITE = """
WITH written AS (
    INSERT INTO transactions_transaction (
        id, account_id, type, amount, reference, metadata, status, seq, version, balance_after, recorded_at,
        effective_at, late, actor, actor_kind, request_id, chain_format, chain_hash
    )
    SELECT gen_random_uuid(), %(account)s, 'DEPOSIT', 1, '', '{}', 'POSTED', n, n, n,
        '2020-01-01'::timestamptz + n * interval '1 second',
        '2020-01-01'::timestamptz + n * interval '1 second', false, %(account)s, 'service', '', 1,
        sha256('')
    FROM generate_series(1, %(rows)s::bigint) AS n
)
UPDATE accounts_account SET balance = %(rows)s, seq = %(rows)s, version = %(rows)s, event_sequence = %(rows)s,
    last_recorded_at = '2020-01-01'::timestamptz + %(rows)s::bigint * interval '1 second',
    last_effective_at = '2020-01-01'::timestamptz + %(rows)s::bigint * interval '1 second'
WHERE id = %(account)s
"""


@pytest.fixture(scope="module")
def account(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        opened_at = day("2019-12-31")  # nothing is recorded before that
        account = Account.objects.create(
            user=UserFactory(), currency="EUR", created_at=opened_at, last_recorded_at=opened_at
        )
        execute(WRITE, account=account.id, rows=ROWS)
        execute("ANALYZE transactions_transaction")
        yield account
        empty_the_ledger()


@pytest.fixture
def count(db):
    """What a GET touched: the rows of all its statements on transactions."""
    client = make_client("api-read")
    client.get("/api/v1/users")  # the token is looked up once

    def get(address):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
            body = answer.getvalue() if answer.streaming else answer.content
        assert answer.status_code == 200, body
        reads = [query["sql"] for query in captured if "transactions_transaction" in query["sql"]]
        assert reads
        return sum(count_rows_touched(sql) for sql in reads), answer

    return get


@pytest.mark.parametrize("day", ["2020-01-01T00:10:00Z", "2020-01-01T06:00:00Z", "2030-01-01T00:00:00Z"])
def test_a_page_costs_the_same_wherever_it_is(count, account, day):
    first, answer = count(f"{URL}?account={account.id}&recorded_before={day}")
    assert first <= 2 * (PAGE + 1)
    page = answer.json()
    assert len(page["results"]) == PAGE
    for direction in ("next", "previous"):
        beyond, answer = count(re.sub("^.*?/api", "/api", page[direction] or page["next"]))
        assert beyond <= 2 * (PAGE + 2)
        page = answer.json()


def test_the_oldest_page_is_reached_by_its_cursor(count, account):
    _, answer = count(f"{URL}?account={account.id}&recorded_before=2020-01-01T00:01:00Z")
    touched, answer = count(re.sub("^.*?/api", "/api", answer.json()["next"]))
    assert [row["version"] for row in answer.json()["results"]] == list(range(10, 0, -1))
    assert touched <= 2 * (PAGE + 2)


def test_a_balance_at_a_date_costs_the_same_whenever_it_is(count, account):
    for moment in ("2020-01-01T00:00:01Z", "2020-01-01T06:00:00Z", "2026-01-01T00:00:00Z"):
        touched, _ = count(f"/api/v1/accounts/{account.id}/balance?at={moment}")
        assert touched <= 4


def test_a_statement_touches_the_rows_of_its_days_only(count, account):
    """13.9 hours of history in the default; the days of Etc/GMT+12 begin at noon."""
    days = "from=2020-01-01&to=2020-01-01&tz=Etc/GMT%2B12"
    touched, answer = count(f"/api/v1/accounts/{account.id}/statement?{days}")
    lines = min(ROWS, 36 * 3600 - 1) - 12 * 3600 + 1
    assert answer.streaming
    assert lines <= touched <= lines + 20

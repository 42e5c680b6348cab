"""A column that the next release adds breaks nothing that the present code has prepared.

PostgreSQL refuses a prepared statement whose result has got another form: `SELECT *` has, when a column
comes.
"""

import pytest
from django.db import Error, connection

from tests.conftest import make_client
from tests.database import execute
from tests.office.addresses import list_urls_of
from tests.office.staff import make_staff, open_office
from tests.office.things import make_things
from tests.test_plans_that_last import Ledger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

TABLES = (
    "accounts_user",
    "accounts_account",
    "accounts_hold",
    "accounts_token",
    "events_event",
    "events_recordentry",
    "transactions_transaction",
    "transactions_correction",
)
TIMES = ("?at=2020-01-01T00:00:00Z", "?at=2020-01-01T00:00:00Z&known_at=2030-01-01T00:00:00Z")
SHOWN = ("statement", "declines", "holds", "events")


@pytest.fixture
def change_tables():
    """By another connection: the driver forgets what it has prepared when its own changes a table."""
    other = connection.copy()

    def change(what):
        with other.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} {what}")

    yield change
    change("DROP COLUMN IF EXISTS next_release")
    other.close()


@pytest.fixture
def prepare_all():
    """Every statement of this connection is prepared when it is asked for first, and none is forgotten."""
    connection.ensure_connection()
    connection.connection.prepare_threshold = 0
    connection.connection.prepared_max = None


def list_paths(account, transaction):
    yield from (f"/api/v1/{what}" for what in ("me", "users", "accounts", "transactions", "holds", "events"))
    yield f"/api/v1/transactions/{transaction.id}"
    yield f"/api/v1/accounts/{account.id}"
    yield f"/api/v1/users/{account.user_id}/balance"
    yield from (f"/api/v1/accounts/{account.id}/balance{times}" for times in ("", *TIMES))
    yield f"/api/v1/accounts/{account.id}/statement?from=2020-01-01&to=2030-01-01"


def list_pages(things):
    account = f"/admin/accounts/account/{things['accounts/account'].pk}/change/"
    yield from list_urls_of(things)
    yield from (f"{account}?show={shown}" for shown in SHOWN)
    yield from (account + times for times in TIMES)
    yield account + "?format=csv"


def get(client, path):
    answer = client.get(path)
    if answer.streaming:
        b"".join(answer)
    assert answer.status_code < 500, (path, answer.status_code)


@pytest.fixture
def fails_with_more_columns(prepare_all, change_tables):
    """What goes wrong, as a text, when every table gets a column after the first time."""

    def try_it(action):
        action()
        change_tables("ADD COLUMN next_release text")
        try:
            action()
        except (Error, AssertionError) as error:
            return repr(error)
        finally:
            change_tables("DROP COLUMN next_release")
        return ""

    return try_it


def test_whatever_was_prepared_works_on_when_columns_come(fails_with_more_columns, settings):
    settings.WEBHOOK_LOOPBACK = True
    ledger, things = Ledger(), make_things()
    caller = make_client("api-admin")
    office = open_office(make_staff(superuser=True), raise_request_exception=False)
    actions = ledger.actions
    actions |= {path: lambda path=path: get(caller, path) for path in list_paths(ledger.one, ledger.first)}
    actions |= {page: lambda page=page: get(office, page) for page in list_pages(things)}
    failed = {name: fails_with_more_columns(action) for name, action in actions.items()}
    assert {name: error for name, error in failed.items() if error} == {}


def test_a_statement_that_asks_for_all_columns_is_found(fails_with_more_columns):
    assert "cached plan" in fails_with_more_columns(lambda: execute("SELECT * FROM accounts_user"))
    assert not fails_with_more_columns(lambda: execute("SELECT id FROM accounts_user"))

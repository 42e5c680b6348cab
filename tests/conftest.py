"""The tests run on a real PostgreSQL: an embedded one in a temporary folder, or that of DATABASE_URL."""

import os
import shutil
import tempfile

import django
import pytest

VAR = tempfile.mkdtemp(prefix="ledger-tests-")
os.environ["LEDGER_VAR"] = VAR
os.environ["DJANGO_SETTINGS_MODULE"] = "ledger_project.settings"
os.environ["SECRET_KEY"] = "a key for tests, of more than fifty characters, used nowhere else"
os.environ["CHAIN_KEY"] = "a chain key for tests"
os.environ["LOG_LEVEL"] = "CRITICAL"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from ledger_project.embedded_postgres import EmbeddedPostgres  # noqa: E402
from tests import cast  # noqa: E402

FAST_AND_UNSAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
}


def pytest_unconfigure():
    shutil.rmtree(VAR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings():
    if settings.EMBEDDED_POSTGRES is None:
        yield
        return
    server = EmbeddedPostgres(settings.EMBEDDED_POSTGRES.folder, settings=FAST_AND_UNSAFE)
    server.start()
    yield
    server.stop()


def empty_the_ledger(test_case):
    """Instead of Django's flush, which the guards refuse: only here, only as owner of a test database."""
    database = connection.settings_dict["NAME"]
    assert database.startswith("test_"), f"{database} is not a test database"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE tgfoid = 'ledger_refuse'::regproc AND tgtype & 32 = 32"  # on TRUNCATE
        )
        guards = cursor.fetchall()
        for table, guard in guards:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
        cursor.execute("TRUNCATE accounts_user, events_event, events_pending CASCADE")
        for table, guard in guards:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")


TransactionTestCase._fixture_teardown = empty_the_ledger


@pytest.fixture(autouse=True)
def _fresh_token_cache():
    cache.clear()


def make_client(*groups, user=None):
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {cast.issue_token(*groups, user=user)}")
    return client


@pytest.fixture
def service(db):
    """A client service that may post."""
    return make_client("api-post")


@pytest.fixture
def reader(db):
    """A client service that may read everything."""
    return make_client("api-read")


@pytest.fixture
def petya(db):
    """A user with an empty main account."""
    return cast.UserFactory(name="petya")


@pytest.fixture
def account(petya):
    return petya.accounts.get()


@pytest.fixture
def holder(petya):
    """Petya's own token, without any permission."""
    return make_client(user=petya)

"""The tests run on a real PostgreSQL: an embedded one in a temporary folder, or that of DATABASE_URL."""

import os
import shutil
import tempfile
from contextlib import nullcontext

import django
import pytest
import structlog

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ  # whose server and folder are those of its parent
MEMORY = "/dev/shm"
if not IS_WORKER:
    # Where there is room for them, databases lie in memory: to empty one takes a fifth of the time.
    if os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > 8 * 2**30:
        os.environ["TMPDIR"] = tempfile.tempdir = MEMORY
    os.environ["LEDGER_VAR"] = tempfile.mkdtemp(prefix="ledger-tests-")
os.environ["DJANGO_SETTINGS_MODULE"] = "ledger_project.settings"
os.environ["SECRET_KEY"] = "a key for tests, of more than fifty characters, used nowhere else"
os.environ["METRICS_PUBLIC"] = "true"  # whatever DATABASE_URL makes of it
os.environ["CHAIN_KEY"] = "a chain key for tests, used nowhere else"
os.environ["WEBHOOK_KEY"] = "a webhook key for tests, used nowhere else"
os.environ["ANCHOR_KEY"] = "an anchor key for tests, used nowhere else"
os.environ["SECOND_FACTOR_KEY"] = "a key of second factors for tests, used nowhere else"
django.setup()
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # who wants the logs captures them

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from ledger_project.database.embedded import EmbeddedPostgres  # noqa: E402
from rest.viewsets import known_tokens  # noqa: E402
from tests import cast, roles  # noqa: E402
from tests.broker import PROGRAM, start_broker  # noqa: E402
from tests.database import FAST_AND_UNSAFE  # noqa: E402
from tests.programs import require  # noqa: E402


def pytest_unconfigure():
    if IS_WORKER:
        return
    if settings.EMBEDDED_POSTGRES:
        settings.EMBEDDED_POSTGRES.stop()
    shutil.rmtree(settings.VAR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    if settings.EMBEDDED_POSTGRES:
        EmbeddedPostgres(settings.EMBEDDED_POSTGRES.folder, settings=FAST_AND_UNSAFE).start()
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get("LEDGER_TEST_TEMPLATE")


TransactionTestCase._fixture_teardown = roles.as_owner()(TransactionTestCase._fixture_teardown)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), roles.taken():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """With LEDGER_TEST_ROLE the tests are those of a role, but for some."""
    with roles.as_owner() if roles.is_owners(item) else nullcontext():
        return (yield)


@pytest.fixture(autouse=True)
def _fresh_token_cache():
    known_tokens.clear()


def make_client(*groups, user=None, **token):
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {cast.issue_token(*groups, user=user, **token)}")
    return client


@pytest.fixture(scope="session")
def broker():
    """A RabbitMQ, Debian's."""
    require(PROGRAM, "rabbitmq-server")
    broker = start_broker()
    try:
        yield broker
    finally:
        broker.remove()


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
    return petya.accounts.with_held_due().get()


@pytest.fixture
def rich(account):
    """Petya's account, with 100.00 in it."""
    cast.deposit(account, "100")
    return account


@pytest.fixture
def holder(petya):
    """Petya's own token, without any permission."""
    return make_client(user=petya)

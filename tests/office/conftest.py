import pytest
from django.test import Client

from tests.events.conftest import hook, loopback  # noqa: F401, fixtures
from tests.office.staff import PASSWORD, make_staff, open_office


@pytest.fixture(autouse=True)
def _office(db, loopback, settings):  # noqa: F811
    """All works on the database, and webhooks go to this machine. Hashing as in production would be slow."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def olga(db):
    return make_staff("support", username="olga", password=PASSWORD)


@pytest.fixture
def browser():
    return Client()


@pytest.fixture
def support(db):
    """A browser of theirs, as are the next two."""
    return open_office(make_staff("support"))


@pytest.fixture
def operations(db):
    return open_office(make_staff("operations"))


@pytest.fixture
def boss(db):
    return make_staff(superuser=True, username="boss")


@pytest.fixture
def superuser(boss):
    return open_office(boss)


@pytest.fixture
def first(db):
    """Who asks for a correction; the second one may approve it."""
    return make_staff("operations", username="first")


@pytest.fixture
def second(db):
    return make_staff("operations", username="second")

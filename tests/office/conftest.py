import pytest
from django.test import Client

from tests.office.staff import PASSWORD, make_staff


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """Hashing as in production would be most of the time of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def olga(db):
    return make_staff("support", username="olga", password=PASSWORD)


@pytest.fixture
def browser():
    return Client()

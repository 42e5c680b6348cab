import pytest


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """Hashing as in production would be most of the time of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

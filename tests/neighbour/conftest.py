"""The neighbour is installed while its tests run: its table is made, as its migrations would."""

import pytest
from django.db import connection
from django.test.utils import modify_settings

from tests import roles
from tests.neighbour.models import Purchase


@pytest.fixture(scope="module", autouse=True)
def _neighbour(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), modify_settings(INSTALLED_APPS={"append": "tests.neighbour"}):
        with roles.as_owner(), connection.schema_editor() as editor:
            editor.create_model(Purchase)
        yield
        with roles.as_owner(), connection.schema_editor() as editor:
            editor.delete_model(Purchase)

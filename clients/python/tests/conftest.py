"""The package's tests run on a real ledger, which its own plugin starts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connections

from ledger_client import Ledger
from ledger_client.resources import User
from ledger_client.sending import Token
from ledger_client.testing import BadNetwork, LedgerServer

pytest_plugins = ["ledger_client.pytest_plugin"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, request: pytest.FixtureRequest) -> None:
    """The shop's database is on the server of the ledger's, unless SHOP_PGHOST says another."""
    if not settings.DATABASES["default"]["HOST"]:
        server: LedgerServer = request.getfixturevalue("ledger_server")
        host = server.run("db", "status").rpartition("socket in ")[2].strip().rstrip(".")
        connections["default"].settings_dict["HOST"] = host


@pytest.fixture
def connect(bad_network: BadNetwork, ledger_token: str) -> Iterator[Callable[..., Ledger]]:
    """A client behind the bad network."""
    with ExitStack() as stack:

        def make(token: Token = ledger_token, *, patience: float = 60) -> Ledger:
            return stack.enter_context(Ledger(bad_network.url, token, patience=patience))

        yield make


@pytest.fixture
def distant(connect: Callable[..., Ledger]) -> Ledger:
    """The ledger behind a bad network."""
    return connect(patience=20)


@pytest.fixture
def hasty(connect: Callable[..., Ledger]) -> Ledger:
    """One that gives up at once."""
    return connect(patience=0)


@pytest.fixture
def petya(make_ledger_user: Callable[..., User]) -> User:
    return make_ledger_user(funds="100.00")

"""Fixtures for a neighbour's tests: a real ledger, and whom they may move money of.

It is started when the first test asks, from a checkout (`ledger_checkout` in pytest's ini file,
`--ledger-checkout`, or LEDGER_CHECKOUT), and stopped after the last one; or one that runs already is used:
LEDGER_URL and LEDGER_TOKEN.

PYTEST_DONT_REWRITE: it asserts nothing, and a conftest may name it though it is installed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger_client import commands
from ledger_client.ids import new_id
from ledger_client.ledger import Ledger
from ledger_client.resources import User
from ledger_client.testing import BadNetwork, LedgerServer
from ledger_client.wire import Amount

NO_LEDGER = "Say where a checkout of the ledger is: --ledger-checkout, ledger_checkout in the ini file, or \
LEDGER_CHECKOUT; or LEDGER_URL and LEDGER_TOKEN of one that runs."


def pytest_addoption(parser: pytest.Parser) -> None:
    help = "a checkout of the ledger, to start one for the tests"
    parser.addini("ledger_checkout", help, default="")
    parser.getgroup("ledger").addoption("--ledger-checkout", help=help)


@pytest.fixture(scope="session")
def ledger_server(pytestconfig: pytest.Config) -> Iterator[LedgerServer]:
    """A ledger of this session's own, with an empty database, that may be killed and started again.

    In each process of pytest-xdist it is another one.
    """
    asked = pytestconfig.getoption("--ledger-checkout") or os.environ.get("LEDGER_CHECKOUT")
    checkout = asked or pytestconfig.getini("ledger_checkout")
    if not checkout:
        pytest.fail(NO_LEDGER)
    server = LedgerServer(pytestconfig.rootpath / Path(checkout).expanduser())
    server.start()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def ledger_url(request: pytest.FixtureRequest) -> str:
    """Where the ledger is."""
    url = os.environ.get("LEDGER_URL")
    return url or str(request.getfixturevalue("ledger_server").url)


@pytest.fixture(scope="session")
def ledger_token(request: pytest.FixtureRequest) -> str:
    """Of a service that may everything (`api-admin`)."""
    token = os.environ.get("LEDGER_TOKEN")
    return token or str(request.getfixturevalue("ledger_server").token)


@pytest.fixture(scope="session")
def ledger(ledger_url: str, ledger_token: str) -> Iterator[Ledger]:
    """A client of it."""
    with Ledger(ledger_url, ledger_token) as client:
        yield client


@pytest.fixture
def bad_network(ledger_url: str) -> Iterator[BadNetwork]:
    """Between a client and the ledger; it goes wrong when it is told to."""
    with BadNetwork(ledger_url) as network:
        yield network


@pytest.fixture
def make_ledger_user(ledger: Ledger) -> Callable[..., User]:
    """`make_ledger_user("petya", funds="100.00")`: a new user, with that much in their main account. There
    is no clean-up: what was posted stays, so each test has users of its own."""

    def make(name: str = "somebody", *, funds: Amount = "0", currency: str | None = None) -> User:
        user = ledger.post(commands.create_user(id=new_id(), name=name, currency=currency))
        if str(funds).strip("0.") == "":
            return user
        ledger.post(commands.deposit(id=new_id(), account=user.accounts[0].id, amount=funds))
        return ledger.get_user(user.id)

    return make

import pytest
from django.test import Client
from httpx2 import MockTransport, Response
from ledger_client import Ledger

from examples.ad_engine.engine import Engine
from tests import cast
from tests.events.conftest import loopback  # noqa: F401, a fixture
from tests.examples.world import open_campaign


@pytest.fixture
def account(account):
    return open_campaign(account)


@pytest.fixture
def ledger(db):
    """The engine's own client, with the real API at its other end."""

    def answer(request):
        token, type = request.headers["authorization"], request.headers.get("content-type", "")
        client = Client(raise_request_exception=False, headers={"Authorization": token})
        answer = client.generic(request.method, str(request.url), request.read(), type)
        return Response(answer.status_code, content=answer.content)

    token = cast.issue_token("api-admin")
    return Ledger("http://testserver", token, patience=0, transport=MockTransport(answer))


@pytest.fixture
def make_engine(tmp_path, ledger):
    """Each time another process on the same database."""
    made = []

    def make():
        made.append(Engine(tmp_path / "ads.sqlite", ledger))
        return made[-1]

    yield make
    for engine in made:
        engine.database.close()


@pytest.fixture
def engine(make_engine):
    return make_engine()

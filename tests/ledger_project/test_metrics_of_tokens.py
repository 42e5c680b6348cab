"""The metrics: who may read them, and the one that says when the next token ends. And who writes uses."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from accounts import tokens
from accounts.models import Token, User
from ledger_project.server import rsgi
from rest.viewsets import known_tokens
from tests.cast import CALLER, issue_token
from tests.conftest import make_client
from tests.scraping import scrape_relay

pytestmark = pytest.mark.django_db

NAME = "ledger_token_nearest_end_timestamp_seconds"


def find_end():
    return scrape_relay().get(NAME)


def test_private_metrics_are_for_who_may_read_them(client, settings):
    settings.METRICS_PUBLIC = False
    assert client.get("/metrics").json()["code"] == "not_authenticated"
    refused = make_client("api-admin").get("/metrics")
    assert (refused.status_code, refused.json()["permission"]) == (403, "accounts.view_metrics")
    assert make_client("monitoring").get("/metrics").status_code == 200


def test_the_nearest_end_is_of_a_token_that_is_still_taken():
    assert find_end() is None
    issue_token(expiry=None)
    issue_token(expiry=timedelta(seconds=-1))
    assert find_end() is None
    taken = Token.objects.get(token_key=issue_token(expiry=timedelta(days=3))[:15])
    revoked, of_nobody = (issue_token(expiry=timedelta(days=days)) for days in (1, 2))
    tokens.revoke(token_key=revoked[:15], caller=CALLER)
    User.objects.filter(auth_token_set__token_key=of_nobody[:15]).update(is_active=False)
    assert find_end() == pytest.approx(taken.expiry.timestamp(), abs=0.001)


class Loop:
    """What of an event loop the noting of uses needs, run at once."""

    def __init__(self):
        self.later, self.ran = [], 0

    def call_later(self, seconds, call):
        self.later.append((seconds, call))

    def run_in_executor(self, executor, call):
        self.ran += 1
        call()


@pytest.fixture
def worker():
    application = rsgi.Application()
    application.loop = Loop()
    known_tokens.used.clear()
    return application


def test_a_server_writes_uses_once_a_minute_and_nothing_while_nobody_asks(worker, monkeypatch):
    closed = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    worker.note_uses()
    assert (worker.loop.later, worker.loop.ran) == ([(60, worker.note_uses)], 0)
    client = make_client("api-read")
    assert client.get("/api/v1/users").status_code == 200
    worker.note_uses()
    assert worker.loop.ran == 1
    assert closed == [True]
    assert Token.objects.get().last_used_at is not None
    worker.note_uses()
    assert (worker.loop.ran, len(worker.loop.later)) == (1, 3)


def test_without_a_database_uses_are_lost_and_nothing_else(worker, monkeypatch):
    def fail(uses):
        raise OperationalError("away")

    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(tokens, "note_uses", fail)
    known_tokens.used["digest"] = None
    worker.note_uses()
    assert known_tokens.used == {}

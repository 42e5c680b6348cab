"""A dry run reads one moment, waits for nobody, and leaves nothing behind: in no table, in no count."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from ledger.callers import Caller
from tests import asking
from tests.cast import OrderFactory, new_id
from tests.conftest import make_client
from tests.database import execute
from tests.transactions.test_concurrency import in_hand
from tests.transactions.trying import API, COMMANDS, REFUSED, World, identify
from transactions import posting
from transactions.models import Transaction
from transactions.posting import PostingRequest, writing

pytestmark = pytest.mark.django_db

URL = f"{API}/transactions"


@pytest.fixture
def world(rich):
    return World(rich)


@pytest.mark.django_db(transaction=True)
def test_an_account_that_somebody_has_locked_is_not_waited_for_nor_locked(service, world):
    execute("SET lock_timeout = '100ms'")
    ids = [world.account.id, world.other.id]
    paths = [COMMANDS[name](world) for name in COMMANDS if name not in REFUSED]
    try:
        with in_hand(lambda: [asking.lock_account(id) for id in ids], commit=False):
            for path, body in paths:
                fields = identify(path, body)
                assert service.post(f"{API}/{path}?dry_run=true", fields).status_code == 200
            body = {"id": str(new_id()), **world.order("DEPOSIT", "1")}
            assert service.post(URL, body).json()["code"] == "busy"
    finally:
        execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_it_is_decided_in_one_snapshot_that_only_reads_and_locks_nothing(service, world):
    for path, body in (COMMANDS["withdrawal"](world), COMMANDS["atomic list"](world)):
        with CaptureQueriesContext(connection) as queries:
            service.post(f"{API}/{path}?dry_run=true", {"id": str(new_id()), **body})
        statements = [query["sql"] for query in queries]
        snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        assert sum(snapshot in statement for statement in statements) == 1
        assert not [statement for statement in statements if " FOR " in statement and "KEY" in statement]
        assert not [s for s in statements if s.lstrip().startswith(("INSERT", "UPDATE", "WITH", "DELETE"))]


@pytest.mark.django_db(transaction=True)
def test_what_is_posted_while_it_is_decided_is_not_seen(rich, monkeypatch):
    """Else a row would be found of which its account knows nothing yet."""
    order = OrderFactory(account=rich, type=Transaction.Type.WITHDRAW, amount=Decimal(100))
    look = writing.look

    def look_later(*asked):
        monkeypatch.undo()
        with in_hand(lambda: posting.post([order], caller=Caller(rich.user_id)), commit=True):
            pass
        return look(*asked)

    monkeypatch.setattr(writing, "look", look_later)
    rehearsed = posting.rehearse(PostingRequest(commands=[order], caller=Caller(rich.user_id)))
    [result] = rehearsed.answers
    assert (result.replayed, result.transaction.status) == (False, "POSTED")
    assert rehearsed.version == result.transaction.version - 1
    [result] = posting.rehearse(PostingRequest(commands=[order], caller=Caller(rich.user_id))).answers
    assert result.replayed


@pytest.mark.django_db(transaction=True)
def test_it_works_where_the_database_only_reads(world):
    clients = {kind: make_client("api-post") for kind in ("warm", "cold")}
    paths = [COMMANDS[name](world) for name in COMMANDS if name not in REFUSED]
    execute("SET default_transaction_read_only = on")
    try:
        for path, body in paths:
            fields = identify(path, body)
            assert clients["warm"].post(f"{API}/{path}?dry_run=true", fields).status_code == 200
            assert clients["cold"].post(f"{API}/{path}", fields).json()["code"] == "database_read_only"
    finally:
        execute("RESET default_transaction_read_only")


def test_postings_are_not_counted(service, world):
    names = ("ledger_postings_total", "ledger_posting_seconds_count")

    def count():
        return [
            (sample.name, sorted(sample.labels.items()), sample.value)
            for family in REGISTRY.collect()
            for sample in family.samples
            if sample.name in names
        ]

    before = count()
    for name in ("deposit", "withdrawal of too much", "transfer", "atomic list"):
        path, body = COMMANDS[name](world)
        assert service.post(f"{API}/{path}?dry_run=true", {"id": str(new_id()), **body}).status_code == 200
    assert count() == before
    assert service.post(URL, {"id": str(new_id()), **world.order("DEPOSIT", "1")}).status_code == 201
    assert count() != before

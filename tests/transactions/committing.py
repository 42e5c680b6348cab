"""Requests that are posted together, in a group of a known size, and what became of each."""

from collections import Counter
from concurrent.futures import wait
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import connection

from ledger.callers import Caller
from tests.asking import lock_account
from tests.cast import OrderFactory, new_id
from tests.servers import wait_for
from tests.transactions.test_concurrency import in_hand
from tests.transactions.told import read_events_about
from transactions import posting
from transactions.models import Transaction
from transactions.posting import PostingRequest, committer, engine

PATIENCE_SECONDS = 30


@contextmanager
def committing(*, lock_timeout="60s"):
    """Group commit is on; its connections wait so long for a lock: longer than any test does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict["OPTIONS"], "options", f"-c lock_timeout={lock_timeout}")
        committer.start()
        try:
            yield
        finally:
            committer.stop()


@pytest.fixture(autouse=True)
def group_commit(db, request):
    """Of every test of a module that imports it. Its parameter is what `committing` takes."""
    with committing(**getattr(request, "param", {})):
        yield


impatient = pytest.mark.parametrize("group_commit", [{"lock_timeout": "300ms"}], indirect=True)


@contextmanager
def gathering(count):
    """Groups wait until there are so many requests, as they do in a service where that many usually come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(committer._prompt, "usual", count)
        patch.setattr(committer._prompt, "gather_seconds", PATIENCE_SECONDS)
        yield


def watch_groups(monkeypatch, way="post_what_is_free"):
    """The requests of every group that is posted in this way of the engine's, group by group."""
    post, groups = getattr(engine, way), []

    def watched(requests):
        groups.append(list(requests))
        return post(requests)

    monkeypatch.setattr(engine, way, watched)
    return groups


def ask(*commands, **how):
    """A request of somebody of its own."""
    return PostingRequest(commands=commands, caller=Caller(new_id(), request_id=f"request {new_id()}"), **how)


def share(requests):
    return [posting.share(request) for request in requests]


def post_in_one_group(*requests):
    """What became of each."""
    with gathering(len(requests)):
        futures = share(requests)
        wait_for_all(futures)
    return [find_outcome(future) for future in futures]


def wait_for_all(futures):
    _, waiting = wait(futures, PATIENCE_SECONDS)
    assert not waiting


def find_outcome(future):
    """Its answers, or the error that it was refused or failed with."""
    return future.exception() or future.result()


def rows_of(outcome):
    return [row for answer in outcome for row in answer.transactions]


def require_own(request, outcome):
    """Its answers are those to its commands, in their order; rows and events are its own."""
    for command, answer in zip(request.commands, outcome, strict=True):
        assert not answer.replayed
        assert [(row.id, row.account_id) for row in answer.transactions] == [
            *zip(command.needs.rows, command.needs.accounts, strict=True)
        ]
        for row in answer.transactions:
            row.refresh_from_db()
            caller = request.caller
            assert (row.actor, row.request_id) == (caller.actor, caller.request_id)
            [event] = read_events_about([row])
            assert (event.actor, event.actor_kind, event.request_id) == caller[:3]
            assert (event.data["id"], event.recorded_at) == (str(row.id), row.recorded_at)


def count_statuses(rows):
    return Counter(row.decline_reason or row.status for row in rows)


def ask_for_deposit(account, **fields):
    return ask(OrderFactory(account=account, **fields))


def require_each_posted_once(requests, futures):
    """Answered, whether or not an answer was lost on the way, and there is one row and one event of each."""
    wait_for_all(futures)
    for request, future in zip(requests, futures, strict=True):
        for id, row in zip(request.ids, rows_of(future.result()), strict=True):
            assert (row.id, row.actor, row.status) == (id, request.caller.actor, "POSTED")
    ids = [id for request in requests for id in request.ids]
    rows = Transaction.objects.filter(id__in=ids)
    told = [UUID(event.data["id"]) for event in read_events_about(rows)]
    assert sorted(row.id for row in rows) == sorted(told) == sorted(ids)


def wait_until(condition):
    wait_for(condition, PATIENCE_SECONDS)


def lock(account):
    return in_hand(lambda: lock_account(account.id), commit=True)

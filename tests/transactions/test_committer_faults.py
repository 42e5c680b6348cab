"""Group commit when something goes wrong: each request is decided once, and nobody pays for a neighbour."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, OperationalError, connection
from orjson import JSONEncodeError

from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, OrderFactory, new_id
from tests.database import execute, find_who_waits_for_a_lock
from tests.transactions import disturbing
from tests.transactions.committing import (
    ask,
    ask_for_deposit,
    gathering,
    group_commit,  # noqa: F401, a fixture
    impatient,
    lock,
    post_in_one_group,
    require_each_posted_once,
    require_own,
    share,
    wait_until,
)
from tests.transactions.disturbing import end_early, kill_connection, lose_the_answer
from tests.transactions.test_concurrency import in_hand, require_sound
from transactions.errors import RequestInProgress
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction

pytestmark = pytest.mark.django_db(transaction=True)

# One of a group


@dataclass
class Broken(NewTransaction):
    """Nobody can decide it."""

    def decide(self, *asked):
        raise ZeroDivisionError


def make_spoiled(account, reference):
    """What is refused when it is asked for, past that."""
    order = OrderFactory(account=account)
    order.reference = reference
    return order


@pytest.mark.parametrize(
    ("make_order", "failure"),
    [
        (partial(make_spoiled, reference="no text has a \0"), DatabaseError),
        (partial(make_spoiled, reference="\ud800"), JSONEncodeError),
        (
            lambda account: Broken(
                id=new_id(), account_id=account.id, type=Transaction.Type.DEPOSIT, amount=Decimal(1)
            ),
            ZeroDivisionError,
        ),
    ],
)
def test_one_of_a_group_fails_and_the_others_are_posted(account, make_order, failure):
    good = [ask_for_deposit(account) for _ in range(4)]
    *outcomes, failed = post_in_one_group(*good, ask(make_order(account=account)))
    for request, outcome in zip(good, outcomes, strict=True):
        require_own(request, outcome)
    assert isinstance(failed, failure)
    require_sound(account)
    assert account.version == 4


@impatient
def test_of_a_group_with_an_id_in_other_hands_only_that_request_is_told_so(account):
    other = AccountFactory()
    taken = OrderFactory(account=other)
    requests = [ask_for_deposit(account), ask_for_deposit(account, id=taken.id), ask_for_deposit(account)]
    with in_hand(lambda: asking.post([taken], caller=Caller(new_id())), commit=False):
        first, told, last = post_in_one_group(*requests)
    assert isinstance(told, RequestInProgress)
    require_own(requests[0], first)
    require_own(requests[2], last)
    require_sound(account)


# Connections


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("before", kill_connection),
        ("between", kill_connection),
        ("beside", ["SELECT pg_terminate_backend(pg_backend_pid())"]),
        ("between", lose_the_answer),
        ("after", lose_the_answer),
        ("after", kill_connection),
    ],
)
def test_a_connection_that_ends_in_the_middle_of_a_group_loses_and_doubles_nothing(
    account, monkeypatch, when, what
):
    disturbing.disturb_writes(monkeypatch, **{when: what})
    for _ in range(2):
        requests = [ask_for_deposit(account) for _ in range(6)]
        with gathering(6):
            require_each_posted_once(requests, share(requests))
    require_sound(account)
    assert account.version == 12


def test_a_connection_that_is_killed_while_it_waits_for_a_lock_loses_and_doubles_nothing(account):
    requests = [ask_for_deposit(account) for _ in range(6)]
    with lock(account):
        futures = share(requests)
        wait_until(find_who_waits_for_a_lock)
        [waiting] = find_who_waits_for_a_lock()
        assert execute("SELECT pg_terminate_backend(%s, 5000)", waiting) == [(True,)]
        wait_until(find_who_waits_for_a_lock)  # again
    require_each_posted_once(requests, futures)
    require_sound(account)


def test_without_a_database_each_of_a_group_is_told_so_and_posted_afterwards(account, tmp_path):
    requests = [ask_for_deposit(account) for _ in range(6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", str(tmp_path))
        assert {type(outcome) for outcome in post_in_one_group(*requests)} == {OperationalError}
    for request, outcome in zip(requests, post_in_one_group(*requests), strict=True):
        require_own(request, outcome)


def test_a_group_whose_commit_is_a_rollback_is_posted_again(account, monkeypatch):
    disturbing.disturb_writes(monkeypatch, between=end_early)
    requests = [ask_for_deposit(account) for _ in range(3)]
    for request, outcome in zip(requests, post_in_one_group(*requests), strict=True):
        require_own(request, outcome)
    require_sound(account)

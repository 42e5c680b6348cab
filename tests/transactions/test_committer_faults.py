"""Group commit when something goes wrong: each request is decided once, and nobody pays for a neighbour."""

import time
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, OperationalError, connection

from accounts.errors import AccountNotFound
from accounts.operations import lock_account
from events.models import Event
from tests.cast import AccountFactory, OrderFactory, UserFactory, new_id
from tests.transactions import disturbing
from tests.transactions.committing import (
    PATIENCE_SECONDS,
    ask,
    committing,
    find_outcome,
    gathering,
    post_in_one_group,
    require_own,
    rows_of,
    wait_for_all,
)
from tests.transactions.disturbing import kill_connection, lose_the_answer
from tests.transactions.test_concurrency import in_hand, require_sound, run_at_once
from transactions import posting
from transactions.errors import RequestInProgress
from transactions.models import Transaction
from transactions.orders import order_transfer
from transactions.posting import committer, engine

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 40  # more than there are connections


@pytest.fixture(autouse=True)
def _committing(db, request):
    with committing(**getattr(request, "param", {})):
        yield


impatient = pytest.mark.parametrize("_committing", [{"lock_timeout": "300ms"}], indirect=True)


def ask_for_deposit(account, **fields):
    return ask(OrderFactory(account=account, **fields))


def require_each_posted_once(requests, futures):
    """Answered, whether or not an answer was lost on the way, and there is one row and one event of each."""
    for request, future in zip(requests, futures, strict=True):
        for order, row in zip(request.orders, rows_of(future.result()), strict=True):
            assert (row.id, row.actor, row.status) == (order.id, request.actor, "POSTED")
    ids = [order.id for request in requests for order in request.orders]
    assert Transaction.objects.filter(id__in=ids).count() == len(ids)
    assert Event.objects.filter(data__id__in=[str(id) for id in ids]).count() == len(ids)


# One of a group


def make_request_that_the_database_refuses(account):
    return ask_for_deposit(account, reference="no text has a \0"), DatabaseError


def make_request_that_cannot_be_encoded(account):
    return ask_for_deposit(account, reference="\ud800"), UnicodeEncodeError


def make_request_that_is_half_a_transfer(account):
    return ask_for_deposit(account, transfer=new_id()), ValueError


@pytest.mark.parametrize(
    "make_bad",
    [
        make_request_that_the_database_refuses,
        make_request_that_cannot_be_encoded,
        make_request_that_is_half_a_transfer,
    ],
)
def test_one_of_a_group_fails_and_the_others_are_posted(account, make_bad):
    bad, kind = make_bad(account)
    good = [ask_for_deposit(account) for _ in range(4)]
    *outcomes, failed = post_in_one_group(*good[:2], *good[2:], bad)
    for request, outcome in zip(good, outcomes, strict=True):
        require_own(request, outcome)
    assert isinstance(failed, kind)
    require_sound(account)
    assert account.version == 4
    require_own(good[0], outcomes[0])


@impatient
def test_of_a_group_with_an_id_in_other_hands_only_that_request_is_told_so(account):
    other = AccountFactory()
    taken = OrderFactory(account=other)
    requests = [ask_for_deposit(account), ask_for_deposit(account, id=taken.id), ask_for_deposit(account)]
    with in_hand(lambda: posting.post([taken], actor=new_id()), commit=False):
        first, told, last = post_in_one_group(*requests)
    assert isinstance(told, RequestInProgress)
    require_own(requests[0], first)
    require_own(requests[2], last)
    require_sound(account)


# Locks


def count_who_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def wait_until(condition):
    patience = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.01)


def lock(account):
    return in_hand(lambda: lock_account(account.id), commit=True)


def test_who_waits_for_a_locked_account_holds_up_nobody_else(account):
    free = AccountFactory()
    with lock(account):
        waiting = [ask_for_deposit(account) for _ in range(CLIENTS)]
        stuck = [posting.share(request) for request in waiting]
        requests = [ask_for_deposit(free) for _ in range(CLIENTS)]
        flowing = [posting.share(request) for request in requests]
        nowhere = posting.share(ask(replace(OrderFactory(account=free), account_id=new_id())))
        wait_for_all([*flowing, nowhere])
        assert not any(future.done() for future in stuck)
    wait_for_all(stuck)
    require_each_posted_once([*requests, *waiting], [*flowing, *stuck])
    assert isinstance(find_outcome(nowhere), AccountNotFound)
    for each in (account, free):
        require_sound(each)
        assert each.version == CLIENTS


@impatient
def test_an_account_that_stays_locked_is_waited_for_by_all_of_its_requests_at_once(account, monkeypatch):
    """So that the last of many is told as soon as the first of the next group."""
    post, groups = engine.post_group, []

    def watched(requests):
        groups.append(requests)
        return post(requests)

    monkeypatch.setattr(engine, "post_group", watched)
    requests = [ask_for_deposit(account) for _ in range(CLIENTS)]
    with lock(account):
        futures = [posting.share(request) for request in requests]
        wait_for_all(futures)
    assert all(engine.is_lock_timeout(future.exception()) for future in futures)
    assert len(groups) <= CLIENTS / 4
    assert not Transaction.objects.exists()
    futures = [posting.share(request) for request in requests]
    wait_for_all(futures)
    require_each_posted_once(requests, futures)


@impatient
def test_who_waited_with_others_for_a_lock_in_vain_is_posted_when_its_own_account_is_free(account):
    free = AccountFactory()
    with lock(account):
        with lock(free):
            stuck = [posting.share(ask_for_deposit(account))]
            wait_until(count_who_waits_for_a_lock)
            request = ask_for_deposit(free)
            future = posting.share(request)
            stuck.append(posting.share(ask_for_deposit(account)))
        wait_for_all([future, *stuck])
    require_each_posted_once([request], [future])
    assert all(engine.is_lock_timeout(future.exception()) for future in stuck)


def test_a_deadlock_with_somebody_who_locks_as_they_like_is_run_again():
    here, there = AccountFactory(), AccountFactory()
    request = ask(
        OrderFactory(account=here),
        *order_transfer(id=new_id(), source_id=here.id, destination_id=there.id, amount=Decimal(1)),
    )
    neighbours = [ask_for_deposit(here), ask_for_deposit(there)]

    def lock_the_other_way_round():
        lock_account(there.id)
        futures.extend(committer._prompt.ask(each) for each in requests)  # from outside this transaction
        wait_until(count_who_waits_for_a_lock)
        lock_account(here.id)

    requests, futures = [request, *neighbours], []
    with in_hand(lock_the_other_way_round, commit=True):
        pass
    wait_for_all(futures)
    require_each_posted_once(requests, futures)
    for each in (here, there):
        require_sound(each)


def test_payments_flow_beside_an_import_and_batches_over_the_same_accounts(write, run):
    accounts = [UserFactory(external_id=f"user-{number}").accounts.get() for number in range(6)]
    path = write([(n, f"user-{n % 6}", "DEPOSIT", "1.00", "", "") for n in range(3000)])
    requests = [ask_for_deposit(accounts[n % 6], amount=Decimal(1)) for n in range(300)]
    batches = [
        ask(*[OrderFactory(account=accounts[(n * step) % 6], amount=Decimal(1)) for n in range(300)])
        for step in (1, 5, 7, 11)
    ]
    futures = []

    def pay():
        for number, request in enumerate(requests):
            futures.append(posting.share(request))
            if number % 75 == 0:
                futures.append(posting.share(batches[number // 75]))
            time.sleep(0.003)
        wait_for_all(futures)

    run_at_once(pay, partial(run, path, 0))
    assert not [future.exception() for future in futures if future.exception()]
    require_each_posted_once(requests, [future for future in futures if len(future.result()) == 1])
    assert Transaction.objects.count() == 3000 + 300 + 1200
    for each in accounts:
        require_sound(each)
    assert sum(each.balance for each in accounts) == 4500


@impatient
def test_batches_do_not_starve_each_other(account):
    batches = [ask(*[OrderFactory(account=account) for _ in range(500)]) for _ in range(20)]
    futures = [posting.share(batch) for batch in batches]
    payment = posting.share(ask_for_deposit(account))
    wait_for_all([*futures, payment])
    require_each_posted_once(batches, futures)


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
            futures = [posting.share(request) for request in requests]
            wait_for_all(futures)
        require_each_posted_once(requests, futures)
    require_sound(account)
    assert account.version == 12


def test_a_connection_that_is_killed_while_it_waits_for_a_lock_loses_and_doubles_nothing(account):
    requests = [ask_for_deposit(account) for _ in range(6)]
    with lock(account):
        futures = [posting.share(request) for request in requests]
        wait_until(count_who_waits_for_a_lock)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE NOT granted")
            assert cursor.fetchall() == [(True,)]
        wait_until(count_who_waits_for_a_lock)  # again
    wait_for_all(futures)
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
    def end_early():
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")

    disturbing.disturb_writes(monkeypatch, between=end_early)
    requests = [ask_for_deposit(account) for _ in range(3)]
    for request, outcome in zip(requests, post_in_one_group(*requests), strict=True):
        require_own(request, outcome)
    require_sound(account)

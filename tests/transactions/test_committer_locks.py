"""Group commit and locks: who waits for one holds up nobody else, and all who wait are told at once."""

import time
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError

from accounts.errors import AccountNotFound
from accounts.operations import lock_rows
from tests.asking import lock_account
from tests.cast import AccountFactory, OrderFactory, UserFactory, deposit, new_id
from tests.database import find_who_waits_for_a_lock
from tests.transactions.committing import (
    ask,
    ask_for_deposit,
    find_outcome,
    group_commit,  # noqa: F401, a fixture
    impatient,
    lock,
    require_each_posted_once,
    share,
    wait_for_all,
    wait_until,
    watch_groups,
)
from tests.transactions.test_concurrency import in_hand, require_sound, run_at_once
from transactions import posting
from transactions.models import Transaction
from transactions.posting import committer
from transactions.posting.commands import Transfer
from transactions.posting.writing import is_lock_timeout

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 40  # more than there are connections


def test_who_waits_for_a_locked_account_holds_up_nobody_else(account):
    free = AccountFactory()
    with lock(account):
        waiting = [ask_for_deposit(account) for _ in range(CLIENTS)]
        stuck = share(waiting)
        requests = [ask_for_deposit(free) for _ in range(CLIENTS)]
        flowing = share(requests)
        nowhere = posting.share(ask(replace(OrderFactory(account=free), account_id=new_id())))
        wait_for_all([*flowing, nowhere])
        assert not any(future.done() for future in stuck)
    require_each_posted_once([*requests, *waiting], [*flowing, *stuck])
    assert isinstance(find_outcome(nowhere), AccountNotFound)
    require_sound(account, free)
    assert account.version == free.version == CLIENTS


def test_who_waits_for_one_account_holds_no_other(account):
    free, busy = AccountFactory(), AccountFactory()
    committer.stop()
    requests = [ask_for_deposit(each) for each in (account, free, busy, account)]
    futures = [committer._patient.ask(request) for request in requests]
    with lock(account):
        with lock(busy):
            committer.start()
            wait_for_all([futures[1]])
            wait_until(find_who_waits_for_a_lock)
        for each in (free, busy):
            assert deposit(each, "1").status == "POSTED"
        assert not futures[0].done()
    require_each_posted_once(requests, futures)


@impatient
def test_an_account_that_stays_locked_is_waited_for_by_all_of_its_requests_at_once(account, monkeypatch):
    """So that the last of many is told as soon as the first of the next group."""
    groups = watch_groups(monkeypatch, "post_group")
    requests = [ask_for_deposit(account) for _ in range(CLIENTS)]
    with lock(account):
        futures = share(requests)
        wait_for_all(futures)
    assert all(is_lock_timeout(future.exception()) for future in futures)
    assert len(groups) <= CLIENTS / 4
    assert not Transaction.objects.exists()
    require_each_posted_once(requests, share(requests))


@pytest.mark.parametrize("group_commit", [{"lock_timeout": "1s"}], indirect=True)
def test_accounts_that_stay_locked_are_not_waited_for_one_after_the_other(monkeypatch):
    groups = watch_groups(monkeypatch, "post_group")
    accounts, free = [AccountFactory() for _ in range(12)], AccountFactory()
    committer.stop()
    requests = [ask_for_deposit(each) for each in (*accounts, free)]
    futures = [committer._patient.ask(request) for request in requests]
    with in_hand(lambda: lock_rows([each.id for each in accounts], ("id",)), commit=True):
        committer.start()
        wait_for_all(futures)
    assert all(is_lock_timeout(future.exception()) for future in futures[:-1])
    assert len(groups) <= committer.WAIT_SECONDS_MAX + 2
    require_each_posted_once(requests[-1:], futures[-1:])


@impatient
def test_who_waited_with_others_for_a_lock_in_vain_is_posted_when_its_own_account_is_free(account):
    free = AccountFactory()
    with lock(account):
        with lock(free):
            stuck = share([ask_for_deposit(account)])
            wait_until(find_who_waits_for_a_lock)
            request = ask_for_deposit(free)
            future, *others = share([request, ask_for_deposit(account)])
        wait_for_all([future, *stuck, *others])
    require_each_posted_once([request], [future])
    assert all(is_lock_timeout(future.exception()) for future in (*stuck, *others))


def test_a_deadlock_with_somebody_who_locks_as_they_like_is_run_again():
    here, there = AccountFactory(), AccountFactory()
    moving = Transfer(id=new_id(), source_id=here.id, destination_id=there.id, amount=Decimal(1))
    requests = [ask(OrderFactory(account=here), moving), ask_for_deposit(here), ask_for_deposit(there)]
    futures = []

    def lock_the_other_way_round():
        lock_account(there.id)
        futures.extend(committer._prompt.ask(each) for each in requests)  # from outside this transaction
        wait_until(find_who_waits_for_a_lock)
        with suppress(OperationalError):  # either of the two is chosen to give way
            lock_account(here.id)

    with in_hand(lock_the_other_way_round, commit=True):
        pass
    require_each_posted_once(requests, futures)
    require_sound(here, there)


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
    require_sound(*accounts)
    assert sum(each.balance for each in accounts) == 4500


@impatient
def test_batches_do_not_starve_each_other(account):
    batches = [ask(*[OrderFactory(account=account) for _ in range(500)]) for _ in range(20)]
    requests = [*batches, ask_for_deposit(account)]
    require_each_posted_once(requests, share(requests))
